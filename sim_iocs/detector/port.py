"""The driver's port: one thing at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

__all__ = ["Port"]

Handler = Callable[[Any], Awaitable[None]]


class Port:
    """Works off writes and scans one after the other, as the thread of an asyn port does.

    While one waits for Serval all others wait too.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    def serial(self, handler: Handler) -> Handler:
        """The same handler, which waits for its turn."""

        async def in_turn(value: Any) -> None:
            async with self:
                await handler(value)

        return in_turn

    async def __aenter__(self) -> None:
        await self._lock.acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()

"""Work that is done some seconds from now, or at the end at the latest."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

__all__ = ["Later"]


class Later:
    """Collects actions from any thread and does them on time in the thread of the event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[int, tuple[asyncio.TimerHandle, Callable[[], None]]] = {}
        self._number = 0

    def bind(self) -> None:
        """Use the running loop from now on."""
        self._loop = asyncio.get_running_loop()

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do something after a delay; errors of the file system are nobody's to see."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._schedule, delay_s, action)

    def flush(self) -> None:
        """Do now what still waits."""
        for number in list(self._waiting):
            self._do(number)

    def _schedule(self, delay_s: float, action: Callable[[], None]) -> None:
        assert self._loop is not None
        self._number += 1
        handle = self._loop.call_later(delay_s, self._do, self._number)
        self._waiting[self._number] = handle, action

    def _do(self, number: int) -> None:
        handle, action = self._waiting.pop(number)
        handle.cancel()
        with contextlib.suppress(OSError):
            action()

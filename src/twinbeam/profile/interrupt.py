"""Ctrl-C during a plan that nobody will resume."""

from __future__ import annotations

import contextlib
import signal
import threading
from types import FrameType
from typing import Any

__all__ = ["PauseAtOnce"]


class PauseAtOnce:
    """Context manager for a RunEngine: the first Ctrl-C pauses it at once.

    The caller then aborts the plan, which runs its clean-up. At the IPython prompt bluesky's own
    handler is used instead, with which one may resume.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._previous: Any = None

    def __enter__(self) -> PauseAtOnce:
        self._previous = signal.signal(signal.SIGINT, self._pause)
        return self

    def __exit__(self, *exception: object) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _pause(self, number: int, frame: FrameType | None) -> None:
        # request_pause waits for the engine's loop, which a signal handler must not do
        threading.Thread(target=self._request, daemon=True).start()

    def _request(self) -> None:
        from bluesky.utils import TransitionError

        # a refused transition means it is between two states that end by themselves
        with contextlib.suppress(TransitionError):
            self._engine.request_pause(defer=False)

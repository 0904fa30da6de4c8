"""Documents handed to a thread: the caller never waits and never sees an exception."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["HandOver"]

_log = logging.getLogger(__name__)
_END = object()
_LOOK_S = 0.5  # how often a waiting caller looks whether the thread has ended


class HandOver:
    """A queue and the thread that empties it, in order.

    The queue has no bound, since documents are small and only name data that are on disk already:
    nothing is dropped. What the target raises is logged and kept in `errors`.
    """

    def __init__(self, target: Callable[[str, Any], None], name: str) -> None:
        self._target = target
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._closed = False
        self.errors: list[str] = []
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def put(self, name: str, doc: Any) -> None:
        """Hand over one document; returns at once."""
        if not self._closed:
            self._queue.put((name, doc))

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until everything handed over so far is done; whether that happened in time."""
        if not self._thread.is_alive():
            return True
        done = threading.Event()
        self._queue.put(done)
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while self._thread.is_alive():
            left = _LOOK_S if deadline is None else min(_LOOK_S, deadline - time.monotonic())
            if done.wait(max(left, 0.0)):
                return True
            if left <= 0.0:
                return False
        return True

    def close(self, timeout_s: float | None = None) -> bool:
        """Finish what was handed over and end the thread; whether that happened in time."""
        if not self._closed:
            self._closed = True
            self._queue.put(_END)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            item = self._queue.get()
            if item is _END:
                return
            if isinstance(item, threading.Event):
                item.set()
                continue
            try:
                self._target(*item)
            except Exception as error:
                # the first one with its traceback; a fault that repeats must not flood the log
                _log.error("%s: a document failed", self._thread.name, exc_info=not self.errors)
                self.errors.append(f"{type(error).__name__}: {error}")

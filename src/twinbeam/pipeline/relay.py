"""Several threads that take blocks through steps which each have to be done in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

__all__ = ["VALID_FOR", "relay"]

_MOST_WAITING = 2  # before each step
VALID_FOR = _MOST_WAITING  # so many earlier results of a step are in use while it makes the next
_END = object()


class _Relay:
    """What waits where, and which step is in work."""

    def __init__(self, source: Iterator[Any], steps: Sequence[Callable[[Any], Any]]) -> None:
        self._source = source
        self._steps = steps
        self._waiting: list[deque[Any]] = [deque() for _ in steps]
        self._busy = [False] * len(steps)
        self._changed = threading.Condition()
        self._source_ended = False
        self.error: BaseException | None = None

    def _next(self) -> int | None:
        """The last step that can be done; None when there is nothing to do at present."""
        for step in reversed(range(len(self._steps))):
            if self._busy[step]:
                continue
            if step + 1 < len(self._steps) and len(self._waiting[step + 1]) >= _MOST_WAITING:
                continue
            if self._waiting[step] if step else not self._source_ended:
                return step
        return None

    @property
    def _over(self) -> bool:
        if self.error is not None:
            return True
        return self._source_ended and not any(self._waiting) and not any(self._busy)

    def stop(self, error: BaseException) -> None:
        """Let all threads end with the step they are in."""
        with self._changed:
            self.error = self.error or error
            self._changed.notify_all()

    def work(self, after_each: Callable[[], object] = lambda: None) -> None:
        """Do steps until all is done; an error ends it for all."""
        try:
            while (step := self._take()) is not None:
                self._do(step)
                after_each()
        except BaseException as error:
            self.stop(error)

    def _take(self) -> int | None:
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._next() is not None)
            step = None if self._over else self._next()
            if step is not None:
                self._busy[step] = True
            return step

    def _do(self, step: int) -> None:
        item = self._waiting[step].popleft() if step else next(self._source, _END)
        result = _END if item is _END else self._steps[step](item)
        with self._changed:
            if result is _END:
                self._source_ended = True
            elif step + 1 < len(self._steps):
                self._waiting[step + 1].append(result)
            self._busy[step] = False
            self._changed.notify_all()


def relay(
    source: Iterator[Any],
    steps: Sequence[Callable[[Any], Any]],
    threads: int,
    after_each: Callable[[], object] = lambda: None,
) -> None:
    """Take all items of a source through the steps.

    Every step sees all items in their order, one at a time; different steps work on different items
    beside each other. What a step returns is what the next is given; it must stay valid while the
    step makes `VALID_FOR` further results. An item of the source may be valid until the next.

    Parameters
    ----------
    threads
        Threads that work, this one included; more than there are steps are of no use.
    after_each
        Called by this thread after every step that it did itself.

    Raises
    ------
    BaseException
        The first error of the source or a step; the other threads have ended by then.
    """
    work = _Relay(source, steps)
    others = [
        threading.Thread(target=work.work, name=f"twinbeam-step-{n}", daemon=True)
        for n in range(1, min(threads, len(steps)))
    ]
    for thread in others:
        thread.start()
    try:
        work.work(after_each)
    finally:
        for thread in others:
            thread.join()
    if work.error is not None:
        raise work.error

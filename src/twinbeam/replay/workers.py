"""What those who do tasks have in common, and the one who does them himself."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from twinbeam.pipeline.partial import Partial
from twinbeam.replay.tasks import Skimmed, Task, run_task

__all__ = ["InThisProcess", "Outcome", "Workers"]

Outcome = Skimmed | Partial


class Workers(Protocol):
    """Do tasks, in any order."""

    @property
    def capacity(self) -> int:
        """How many tasks at a time keep them busy."""
        ...

    def submit(self, number: int, task: Task) -> None:
        """Take a task, known by a number of its own; returns soon."""
        ...

    def wait(self) -> list[tuple[int, Outcome]]:
        """Numbers and outcomes of tasks that are done, at least one.

        Raises
        ------
        TwinbeamError
            If a task failed, or none can be done any more.
        """
        ...

    def close(self) -> None:
        """Give up what is not done; nothing is left behind."""
        ...


class InThisProcess:
    """Does one task after the other, when it is waited for."""

    capacity = 1

    def __init__(self) -> None:
        self._tasks: deque[tuple[int, Task]] = deque()

    def submit(self, number: int, task: Task) -> None:
        """Keep a task."""
        self._tasks.append((number, task))

    def wait(self) -> list[tuple[int, Outcome]]:
        """Do the oldest task."""
        number, task = self._tasks.popleft()
        return [(number, run_task(task))]

    def close(self) -> None:
        """Forget what is not done."""
        self._tasks.clear()

"""The same run with another recipe, worked off beside the first until it has caught up."""

from __future__ import annotations

import threading
from typing import Any

from twinbeam.live.run_job import RunJob

__all__ = ["SecondJob"]


class SecondJob:
    """A job in a thread of its own that takes the documents the first job has taken.

    Parameters
    ----------
    job
        The job with the other recipe.
    taken
        Documents the first job has taken; goes on growing.

    Attributes
    ----------
    n_taken
        So many of them were taken; stands still once it is ready.
    """

    def __init__(self, job: RunJob, taken: list[tuple[str, dict[str, Any]]]) -> None:
        self.job = job
        self.n_taken = 0
        self._taken = taken
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="twinbeam-recipe", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether it has caught up; nothing else touches the job then."""
        return not self._thread.is_alive()

    def close(self) -> None:
        """Give it up."""
        self._closing.set()
        self._thread.join()

    def _work(self) -> None:
        while self.n_taken < len(self._taken) and not self._closing.is_set():
            self.n_taken += self.job.take_some(self._taken[self.n_taken :])

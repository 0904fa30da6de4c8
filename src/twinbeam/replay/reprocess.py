"""Raw files → results, with many processes or a cluster."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from twinbeam.errors import RawDataError
from twinbeam.pipeline import Recipe, Result
from twinbeam.pipeline.gather import Gatherer
from twinbeam.pipeline.tables import Tables
from twinbeam.replay.acquisition_work import AcquisitionWork
from twinbeam.replay.partial_cache import PartialCache
from twinbeam.replay.raw_runs import RawRun
from twinbeam.replay.tasks import Task
from twinbeam.replay.workers import InThisProcess, Workers
from twinbeam.tpx3 import WordKind

__all__ = ["Progress", "Reprocessed", "reprocess"]

SLAB_BYTES = 1 << 26  # 64 MiB, a third of a second of work and 3 MB of partial results
_MOST_OPEN = 64  # acquisitions that are begun before the oldest is finished


@dataclass(frozen=True)
class Progress:
    """How far the work is.

    Attributes
    ----------
    done_bytes, total_bytes
        Raw data with and without those that were done before.
    cached_bytes
        Those of which partial results were there already.
    seconds
        Time since the start.
    """

    done_bytes: int
    total_bytes: int
    cached_bytes: int
    seconds: float

    @property
    def eta_s(self) -> float | None:
        """Seconds that are left at the speed so far; None before that is known."""
        worked = self.done_bytes - self.cached_bytes
        if worked <= 0 or self.seconds <= 0.0:
            return None
        return self.seconds * (self.total_bytes - self.done_bytes) / worked


@dataclass(frozen=True, eq=False)
class Reprocessed:
    """A run and its result.

    Attributes
    ----------
    run
        What was processed.
    result
        Bit-identical to that of `twinbeam.pipeline.process`.
    problems
        Raw files that are missing, damaged or not as the run says.
    """

    run: RawRun
    result: Result
    problems: tuple[str, ...]


def reprocess(
    runs: Sequence[RawRun],
    recipe: Recipe | None = None,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    cache: str | Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    slab_bytes: int = SLAB_BYTES,
) -> Generator[Reprocessed, None, None]:
    """Process the raw files of runs; results come in the order of the runs, each when it is ready.

    Acquisitions are cut into slabs that are processed beside each other. The results do not depend
    on how many workers there are, nor on where and in which order they work: they are those of
    `twinbeam.pipeline.process`, bit for bit. A worker that dies costs only the time of its slab.
    A recipe with g2 or distance compares photons one by one: then each acquisition is one piece.

    Nothing is done before the first result is asked for; when no more are wanted, close the
    iterator, which ends all workers.

    Parameters
    ----------
    runs
        What `stored_raw_run` and `raw_run_of_files` give.
    recipe
        Recipe to use; when left out that of each run, or the default.
    workers
        Processes to work with; with 1 the work is done in this process. A script that asks for more
        needs ``if __name__ == "__main__":``. Not used with the address of a scheduler.
    scheduler
        Address of a Dask scheduler, or `local` for a Dask cluster of processes on this machine.
    cache
        Folder for partial results. Work that was broken off goes on with what is there; changed
        files, another recipe or another version of the program find nothing.
    on_progress
        Called whenever more is done.
    slab_bytes
        Length of a slab.

    Raises
    ------
    RawDataError
        If a file cannot be read or was changed while it was read, or a run holds no Timepix3 chunk.
    RecipeError
        If a file the recipe names cannot be read or was changed.
    StorageError
        If workers die again and again, a scheduler does not answer, or the cache cannot be written.
    ValueError
        If `workers` or `slab_bytes` is below 1.
    """
    if workers < 1:
        raise ValueError(f"workers must be 1 or more, not {workers}")
    if slab_bytes < 1:
        raise ValueError(f"slab_bytes must be 1 or more, not {slab_bytes}")
    return _reprocess(
        runs, recipe, workers, scheduler, cache, on_progress or (lambda _: None), slab_bytes
    )


def _reprocess(
    runs: Sequence[RawRun],
    recipe: Recipe | None,
    workers: int,
    scheduler: str | None,
    cache: str | Path | None,
    on_progress: Callable[[Progress], None],
    slab_bytes: int,
) -> Generator[Reprocessed, None, None]:
    recipes = [recipe or run.recipe or Recipe() for run in runs]
    for each in {one.hash: one for one in recipes}.values():
        Tables.of(each)  # a file that it names and is not there is found before work starts
    kept = None if cache is None else PartialCache(cache)
    planned = (
        (number, AcquisitionWork(
            paths, recipes[number], slab_bytes=slab_bytes, ahead=2 * workers + 2, cache=kept
        ))
        for number, run in enumerate(runs)
        for paths in run.acquisitions
    )  # fmt: skip
    told = _Told(sum(run.n_bytes for run in runs), on_progress)
    with closing(_workers(workers, scheduler)) as pool:
        finished = _Crew(pool, planned, told).finished()
        ready = next(finished, None)
        for number, run in enumerate(runs):
            gatherer = Gatherer(recipes[number])
            while ready is not None and ready[0] == number:
                for partial in ready[1].take_ready():
                    gatherer.add(partial)
                if ready[1].done:
                    gatherer.next_acquisition()
                ready = next(finished, None)
            yield _whole(run, gatherer.finish())


def _workers(workers: int, scheduler: str | None) -> Workers:
    if scheduler is not None:
        from twinbeam.replay.dask_pool import DaskPool

        return DaskPool(scheduler, workers)
    if workers == 1:
        return InThisProcess()
    from twinbeam.replay.process_pool import ProcessPool

    return ProcessPool(workers)


class _Told:
    """Adds up what is done and tells it."""

    def __init__(self, total: int, tell: Callable[[Progress], None]) -> None:
        self._total = total
        self._tell = tell
        self._begun = time.perf_counter()
        self._worked = self._cached = 0

    def add(self, worked: int, cached: int) -> None:
        """So many bytes more were processed or found in the cache."""
        if not worked and not cached:
            return
        self._worked += worked
        self._cached += cached
        done, seconds = self._worked + self._cached, time.perf_counter() - self._begun
        self._tell(Progress(done, self._total, self._cached, seconds))


class _Crew:
    """Keeps workers busy with the acquisitions in their order."""

    def __init__(
        self, pool: Workers, planned: Iterator[tuple[int, AcquisitionWork]], told: _Told
    ) -> None:
        self._pool = pool
        self._planned = planned
        self._told = told
        self._open: deque[tuple[int, AcquisitionWork]] = deque()
        self._busy: dict[int, tuple[AcquisitionWork, Task]] = {}
        self._n_tasks = 0

    def finished(self) -> Iterator[tuple[int, AcquisitionWork]]:
        """The acquisition that is the first in order, whenever it has something ready."""
        while self._fill() or self._open:
            number, first = self._open[0]
            if first.done:
                self._open.popleft()
            yield number, first
            if first.done:
                continue
            if not self._busy:
                raise RuntimeError("an acquisition is not whole and no work on it is left")
            for task_number, outcome in self._pool.wait():
                work, task = self._busy.pop(task_number)
                self._told.add(work.take(task, outcome), 0)

    def _fill(self) -> bool:
        """Give the workers tasks, as many as keep them busy; whether anything is going on."""
        while len(self._busy) < self._pool.capacity:
            found = next(((w, t) for w in self._begun() if (t := self._next_task(w))), None)
            if found is None:
                break
            self._busy[self._n_tasks] = found
            self._pool.submit(self._n_tasks, found[1])
            self._n_tasks += 1
        return bool(self._busy)

    def _begun(self) -> Iterator[AcquisitionWork]:
        """Acquisitions in order; further ones are begun when those before have no task."""
        at = 0
        while True:
            if at == len(self._open):
                following = next(self._planned, None) if at < _MOST_OPEN else None
                if following is None:
                    return
                self._open.append(following)
            yield self._open[at][1]
            at += 1

    def _next_task(self, work: AcquisitionWork) -> Task | None:
        before = work.from_cache
        task = work.next_task()
        self._told.add(0, work.from_cache - before)
        return task


def _whole(run: RawRun, result: Result) -> Reprocessed:
    """A result with what is wrong with its raw data."""
    if not result.census.count(WordKind.HEADER):
        raise RawDataError(
            "not a Timepix3 raw file: no whole chunk header in it",
            where=str(run.acquisitions[0][0]),
        )
    damage = result.census.describe_damage()
    more = (f"the raw data are damaged: {damage}",) if damage else ()
    return Reprocessed(run, result, (*run.problems, *more))

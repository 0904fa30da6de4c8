"""Processes that do tasks; one that dies is replaced and its task is done again."""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from twinbeam.errors import StorageError, TwinbeamError
from twinbeam.replay.tasks import CountTask, Task, where_of
from twinbeam.replay.workers import Outcome

__all__ = ["ProcessPool"]

_MOST_DEATHS = 3  # of workers over one task, or in a row before they could begin
_END_S = 5.0  # a worker that does not end by itself in this time is killed


class _Worker:
    """A process, its end of the pipe, and the task it does."""

    def __init__(self, context: Any) -> None:
        self.connection, theirs = context.Pipe()
        self.process = context.Process(
            target=_work, args=(theirs,), name="twinbeam-worker", daemon=True
        )
        # It inherits what is blocked: until it can ignore Ctrl-C, that would break its imports off.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self.ready = False
        self.job: tuple[int, Task] | None = None

    def end(self) -> None:
        """End it at once."""
        self.connection.close()
        self.process.terminate()
        self.process.join(_END_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


class ProcessPool:
    """Worker processes of this machine, started when there is something to do.

    They are spawned, so a script that makes a pool needs ``if __name__ == "__main__":``. They
    ignore Ctrl-C, which this process gets too, and end when it does.

    Parameters
    ----------
    workers
        How many.
    """

    def __init__(self, workers: int) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._queue: deque[tuple[int, Task]] = deque()
        self._deaths: dict[int, int] = {}
        self._early_deaths = 0
        self._workers: list[_Worker] = []
        self._most = workers
        self.capacity = workers + 1  # one more, so that none waits for this process

    @property
    def pids(self) -> list[int]:
        """Process numbers of the workers."""
        return [worker.process.pid for worker in self._workers if worker.process.pid is not None]

    def submit(self, number: int, task: Task) -> None:
        """Take a task."""
        self._queue.append((number, task))
        if len(self._workers) < self._most:
            self._workers.append(_Worker(self._context))
        self._hand_out()

    def _hand_out(self) -> None:
        for worker in self._workers:
            if worker.ready and worker.job is None and self._queue:
                worker.job = self._queue.popleft()
                with suppress(OSError):  # it has died: it is found when it is waited for
                    worker.connection.send(worker.job[1])

    def wait(self) -> list[tuple[int, Outcome]]:
        """Numbers and outcomes of tasks that are done, at least one.

        Raises
        ------
        TwinbeamError
            If a task failed, or its workers died again and again.
        """
        done: list[tuple[int, Outcome]] = []
        while not done:
            by_handle: dict[Any, _Worker] = {}
            for worker in self._workers:
                by_handle[worker.connection] = worker
                by_handle[worker.process.sentinel] = worker
            for worker in {id(w): w for w in (by_handle[h] for h in wait(by_handle))}.values():
                done += self._listen(worker)
            self._hand_out()
        return done

    def _listen(self, worker: _Worker) -> list[tuple[int, Outcome]]:
        """What a worker has to say, or that it has died."""
        try:
            if not worker.connection.poll():
                raise EOFError
            said, what = worker.connection.recv()
        except (EOFError, OSError):
            self._replace(worker)
            return []
        if said == "ready":
            worker.ready, self._early_deaths = True, 0
            return []
        assert worker.job is not None
        (number, task), worker.job = worker.job, None
        if said == "failed":
            raise what
        if said == "crashed":
            raise RuntimeError(f"a worker failed at {_where(task)}:\n{what}")
        self._deaths.pop(number, None)
        return [(number, what)]

    def _replace(self, worker: _Worker) -> None:
        """Start another worker in place of one that has died; its task is the next to be done."""
        worker.process.join(_END_S)
        status = worker.process.exitcode
        if worker.job is None:
            self._early_deaths += not worker.ready
            deaths, where = self._early_deaths, None
        else:
            number, task = worker.job
            self._deaths[number] = self._deaths.get(number, 0) + 1
            deaths, where = self._deaths[number], _where(task)
            self._queue.appendleft(worker.job)
        worker.end()
        self._workers.remove(worker)
        if deaths >= _MOST_DEATHS:
            how = f"signal {-status}" if status and status < 0 else f"status {status}"
            raise StorageError(
                f"{deaths} worker processes died, the last with {how}",
                where=where,
                hint="is there enough memory? Scripts need 'if __name__ == \"__main__\":'"
                if where is None
                else "is there enough memory? Try fewer workers",
            )
        self._workers.append(_Worker(self._context))

    def close(self) -> None:
        """End all workers."""
        self._queue.clear()
        for worker in self._workers:
            worker.end()
        self._workers.clear()


def _where(task: Task) -> str:
    return where_of(task.slabs if isinstance(task, CountTask) else [task.slab])


def _work(connection: Connection) -> None:
    """What a worker process does until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from twinbeam.replay.tasks import run_task

    with suppress(EOFError, OSError):
        connection.send(("ready", None))
        while True:
            task = connection.recv()
            reply: tuple[str, Any]
            try:
                reply = "done", run_task(task)
            except TwinbeamError as error:
                reply = "failed", error
            except Exception:
                reply = "crashed", traceback.format_exc()
            connection.send(reply)

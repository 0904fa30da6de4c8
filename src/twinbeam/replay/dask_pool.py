"""Tasks on the workers of a Dask scheduler."""

from __future__ import annotations

import itertools
import logging
import socket
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any
from urllib.parse import urlparse

from twinbeam.errors import StorageError
from twinbeam.replay.tasks import Task, run_task
from twinbeam.replay.workers import Outcome

__all__ = ["DaskPool"]

_CONNECT_S = 10.0
_AT_A_TIME = 2  # tasks for each thread, so that none waits for the next to travel
_serial = itertools.count()


class DaskPool:
    """Workers of `dask.distributed`; a worker that is lost costs only time.

    The workers must have the same version of this package and find the raw files under the same
    paths.

    Parameters
    ----------
    scheduler
        Address of a scheduler, as `tcp://host:8786`, or `local` for a cluster of processes that
        lives as long as this object.
    workers
        Processes of a local cluster.

    Raises
    ------
    StorageError
        If `distributed` is not installed or the scheduler does not answer.
    """

    def __init__(self, scheduler: str, workers: int) -> None:
        try:
            import distributed
        except ImportError as error:
            raise StorageError(
                "Dask is not installed", hint="pip install 'twinbeam[dask]'"
            ) from error
        self._distributed: Any = distributed
        self._cluster: Any = None
        self._client: Any = None
        self._futures: dict[Any, int] = {}
        try:
            if scheduler == "local":
                self._cluster = distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    silence_logs=logging.ERROR,
                )
            else:
                _require_answer(scheduler)
            self._client = distributed.Client(
                self._cluster or scheduler, timeout=_CONNECT_S, set_as_default=False
            )
        except (OSError, ValueError, TimeoutError) as error:
            self.close()
            raise StorageError(
                f"the Dask scheduler does not answer: {error}",
                where=scheduler,
                hint="give 'local', or an address as tcp://host:8786",
            ) from error

    @property
    def capacity(self) -> int:
        """How many tasks at a time keep the workers busy."""
        return max(_AT_A_TIME * sum(self._client.nthreads().values()), 2)

    def submit(self, number: int, task: Task) -> None:
        """Hand over a task."""
        key = f"twinbeam-{type(task).__name__}-{next(_serial)}-{id(self):x}"
        future = self._client.submit(run_task, task, key=key, pure=False)
        self._futures[future] = number

    def wait(self) -> list[tuple[int, Outcome]]:
        """Numbers and outcomes of tasks that are done, at least one.

        Raises
        ------
        TwinbeamError
            If a task failed, or the workers that tried it died.
        """
        with self._client.as_current():
            waited = self._distributed.wait(list(self._futures), return_when="FIRST_COMPLETED")
        done = []
        for future in waited.done:
            number = self._futures.pop(future)
            try:
                done.append((number, future.result()))
            except self._distributed.KilledWorker as error:
                raise StorageError(
                    f"the workers that tried a task died: {error}",
                    hint="is there enough memory on them?",
                ) from error
            except CancelledError as error:
                raise StorageError(f"the Dask scheduler was lost: {error}") from error
        return done

    def close(self) -> None:
        """Give up what is not done, and end a local cluster."""
        if self._client is not None:
            with suppress(Exception):  # the scheduler may be gone
                self._client.cancel(list(self._futures))
            self._futures.clear()
            self._client.close()
        if self._cluster is not None:
            self._cluster.close()
        self._client = self._cluster = None


def _require_answer(address: str) -> None:
    """Raise OSError or ValueError if nobody listens.

    A client that fails to connect would leave a thread behind.
    """
    place = urlparse(address)
    if place.hostname is None or place.port is None:
        raise ValueError("it is no address")
    socket.create_connection((place.hostname, place.port), _CONNECT_S).close()

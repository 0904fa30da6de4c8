"""The first subscriber of the RunEngine: every document to disk at once, to tiled in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from twinbeam.errors import StorageError
from twinbeam.store._lines import OpenLines
from twinbeam.store._outage import Outage
from twinbeam.store._routing import RunRouting
from twinbeam.store._tiled_thread import TiledThread
from twinbeam.store.documents import encode_line

if TYPE_CHECKING:
    from twinbeam.store.catalog import Catalog

__all__ = ["RunWriter"]


class RunWriter:
    """Stores runs: `RE.subscribe(RunWriter(catalog))`, before any other subscription.

    Each document is appended to `documents/<run uid>.jsonl` before the call returns, and handed
    to a thread that writes it to tiled; nothing is dropped (policy `wait`: `join` waits, the plan
    never does). What the thread gets is the line that was written, so the two agree. A line
    survives the death of the process as soon as the call returns. That of the machine it survives
    once it is forced to the disk, which another thread does at once for the first and last line of
    a run, and at most a second later for the others.

    A run that tiled refuses is stored anew from its JSON lines, at once and if need be when it
    stops. If that fails too, `join` and `close` raise; the RunEngine is never disturbed by tiled.
    Somebody is told once when tiled does not take what it is given, or has not answered for half a
    minute, and once when it does again.

    The one error raised into the RunEngine is a line that cannot be written, as when the disk is
    full or metadata are no JSON: it is raised once a run, which ends the run with the reason in
    its stop document. Data that are on no disk are not worth beam time.

    Parameters
    ----------
    catalog
        An open catalogue; closing it closes the writer first.
    container
        `raw` for measured runs, `processed` for derived ones.
    tell
        Called with a sentence when tiled fails and when it is back, from any thread; logs a
        warning by default.

    Raises
    ------
    StorageError
        If the catalogue is on a server that does not allow writing.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        container: str = "raw",
        tell: Callable[[str], object] | None = None,
    ) -> None:
        catalog.require_writable()
        self._directory = catalog.documents_directory
        self._lines = OpenLines(self._directory, self._not_forced)
        self._routing = RunRouting()
        self._unwritable: set[str] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = TiledThread(
            catalog.client[container],
            self.path,
            Outage(tell, catalog.where, self._directory),
            counts=not catalog.embedded,
        )
        catalog.on_close(self.close)

    @property
    def pending(self) -> int:
        """Documents that are on disk but not yet in tiled."""
        return self._thread.pending

    def path(self, run_uid: str) -> Path:
        """JSON-lines file of a run."""
        return self._lines.path(run_uid)

    def __call__(self, name: str, document: Mapping[str, Any]) -> None:
        """Keep one document.

        Raises
        ------
        StorageError
            If the document cannot be written to its JSON-lines file, once a run; or if the writer
            is closed.
        """
        with self._lock:
            if self._closed:
                raise StorageError("the run writer is closed", hint="subscribe a new one")
            try:
                run = self._routing.run_of(name, document)
            except (KeyError, IndexError):
                self._thread.remember(
                    StorageError(
                        f"a {name} document of a run whose start was not seen is not stored",
                        where=str(self._directory),
                        hint="subscribe the writer before the run starts",
                    )
                )
                return
            self._keep(run, name, document)

    def join(self, timeout_s: float = 60.0) -> None:
        """Wait until every document so far is on the disk and in tiled.

        Raises
        ------
        StorageError
            If something could not be stored, said once and with what to do; or if the time is up.
        """
        self._lines.flush(timeout_s)
        self._thread.join(timeout_s)

    def close(self, timeout_s: float = 60.0) -> None:
        """Store what is waiting and end the thread; may be called again.

        Raises
        ------
        StorageError
            As `join`.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        try:
            self._lines.flush(timeout_s)
            self._thread.join(timeout_s)
        finally:
            self._thread.stop(timeout_s)
            self._lines.stop(timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _not_forced(self, path: Path, error: OSError) -> None:
        """A file could not be forced to the disk; called by the thread that does it."""
        failure = StorageError(
            f"lines of the run may be lost if the machine fails: {error.strerror}",
            where=str(path),
            hint="check the disk",
        )
        failure.__cause__ = error
        self._thread.remember(failure)

    def _keep(self, run: str, name: str, document: Mapping[str, Any]) -> None:
        """Append the line of a document and queue it; raise the run's first failure to do so."""
        failure = None
        try:
            line = encode_line(name, document)
            if run not in self._unwritable:
                self._lines.append(run, line)
        except OSError as error:
            failure = StorageError(
                f"the run cannot be kept: {error.strerror}",
                where=str(self.path(run)),
                hint="make room or mend the folder, then measure again",
            )
            failure.__cause__ = error
        except StorageError as error:
            failure, line = error, b""
        if name == "stop":
            self._lines.close(run)
        told = run in self._unwritable
        if failure is not None:
            self._unwritable.add(run)
            self._thread.remember(failure, incomplete=run)
        if line:  # what the disk refuses, tiled may still take
            self._thread.put(run, line)
        if failure is not None and not told:
            raise failure

"""The thread that puts documents into tiled, in the order they came, and never drops one."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from twinbeam.errors import StorageError
from twinbeam.store._feed import TiledFeed, feed_anew
from twinbeam.store._outage import Outage
from twinbeam.store._whole import EventCount, is_whole
from twinbeam.store.documents import Document, decode_line, read_documents

__all__ = ["TiledThread"]

BATCH_DOCUMENTS = 1000  # taken from the queue at once; bounds how long one batch takes

_log = logging.getLogger(__name__)


class TiledThread:
    """A queue of lines and the thread that empties it into a container of runs.

    Parameters
    ----------
    container
        Tiled client of a container of runs.
    path_of
        The JSON-lines file of a run.
    outage
        Told whether tiled takes what it is given.
    counts
        Whether to count what is stored of a run at its stop. To a server that did not answer,
        tiled's writer sends events again, and then they may be there twice.
    """

    def __init__(
        self,
        container: Any,
        path_of: Callable[[str], Path],
        outage: Outage,
        *,
        counts: bool = False,
    ) -> None:
        self._container = container
        self._path_of = path_of
        self._outage = outage
        self._counts = counts
        self._queue: deque[tuple[str, bytes]] = deque()
        self._errors: list[StorageError] = []
        self._incomplete: set[str] = set()  # runs whose JSON lines are not whole
        self._open: dict[str, _OpenRun] = {}  # changed by the thread while lines are pending
        self._pending = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="run-writer", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> int:
        """Lines not yet in tiled."""
        return self._pending

    def put(self, run: str, line: bytes) -> None:
        """Queue a line that is on disk; returns at once."""
        with self._changed:
            self._queue.append((run, line))
            self._pending += 1
            self._changed.notify_all()
        self._outage.waits(self._pending)

    def remember(self, error: StorageError, *, incomplete: str | None = None) -> None:
        """Have `join` raise an error; `incomplete` names a run whose JSON lines lack a line."""
        with self._changed:
            if incomplete is not None:
                self._incomplete.add(incomplete)
            if str(error) not in map(str, self._errors):
                self._errors.append(error)

    def join(self, timeout_s: float) -> None:
        """Wait until the queue is in tiled; raise what was remembered, or that the time is up."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._pending == 0, timeout_s):
                raise StorageError(
                    f"{self._pending} documents are not yet in tiled after {timeout_s:g} s",
                    where=str(self._path_of("")).removesuffix(".jsonl"),
                    hint="they are kept as JSON lines; wait longer",
                )
            errors, self._errors = self._errors, []
            errors += [
                self._not_stored(uid, run.refusal)
                for uid, run in self._open.items()
                if run.refusal is not None
            ]
        if errors:
            raise _first_of(errors)

    def stop(self, timeout_s: float) -> None:
        """End the thread after the batch it is at; what is still queued is left to the lines."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._changed.notify_all()
        self._thread.join(timeout_s)

    def _work(self) -> None:
        while (batch := self._take()) is not None:
            by_run: dict[str, list[Document]] = {}
            for run, line in batch:
                by_run.setdefault(run, []).append(decode_line(line))
            for run, documents in by_run.items():
                self._outage.begin()
                self._store(run, documents)
                self._outage.end()
            with self._changed:
                self._pending -= len(batch)
                self._changed.notify_all()

    def _take(self) -> list[tuple[str, bytes]] | None:
        """The next lines in the queue; None when the thread is to end."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._queue) or self._closed)
            if self._closed:
                return None
            count = min(len(self._queue), BATCH_DOCUMENTS)
            return [self._queue.popleft() for _ in range(count)]

    def _store(self, uid: str, documents: list[Document]) -> None:
        """Write documents of one run to tiled; what fails is tried anew, at the latest at stop."""
        if documents[0][0] == "start":
            self._open[uid] = _OpenRun()
        run = self._open.get(uid)
        if run is None:  # its start could not be written
            return
        run.documents += len(documents)
        stopped = documents[-1][0] == "stop"
        if run.refusal is None:
            try:
                run.feed = run.feed or TiledFeed(self._container)
                run.feed.write(documents)
                if self._counts:
                    self._check_count(uid, run, documents)
            except Exception as error:
                self._store_anew(uid, run, error)
        elif stopped:
            self._store_anew(uid, run, run.refusal)
        if run.refusal is None:
            self._outage.taken()
        else:
            self._outage.refused(uid, run.refusal)
        if stopped:
            del self._open[uid]
            if run.refusal is not None:
                self._outage.given_up(uid)
                self.remember(self._not_stored(uid, run.refusal))

    def _check_count(self, uid: str, run: _OpenRun, documents: list[Document]) -> None:
        for name, document in documents:
            run.count.add(name, document)
        if run.count.stopped and not is_whole(self._container, uid, run.count):
            raise RuntimeError("what is stored are not the events of the run")

    def _store_anew(self, uid: str, run: _OpenRun, error: Exception) -> None:
        """Store a run from its JSON lines so far; sets its refusal, or clears it."""
        run.refusal = error
        _log.info("tiled refuses run %s: %s: %s", uid, type(error).__name__, error)
        if uid in self._incomplete:
            return
        try:
            # The file may be ahead of the queue: no further than the documents counted.
            documents = list(islice(read_documents(self._path_of(uid)), run.documents))
            run.feed = feed_anew(self._container, uid, documents)
            run.count = EventCount()
            for name, document in documents:
                run.count.add(name, document)
        except Exception as again:
            run.refusal = again
        else:
            run.refusal = None
            _log.info("run %s is stored anew from its JSON lines", uid)

    def _not_stored(self, uid: str, refusal: Exception) -> StorageError:
        if uid in self._incomplete:
            hint = "its JSON lines are incomplete too"
        elif uid in self._open:
            hint = "it has not stopped; it is stored anew from its JSON lines when it does"
        else:
            hint = (
                "its JSON lines are complete: when the cause is mended, give them to "
                "'twinbeam ingest --replace', or to twinbeam.store.ingest"
            )
        failure = StorageError(
            f"run {uid} is not in tiled: {type(refusal).__name__}: {refusal}",
            where=str(self._path_of(uid)),
            hint=hint,
        )
        failure.__cause__ = refusal
        return failure


@dataclass
class _OpenRun:
    """What the thread knows of a run that has not stopped."""

    feed: TiledFeed | None = None
    count: EventCount = field(default_factory=EventCount)
    documents: int = 0
    refusal: Exception | None = None


def _first_of(errors: list[StorageError]) -> StorageError:
    """The first error, saying how many follow it."""
    first = errors[0]
    if len(errors) == 1:
        return first
    what = f"{first.what}; and {len(errors) - 1} more failures"
    more = StorageError(what, where=first.where, hint=first.hint)
    more.__cause__ = first
    return more

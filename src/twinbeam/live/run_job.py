"""The live analysis of one run with one recipe."""

from __future__ import annotations

import contextlib
import itertools
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from twinbeam.live.done import checkpoints_of
from twinbeam.live.raw_stream import RawStream
from twinbeam.live.reduction import Reduction
from twinbeam.live.stream_reduction import StreamReduction
from twinbeam.live.update import Update
from twinbeam.pipeline import Recipe, summary

__all__ = ["RunJob"]

_log = logging.getLogger(__name__)
_AT_ONCE = 32  # events whose files are read together, when so many wait
_WORKERS = 2  # threads that read them
_BETWEEN_BYTES = 1 << 19  # of files, while the stream has nothing new


class RunJob:
    """A reduction with its checkpoints.

    There are two checkpoints, written in turn: should the newer one hold bytes that turn out not
    to belong to the run, the older one may do. They stay until `mark_done`.

    Parameters
    ----------
    start
        The run's start document.
    recipe
        Recipe to use instead of the one in it.
    state
        Folder of the checkpoints.
    checkpoint_s
        Time between two of them, in seconds.
    stream
        The detector's raw stream, if it is listened to: its result is published as long as it
        holds no less than that of the files, and is the last one if there are no files.
    """

    def __init__(
        self,
        start: Mapping[str, Any],
        recipe: Recipe | None,
        state: Path,
        *,
        checkpoint_s: float = 30.0,
        stream: RawStream | None = None,
    ) -> None:
        self.start = dict(start)
        self.run = str(start["uid"])
        self.reduction = Reduction(start, recipe, workers=_WORKERS)
        self.recipe = self.reduction.recipe
        self.over = False
        self._state = state
        self._checkpoint_s = checkpoint_s
        self._fed = False
        self._saved_s = time.monotonic()
        self._turn = 0
        self._read_s = 0.0
        self.restored = any(self.reduction.restore(path) for path in self._newest_first())
        self.stream = None if stream is None else StreamReduction(stream, start, self.recipe)

    def _paths(self) -> list[Path]:
        return checkpoints_of(self._state, self.run, self.recipe.hash)

    def _newest_first(self) -> Iterator[Path]:
        there = [path for path in self._paths() if path.exists()]
        yield from sorted(there, key=lambda path: path.stat().st_mtime_ns, reverse=True)

    # --- work -------------------------------------------------------------------------------

    @property
    def has_data(self) -> bool:
        """Whether there is something to make a result of."""
        return self.reduction.has_raw_data or bool(self.stream and self.stream.n_bytes)

    @property
    def streams(self) -> bool:
        """Whether the stream holds no less of the run than what was read of its files."""
        stream = self.stream
        return bool(stream and stream.n_bytes and stream.n_bytes >= self.reduction.n_bytes)

    def take_some(self, documents: Sequence[tuple[str, Mapping[str, Any]]]) -> int:
        """Take the first of some documents of the run, or the first few; return how many.

        What fails is logged and noted: one run that cannot be analysed must not stop those that
        follow.
        """
        events = list(
            itertools.takewhile(
                lambda item: item[0] in ("event", "event_page"), documents[:_AT_ONCE]
            )
        )
        name = documents[0][0]
        try:
            if not events:
                self._take(*documents[0])
                return 1
            rows: list[tuple[str, Mapping[str, Any]]] = []
            for name, doc in events:
                rows += _rows(name, doc)
            self.reduction.events(rows)
            self._note_read()
        except Exception as error:
            _log.exception("run %s: a %s document failed", self.run, name)
            self.reduction.note(f"{type(error).__name__}: {error}")
            if name == "stop":
                self.over = True  # whatever comes of it: the next run must have its turn
        return max(1, len(events))

    def _take(self, name: str, doc: Mapping[str, Any]) -> None:
        if name == "descriptor":
            self.reduction.descriptor(doc)
        elif name == "stop":
            self._end(doc.get("time"))

    def interrupt(self) -> None:
        """Close the run: its stop document does not come."""
        try:
            self._end(None, interrupted=True)
        except Exception as error:
            _log.exception("run %s could not be closed", self.run)
            self.reduction.note(f"{type(error).__name__}: {error}")

    def _end(self, stop_s: float | None, *, interrupted: bool = False) -> None:
        self.over = True
        stream = self.stream
        if stream is not None and not self.reduction.files_named:
            stream.settle(stop_s)
            if stream.n_bytes:
                self._end_with_stream(stream, interrupted=interrupted)
                return
        if self.reduction.has_raw_data:
            self.reduction.stop(interrupted=interrupted)

    def _end_with_stream(self, stream: StreamReduction, *, interrupted: bool) -> None:
        """There are no files: what the stream brought is all there is."""
        reduction = self.reduction
        result = stream.finish()
        for problem in stream.problems():
            reduction.note(problem)
        damage = result.census.describe_damage()
        if damage:
            reduction.note(f"the raw data are damaged: {damage}")
        reduction.end(result, interrupted=interrupted, **stream.about())

    def grow(self, most_bytes: int, until_s: float) -> int:
        """Process what is new in the stream and on disk; return how many bytes.

        Parameters
        ----------
        most_bytes
            About so many at most.
        until_s
            Nothing from the stream that arrived later, in seconds since the epoch.
        """
        stream, n = self.stream, 0
        if stream is not None:
            n = stream.grow(most_bytes, until_s)
            if stream.n_bytes and stream.whole:
                # the files, which count in the end, are read in between and a little at a time
                most_bytes = 0 if n else min(most_bytes, _BETWEEN_BYTES)
        from_files = self.reduction.grow(most_bytes) if most_bytes else 0
        if from_files:
            self._note_read()
        return n + from_files

    def _note_read(self) -> None:
        self._fed = True
        path = self.reduction.newest_path
        if path is not None:
            with contextlib.suppress(OSError):
                self._read_s = path.stat().st_mtime

    # --- results ----------------------------------------------------------------------------

    def refresh(self) -> Update:
        """Make a new result, unless the run is over, and say what it is."""
        stream, reduction = self.stream, self.reduction
        if not self.over:
            if stream is not None and self.streams:
                reduction.publish(stream.snapshot(), **stream.about())
            else:
                reduction.refresh()
        now_s = time.time()
        if stream is not None and reduction.health.source == "stream":
            lag_s, behind_bytes = stream.lag_s, stream.behind_bytes
        else:
            lag_s = max(0.0, now_s - self._read_s) if self._read_s else 0.0
            behind_bytes = reduction.behind_bytes
        return Update(
            run=self.run,
            recipe_hash=self.recipe.hash,
            version=reduction.health.version,
            time_s=now_s,
            lag_s=lag_s,
            behind_bytes=behind_bytes,
            summary=summary(reduction.result),
            health=reduction.health,
        )

    # --- checkpoints ------------------------------------------------------------------------

    def checkpoint(self, *, now: bool = False) -> None:
        """Write a checkpoint if it is time; a disk that refuses costs time after a restart only."""
        due = now or time.monotonic() - self._saved_s >= self._checkpoint_s
        if self.over or not self._fed or not due:
            return
        try:
            self.reduction.save(self._paths()[self._turn])
            self._turn = 1 - self._turn
            self._fed = False
        except OSError as error:
            _log.warning("no checkpoint of run %s: %s", self.run, error.strerror)
        self._saved_s = time.monotonic()


def _rows(name: str, doc: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Uid of the descriptor and data of every event in a document."""
    descriptor = str(doc["descriptor"])
    if name == "event":
        return [(descriptor, doc["data"])]
    return [
        (descriptor, {key: column[row] for key, column in doc["data"].items()})
        for row in range(len(doc["seq_num"]))
    ]

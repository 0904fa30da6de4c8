"""The live analysis of one run with one recipe."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from twinbeam.live.reduction import Reduction
from twinbeam.live.update import Update
from twinbeam.pipeline import Recipe, summary

__all__ = ["RunJob", "is_done", "mark_done"]

_log = logging.getLogger(__name__)


def is_done(state: Path, run: str, recipe_hash: str | None = None) -> bool:
    """Whether a run was worked off before, with a recipe or with any."""
    if recipe_hash is not None:
        return (state / f"{run}.{recipe_hash}.done").exists()
    return any(state.glob(f"{run}.*.done"))


def mark_done(state: Path, run: str, recipe_hash: str, digest: str) -> None:
    """Remember that a run is worked off; its checkpoints are of no use any more."""
    path = state / f"{run}.{recipe_hash}.done"
    try:
        with path.open("w") as file:
            json.dump({"run": run, "digest": digest}, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        _log.warning("run %s will be worked off again: %s", run, error.strerror)
        return
    for checkpoint in _checkpoints(state, run, recipe_hash):
        checkpoint.unlink(missing_ok=True)


def _checkpoints(state: Path, run: str, recipe_hash: str) -> list[Path]:
    return [state / f"{run}.{recipe_hash}.{turn}.checkpoint" for turn in (0, 1)]


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
    """

    def __init__(
        self,
        start: Mapping[str, Any],
        recipe: Recipe | None,
        state: Path,
        *,
        checkpoint_s: float = 30.0,
    ) -> None:
        self.start = dict(start)
        self.run = str(start["uid"])
        self.reduction = Reduction(start, recipe)
        self.recipe = self.reduction.recipe
        self.over = False
        self._state = state
        self._checkpoint_s = checkpoint_s
        self._fed = False
        self._saved_s = time.monotonic()
        self._turn = 0
        self._read_s = 0.0
        self.restored = any(self.reduction.restore(path) for path in self._newest_first())

    def _paths(self) -> list[Path]:
        return _checkpoints(self._state, self.run, self.recipe.hash)

    def _newest_first(self) -> Iterator[Path]:
        there = [path for path in self._paths() if path.exists()]
        yield from sorted(there, key=lambda path: path.stat().st_mtime_ns, reverse=True)

    # --- work -------------------------------------------------------------------------------

    def take(self, name: str, doc: Mapping[str, Any]) -> None:
        """Take one document of the run."""
        if name == "descriptor":
            self.reduction.descriptor(doc)
        elif name == "event":
            self.reduction.event(str(doc["descriptor"]), doc["data"])
            self._note_read()
        elif name == "event_page":
            for row in range(len(doc["seq_num"])):
                data = {key: column[row] for key, column in doc["data"].items()}
                self.reduction.event(str(doc["descriptor"]), data)
            self._note_read()
        elif name == "stop":
            self.over = True  # whatever comes of it: the next run must have its turn
            if self.reduction.has_raw_data:
                self.reduction.stop()

    def grow(self, most_bytes: int) -> int:
        """Read what is new on disk; return how many bytes."""
        n = self.reduction.grow(most_bytes)
        if n:
            self._note_read()
        return n

    def _note_read(self) -> None:
        self._fed = True
        path = self.reduction.newest_path
        if path is not None:
            with contextlib.suppress(OSError):
                self._read_s = path.stat().st_mtime

    # --- results ----------------------------------------------------------------------------

    def refresh(self) -> Update:
        """Make a new result, unless the run is over, and say what it is."""
        if not self.over:
            self.reduction.refresh()
        now_s = time.time()
        return Update(
            run=self.run,
            recipe_hash=self.recipe.hash,
            version=self.reduction.health.version,
            time_s=now_s,
            lag_s=max(0.0, now_s - self._read_s) if self._read_s else 0.0,
            behind_bytes=self.reduction.behind_bytes,
            summary=summary(self.reduction.result),
            health=self.reduction.health,
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

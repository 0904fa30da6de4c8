"""What the live service remembers of runs it has worked off."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

__all__ = ["checkpoints_of", "is_done", "mark_done"]

_log = logging.getLogger(__name__)


def is_done(state: Path, run: str, documents: Path | None = None) -> bool:
    """Whether a run was worked off before, with any recipe.

    Parameters
    ----------
    state
        Folder of the checkpoints.
    run
        Uid of the run.
    documents
        Its JSON lines: a run that was closed as interrupted and went on after that is not done.
    """
    for path in state.glob(f"{run}.*.done"):
        try:
            if documents is None or not _interrupted(path):
                return True
            if documents.stat().st_mtime_ns <= path.stat().st_mtime_ns:
                return True
        except OSError:
            continue
    return False


def _interrupted(path: Path) -> bool:
    try:
        return bool(json.loads(path.read_text()).get("interrupted"))
    except (ValueError, AttributeError):
        return False


def mark_done(
    state: Path, run: str, recipe_hash: str, digest: str, *, interrupted: bool = False
) -> None:
    """Remember that a run is worked off; its checkpoints are of no use any more."""
    path = state / f"{run}.{recipe_hash}.done"
    said = {"run": run, "digest": digest} | ({"interrupted": True} if interrupted else {})
    try:
        with path.open("w") as file:
            json.dump(said, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        _log.warning("run %s will be worked off again: %s", run, error.strerror)
        return
    for checkpoint in checkpoints_of(state, run, recipe_hash):
        checkpoint.unlink(missing_ok=True)


def checkpoints_of(state: Path, run: str, recipe_hash: str) -> list[Path]:
    """The two files of which the checkpoints of a run are written in turn."""
    return [state / f"{run}.{recipe_hash}.{turn}.checkpoint" for turn in (0, 1)]

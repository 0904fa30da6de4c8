"""Raw files → result, offline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from twinbeam.errors import RawDataError
from twinbeam.pipeline.pipeline import Pipeline
from twinbeam.pipeline.recipe import Recipe
from twinbeam.pipeline.result import Result
from twinbeam.tpx3 import WordKind, check_raw_file, iterate_file

__all__ = ["process"]


def process(
    paths: Sequence[str | Path],
    recipe: Recipe | None = None,
    *,
    keep_photons: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> Result:
    """Process raw files.

    Files whose names differ only in the six digits before `.tpx3` are consecutive pieces of one
    acquisition and share its clock; any other file starts another acquisition.

    Parameters
    ----------
    paths
        Raw `.tpx3` files in their order.
    on_progress
        Called with the number of bytes of every block that was processed.

    Raises
    ------
    RawDataError
        If a file is missing, unreadable, foreign or given twice; all are checked before work
        starts.
    """
    if not paths:
        raise RawDataError("no raw files given", hint="name at least one .tpx3 file")
    seen: set[Path] = set()
    for path in paths:
        file = check_raw_file(path).resolve()
        if file in seen:
            raise RawDataError("given twice", where=str(path), hint="name each file once")
        seen.add(file)
    pipeline = Pipeline(recipe, keep_photons=keep_photons)
    present: tuple[Path, str] | None = None
    for path in paths:
        acquisition = _acquisition(Path(path))
        if acquisition != present:
            pipeline.next_acquisition()
            present = acquisition
        for block in iterate_file(path):
            pipeline.feed(block)
            if on_progress is not None:
                on_progress(len(block))
    result = pipeline.finish()
    if result.census.n_bytes and not result.census.count(WordKind.HEADER):
        raise RawDataError(
            "not a Timepix3 raw file: no whole chunk header in it", where=str(paths[0])
        )
    return result


def _acquisition(path: Path) -> tuple[Path, str]:
    """Folder and name without the running number Serval appends; the whole name without one."""
    stem = path.stem
    numbered = len(stem) >= 6 and stem[-6:].isdigit()
    return path.parent, stem[:-6] if numbered else path.name

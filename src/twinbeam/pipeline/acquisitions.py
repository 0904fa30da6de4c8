"""Which raw files are pieces of one acquisition."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from twinbeam.errors import RawDataError
from twinbeam.tpx3 import check_raw_file

__all__ = ["acquisitions_of", "check_pieces"]


def acquisitions_of(paths: Sequence[str | Path]) -> list[list[Path]]:
    """Raw files, each acquisition a list of its pieces; all of them are checked.

    Consecutive files whose names differ only in the six digits before `.tpx3` are pieces of one
    acquisition and share its clock; any other file starts another acquisition.

    Raises
    ------
    RawDataError
        If a file is missing, unreadable or given twice, or an acquisition does not begin as one.
    """
    found = [list(files) for _, files in groupby((Path(path) for path in paths), key=_stream)]
    seen: set[Path] = set()
    for files in found:
        check_pieces(files)
        for path in files:
            file = path.resolve()
            if file in seen:
                raise RawDataError("given twice", where=str(path), hint="name each file once")
            seen.add(file)
    return found


def check_pieces(paths: Sequence[Path]) -> None:
    """Make sure consecutive files can be read as one acquisition.

    A chunk header must be in the first file that is not empty. In the others the stream goes on,
    and a short one may lie within a chunk.

    Raises
    ------
    RawDataError
        If a file is missing or unreadable, or the first one that is not empty is foreign.
    """
    begun = False
    for path in paths:
        if begun:
            _check_readable(path)
        else:
            begun = check_raw_file(path).stat().st_size > 0


def _check_readable(path: Path) -> None:
    try:
        if not path.is_file():
            raise RawDataError("no such file", where=str(path), hint="check the path")
        with path.open("rb") as stream:
            stream.read(1)
    except OSError as error:
        raise RawDataError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _stream(path: Path) -> tuple[Path, str]:
    """Folder and name without the running number Serval appends; the whole name without one."""
    stem = path.stem
    numbered = len(stem) >= 6 and stem[-6:].isdigit()
    return path.parent, stem[:-6] if numbered else path.name

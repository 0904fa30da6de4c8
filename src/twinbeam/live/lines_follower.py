"""Documents of runs from their JSON lines, as these grow."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from twinbeam.store.documents import decode_line

__all__ = ["LinesFollower"]

_log = logging.getLogger(__name__)
_MOST_BYTES = 1 << 24  # read of one file at a look


class LinesFollower:
    """Follows the folder `documents` of a catalogue.

    Every document the RunEngine's process has kept is there, in order, whatever happened to this
    process or to messages: so nothing that reached the disk is missed.

    Parameters
    ----------
    folder
        With a file `<run uid>.jsonl` for each run.
    wanted
        Says of a file that is seen for the first time, and its start document, whether the run is
        of interest.
    """

    def __init__(self, folder: Path, wanted: Callable[[Path, Mapping[str, Any]], bool]) -> None:
        self._folder = folder
        self._wanted = wanted
        self._seen: set[str] = set()
        self._open: dict[Path, int] = {}
        self._changed_ns = -1

    def has(self, run: str) -> bool:
        """Whether a run is followed here."""
        return f"{run}.jsonl" in self._seen or (self._folder / f"{run}.jsonl").exists()

    def new_documents(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Run, name and document of all that was written since the last look, run by run."""
        self._look()
        for path in list(self._open):
            run = path.stem
            for name, doc in self._read(path):
                yield run, name, doc
                if name == "stop":
                    self._open.pop(path, None)

    def _look(self) -> None:
        """Find new files, the run that began first in front."""
        try:
            changed_ns = self._folder.stat().st_mtime_ns
            if changed_ns == self._changed_ns:
                return
            with os.scandir(self._folder) as entries:
                new = [
                    Path(entry.path)
                    for entry in entries
                    if entry.name.endswith(".jsonl") and entry.name not in self._seen
                ]
            starts = {path: _start_of(path) for path in new}
            # a file whose first line is not there yet is looked at again
            self._changed_ns = -1 if None in starts.values() else changed_ns
            begun = [(start, path) for path, start in starts.items() if start is not None]
            for start, path in sorted(begun, key=lambda b: (_time_of(b[0]), b[1].name)):
                self._seen.add(path.name)
                if self._wanted(path, start):
                    self._open[path] = 0
        except FileNotFoundError:
            return  # it is made with the first run
        except OSError as error:
            if self._changed_ns != -2:
                _log.warning("%s cannot be read: %s", self._folder, error.strerror)
            self._changed_ns = -2

    def _read(self, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        try:
            with path.open("rb") as file:
                file.seek(self._open[path])
                block = file.read(_MOST_BYTES)
                if b"\n" not in block:  # a line longer than a look
                    block += file.readline()
        except OSError:
            return
        whole = block.rfind(b"\n") + 1  # a line that is still being written stays for later
        self._open[path] += whole
        for line in block[:whole].splitlines():
            try:
                yield decode_line(line)
            except ValueError:
                _log.warning("%s: a line that is no document is left out", path)


def _start_of(path: Path) -> dict[str, Any] | None:
    """The start document of a run, empty if the file has none; None when it is not there yet."""
    try:
        with path.open("rb") as file:
            line = file.readline()
    except OSError:
        return None
    if not line.endswith(b"\n"):
        return None
    try:
        name, doc = decode_line(line)
    except ValueError:
        return {}
    return doc if name == "start" else {}


def _time_of(start: Mapping[str, Any]) -> float:
    """When a run started; the end of time when that is not said."""
    try:
        return float(start["time"])
    except (LookupError, TypeError, ValueError):
        return float("inf")

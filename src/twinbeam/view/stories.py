"""The stories of the runs in a folder of JSON lines, as they grow."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from twinbeam.store.documents import decode_line
from twinbeam.view.story import Story, StoryTeller

__all__ = ["Disk", "Stories", "disk_of"]

_log = logging.getLogger(__name__)
_MOST_KEPT = 8  # runs whose stories are kept
_MOST_BYTES = 1 << 22  # read of one file at a look
_DISK_S = 5.0


@dataclass(frozen=True)
class Disk:
    """Room on the disk of a folder.

    Attributes
    ----------
    what
        What the folder holds.
    free_bytes, total_bytes
        Room that is left, and all of it.
    """

    what: str
    free_bytes: int
    total_bytes: int


def disk_of(what: str, folder: str | Path) -> Disk | None:
    """Room on the disk of a folder, given as a path or a file URI; None when it is not here."""
    if isinstance(folder, str) and folder.startswith("file://"):
        folder = unquote(urlsplit(folder).path)
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return Disk(what, usage.free, usage.total)


@dataclass
class _Followed:
    """A file of JSON lines and how far it was read."""

    path: Path
    teller: StoryTeller
    read: int = 0
    over: bool = False


class Stories:
    """Follows the newest runs of a catalogue by the documents on disk; asks nobody else.

    `look` reads what is new; the rest may be used from any thread.

    Parameters
    ----------
    lines
        Folder of the JSON lines of runs.
    """

    def __init__(self, lines: Path) -> None:
        self._lines = lines
        self._looking = threading.Lock()
        self._seen: set[str] | None = None
        self._changed_ns = -1
        self._followed: dict[str, _Followed] = {}
        self._newest = ""
        self._looked_s = -_DISK_S
        self._number = 0
        self._disks: tuple[Disk, ...] = ()

    @property
    def number(self) -> int:
        """Grows when there is something new to tell."""
        return self._number

    @property
    def disks(self) -> tuple[Disk, ...]:
        """Room on the disks of the raw data and of the catalogue."""
        return self._disks

    @property
    def newest(self) -> Story | None:
        """The run that began last."""
        return self.of(self._newest)

    def of(self, run: str) -> Story | None:
        """A run; None when it is not among the newest."""
        followed = self._followed.get(run)
        return followed.teller.story if followed is not None else None

    def look(self) -> None:
        """Read what is new; returns at once when another thread is at it."""
        if not self._looking.acquire(blocking=False):
            return
        try:
            self._find()
            for followed in list(self._followed.values()):
                self._read(followed)
            if time.monotonic() - self._looked_s >= _DISK_S:
                self._looked_s = time.monotonic()
                self._look_at_disks()
        except OSError as error:
            _log.debug("%s: %s", self._lines, error)
        finally:
            self._looking.release()

    def _find(self) -> None:
        """Take up runs that are new; at the first look only the newest of those that are there."""
        changed_ns = self._lines.stat().st_mtime_ns
        if changed_ns == self._changed_ns:
            return
        with os.scandir(self._lines) as entries:
            new = [
                (entry.stat().st_mtime_ns, Path(entry.path))
                for entry in entries
                if entry.name.endswith(".jsonl") and entry.name not in (self._seen or ())
            ]
        first, unread = self._seen is None, False
        seen = set() if self._seen is None else self._seen
        for _, path in sorted(new, reverse=first):
            if first and self._followed:
                seen.add(path.name)
                continue
            start = _start_of(path)
            if start is None:
                unread = True  # its first line is not there yet
                continue
            seen.add(path.name)
            if "uid" in start and "raw_run" not in start:  # runs of results are no measurements
                self._follow(path, start)
        self._seen = seen
        self._changed_ns = -1 if unread else changed_ns

    def _follow(self, path: Path, start: Mapping[str, Any]) -> None:
        run, newest = str(start["uid"]), self.newest
        self._followed[run] = _Followed(path, StoryTeller(start))
        if newest is None or not self._followed[run].teller.story.began_s < newest.began_s:
            self._newest = run
        self._number += 1
        for old in list(self._followed):
            if len(self._followed) > _MOST_KEPT and old not in (run, self._newest):
                self._followed.pop(old)

    def _read(self, followed: _Followed) -> None:
        if followed.over:
            return
        try:
            with followed.path.open("rb") as file:
                file.seek(followed.read)
                block = file.read(_MOST_BYTES)
                if b"\n" not in block:
                    block += file.readline()
        except OSError:
            return
        whole = block.rfind(b"\n") + 1  # a line that is still being written stays for later
        followed.read += whole
        told = False
        for line in block[:whole].splitlines():
            try:
                name, doc = decode_line(line)
                told |= followed.teller.take(name, doc)
                followed.over |= name == "stop"
            except (ValueError, TypeError, LookupError, AttributeError):
                _log.debug("%s: a line is left out", followed.path, exc_info=True)
        if told:
            self._number += 1

    def _look_at_disks(self) -> None:
        newest = [each.teller.story for each in reversed(self._followed.values())]
        raw = next((story.raw_folder for story in newest if story.raw_folder), "")
        found = [disk_of("raw data", raw) if raw else None, disk_of("catalogue", self._lines)]
        self._disks = tuple(disk for disk in found if disk is not None)


def _start_of(path: Path) -> Mapping[str, Any] | None:
    """The start document of a run, empty if the file begins otherwise; None when not there yet."""
    try:
        with path.open("rb") as file:
            line = file.readline()
        if not line.endswith(b"\n"):
            return None
        name, doc = decode_line(line)
    except OSError:
        return None
    except ValueError:
        return {}
    return doc if name == "start" else {}

"""What a raw file was when it was registered, and whether it still is."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from twinbeam.errors import RawDataError, StorageError
from twinbeam.tpx3 import check_raw_file

__all__ = ["FileMark", "Identity", "mark_of", "require_file"]

_END_BYTES = 1 << 16
_MOST_REMEMBERED = 20_000

Identity = tuple[str, int, int]  # path, size in bytes, time of the last change in ns

_RELOCATE = "when it was moved, run 'twinbeam relocate OLD NEW'; else bring it back from a copy"


@dataclass(frozen=True)
class FileMark:
    """What tells a file from another.

    Attributes
    ----------
    n_bytes
        Its size.
    ends_sha256
        SHA-256 of its first and last 64 kB; empty when unknown.
    """

    n_bytes: int
    ends_sha256: str = ""

    def difference(self, path: Path) -> str | None:
        """What is wrong with the file at a path in a few words; None when it is this one."""
        try:
            size = path.stat().st_size
        except OSError:
            return "is not there"
        if size < self.n_bytes:
            return f"is truncated: {size:,} of {self.n_bytes:,} bytes"
        if size > self.n_bytes:
            return f"has grown: {size:,} bytes, {self.n_bytes:,} when it was registered"
        if self.ends_sha256 and _ends_sha256(path, size) != self.ends_sha256:
            return "is another file than the one that was registered, of the same size"
        return None


def mark_of(path: Path) -> FileMark:
    """The mark of a file as it is now.

    Raises
    ------
    StorageError
        If it cannot be read.
    """
    try:
        size = path.stat().st_size
        return FileMark(size, _ends_sha256(path, size))
    except OSError as error:
        raise StorageError(
            f"the raw file cannot be read: {error.strerror}", where=str(path)
        ) from error


def require_file(path: Path, mark: FileMark | None) -> Identity:
    """Make sure that a raw file is there and is the one that was registered.

    The content is looked at once; after that, as long as size and time of change are the same, the
    file is taken to be the same.

    Raises
    ------
    StorageError
        If it is gone, truncated, another one, or no Timepix3 file.
    """
    try:
        status = os.stat(path)
    except OSError:
        raise StorageError(
            "the raw file is not there any more", where=str(path), hint=_RELOCATE
        ) from None
    identity = str(path), status.st_size, status.st_mtime_ns
    if _verified.holds((identity, mark)):
        return identity
    different = mark.difference(path) if mark is not None else None
    if different is not None:
        raise StorageError(f"the raw file {different}", where=str(path), hint=_RELOCATE)
    try:
        check_raw_file(path)
    except RawDataError as error:
        raise StorageError(
            f"the raw file cannot be read: {error.what}", where=error.where, hint=error.hint
        ) from error
    _verified.add((identity, mark))
    return identity


def _ends_sha256(path: Path, size: int) -> str:
    with path.open("rb") as stream:
        sha = hashlib.sha256(stream.read(_END_BYTES))
        stream.seek(max(size - _END_BYTES, 0))
        sha.update(stream.read(_END_BYTES))
    return sha.hexdigest()


class _Remembered:
    """The last things that were added, from any thread."""

    def __init__(self) -> None:
        self._things: OrderedDict[object, None] = OrderedDict()
        self._lock = threading.Lock()

    def holds(self, thing: object) -> bool:
        with self._lock:
            return thing in self._things

    def add(self, thing: object) -> None:
        with self._lock:
            self._things[thing] = None
            while len(self._things) > _MOST_REMEMBERED:
                self._things.popitem(last=False)


_verified = _Remembered()

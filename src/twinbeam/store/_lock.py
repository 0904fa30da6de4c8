"""One owner per catalogue folder: DuckDB lets a single process open its file."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import BinaryIO

from twinbeam.errors import StorageError

__all__ = ["lock_folder"]


def lock_folder(folder: Path) -> BinaryIO:
    """Lock a catalogue folder for this owner; closing the returned file, or dying, unlocks it.

    Raises
    ------
    StorageError
        If another owner, in this process or another, has the folder open.
    """
    path = folder / "lock"
    try:
        file = path.open("a+b")
    except OSError as error:
        raise StorageError(
            f"the catalogue folder cannot be written: {error.strerror}", where=str(folder)
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        owner = file.read().decode(errors="replace").strip() or "unknown"
        file.close()
        raise StorageError(
            f"the catalogue is open already, by process {owner}",
            where=str(folder),
            hint="close it there, or have it served with 'twinbeam serve' and open its address",
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()).encode())
    file.flush()
    return file

"""Checks of the file a result goes to, before the work begins."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from twinbeam.errors import StorageError

__all__ = ["check_out_file"]


def check_out_file(path: Path | None, *, inputs: Iterable[Path] = ()) -> None:
    """Make sure that a file can be written where it is wanted.

    Parameters
    ----------
    path
        The file; None when there is none to write.
    inputs
        Files that must not be replaced.

    Raises
    ------
    StorageError
        If it is a folder or one of the inputs, or its folder is missing or may not be written.
    """
    if path is None:
        return
    where, folder = str(path), path.absolute().parent
    if path.is_dir():
        raise StorageError(
            "is a folder", where=where, hint=f"name a file in it, as {path / 'result.h5'}"
        )
    if path.exists() and any(each.exists() and path.samefile(each) for each in inputs):
        raise StorageError("would replace a raw file", where=where, hint="choose another --out")
    if not folder.is_dir():
        raise StorageError(
            "the folder of this file does not exist", where=where, hint=f"mkdir -p {folder}"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StorageError(
            "you may not write into the folder of this file", where=where, hint=f"ls -ld {folder}"
        )

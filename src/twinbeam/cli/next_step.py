"""What to do about an error that does not say so itself."""

from __future__ import annotations

import errno
import re

from twinbeam.errors import BeamlineError, RecipeError, StorageError, TwinbeamError

__all__ = ["said"]

_STEPS: dict[type[TwinbeamError], str] = {
    RecipeError: "'twinbeam recipe show' prints one that is right",
    BeamlineError: "'twinbeam doctor' says what answers",
    StorageError: "'twinbeam doctor' looks at the catalogue and the disks",
}
_SYSTEM_STEPS = {
    errno.ENOSPC: "the disk is full: free space, or name another folder",
    errno.EDQUOT: "your quota is used up: free space, or name another folder",
    errno.EFBIG: "larger than the file system or 'ulimit -f' allows",
    errno.EACCES: "ask for the right, or name another file; 'ls -l' shows whose it is",
    errno.EPERM: "ask for the right, or name another file; 'ls -l' shows whose it is",
    errno.EROFS: "this file system cannot be written; name another folder",
    errno.ENOENT: "check the path",
    errno.EISDIR: "name a file, not a folder",
    errno.ENOTDIR: "part of the path is a file, not a folder",
    errno.EADDRINUSE: "another program listens there; choose another port",
    errno.EMFILE: "too many files are open; 'ulimit -n' sets how many may be",
}
_NUMBERED = re.compile(r"\[Errno \d+\] ([^:\n]+)(: '[^'\n]*'(?: -> '[^'\n]*')?)?")


def said(error: TwinbeamError | OSError) -> str:
    """One line: where, what, and what next."""
    if isinstance(error, TwinbeamError):
        hint = error.hint or next((s for kind, s in _STEPS.items() if isinstance(error, kind)), "")
        text = _NUMBERED.sub(r"\1", error.what)
        text = f"{error.where}: {text}" if error.where else text
    else:
        hint = _SYSTEM_STEPS.get(error.errno or 0, "")
        text = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return f"{text} ({hint})" if hint else text

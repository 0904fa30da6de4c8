"""The key of a server, from a file that nobody else may read."""

from __future__ import annotations

from pathlib import Path

from twinbeam.errors import StorageError

__all__ = ["read_key"]


def read_key(path: str | Path) -> str:
    """The first line of a file.

    Raises
    ------
    StorageError
        If it cannot be read, is empty, or others may read it.
    """
    file = Path(path).expanduser()
    try:
        mode = file.stat().st_mode
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise StorageError(
            f"the file of the key cannot be read: {why}",
            where=str(file),
            hint="name another with 'twinbeam settings set tiled_api_key_file FILE'",
        ) from error
    if mode & 0o077:
        raise StorageError(
            "others may read or change this file, which holds a key",
            where=str(file),
            hint=f"chmod 600 {file}",
        )
    if not lines or not lines[0].strip():
        raise StorageError("holds no key", where=str(file), hint="put it on the first line")
    return lines[0].strip()

"""Paths as tiled can serve them: it makes them into URIs without quoting anything."""

from __future__ import annotations

import os
from pathlib import Path

from twinbeam.errors import StorageError

__all__ = ["file_uri", "servable_path"]

FORBIDDEN = "#?"  # would end the path of a URI


def servable_path(path: str | Path) -> Path:
    """The absolute path, without following links.

    Raises
    ------
    StorageError
        If a character in it would be misread in a URI.
    """
    absolute = os.path.abspath(os.path.expanduser(path))
    if any(character in absolute for character in FORBIDDEN):
        raise StorageError(
            f"a path with one of the characters '{FORBIDDEN}' cannot be served",
            where=absolute,
            hint="choose another name",
        )
    return Path(absolute)


def file_uri(path: Path) -> str:
    """The URI of a servable path, in the form tiled uses."""
    return f"file://localhost{path}"

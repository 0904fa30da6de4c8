"""Names of files, as areaDetector makes them from a template of C's printf."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["expand", "make_folders"]

_CONVERSION = re.compile(r"%([-+ #0]*\d*(?:\.\d+)?)[hlLqjzt]*([diouxXeEfgGcs%])")


def expand(template: str, folder: str, name: str, number: int) -> str:
    """Fill in folder, name and number, in this order, as far as the template asks for them.

    Raises
    ------
    ValueError
        If a conversion does not fit what it is for.
    """
    values = iter((folder, name, number))

    def fill(match: re.Match[str]) -> str:
        if match[2] == "%":
            return "%"
        try:
            return f"%{match[1]}{match[2]}" % (next(values),)
        except (TypeError, StopIteration) as error:
            raise ValueError(f"'{template}' does not fit folder, name and number") from error

    return _CONVERSION.sub(fill, template)


def make_folders(folder: Path, depth: int) -> None:
    """Make a folder, if at most the last `depth` parts of it are missing.

    Raises
    ------
    OSError
        If they cannot be made.
    """
    missing = [part for part in (folder, *folder.parents) if not part.is_dir()]
    if missing and len(missing) <= depth:
        folder.mkdir(parents=True, exist_ok=True)

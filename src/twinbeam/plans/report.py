"""What a plan prints in the end: a few lines that a tired person understands."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence

__all__ = ["report", "say", "table", "with_error"]


def with_error(value: float | None, error: float | None, unit: str = "", digits: int = 2) -> str:
    """``11.57601 ± 0.00004 deg``: the error with two digits, the value with as many places."""
    if value is None or not math.isfinite(value):
        return "not known"
    if error is None or not math.isfinite(error) or error <= 0.0:
        return f"{value:.6g} {unit}".rstrip()
    places = max(0, digits - 1 - math.floor(math.log10(error)))
    return f"{value:.{min(places, 9)}f} ± {error:.{min(places, 9)}f} {unit}".rstrip()


def say(words: object) -> None:
    """Tell the person at the terminal; stdout is left to programs that print JSON there."""
    print(words, file=sys.stderr, flush=True)


def report(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """A title and lines of name and value."""
    pairs = [(name, value) for name, value in rows if value]
    width = max((len(name) for name, _ in pairs), default=0)
    return "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in pairs)])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns under their heads, right-aligned."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = [
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in (head, *rows)
    ]
    return "\n".join(lines)

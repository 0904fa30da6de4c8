"""Where output goes: tables and numbers to stdout, progress and problems to stderr."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = [
    "contrast",
    "err",
    "number",
    "out",
    "plain",
    "problem",
    "show_json",
    "two_columns",
    "warning",
]

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def problem(text: str) -> None:
    """One clear line about what went wrong."""
    err.print(f"[bold red]error:[/] {plain(text)}", soft_wrap=True)


def warning(text: str) -> None:
    """One clear line about something to know that did not stop the work."""
    err.print(f"[bold yellow]warning:[/] {plain(text)}", soft_wrap=True)


def plain(text: str) -> str:
    """Text that is printed as it is: brackets in file names are no markup."""
    return text.replace("[", r"\[")


def show_json(values: Any) -> None:
    """JSON alone on stdout."""
    print(json.dumps(values, indent=2, allow_nan=False))


def number(value: float | None, digits: int = 3, unit: str = "") -> str:
    """A number for people; a dash when there is none."""
    if value is None:
        return "–"
    text = f"{value:,.{digits}f}" if isinstance(value, float) else f"{value:,}"
    return f"{text} {unit}".rstrip()


def two_columns(title: str, rows: list[tuple[str, str]]) -> Table:
    """A table of names and values."""
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, plain(value))
    return table


def contrast(pairs: dict[str, Any]) -> str:
    """Peak over floor of a summary's pairs, with no more digits than the counts of its floor.

    With few counts in the floor the lower limit at 95 % is beside it.
    """
    value, counts, lower = (
        pairs[name] for name in ("peak_over_floor", "floor_counts", "peak_over_floor_lower")
    )
    limit = "" if not lower else f"above {float(f'{lower:.2g}'):,.0f} at 95 %"
    if value is None:
        return f"no accidental seen yet{limit and ', ' + limit}" if limit else "–"
    if counts >= 25:
        return f"{float(f'{value:.2g}'):,.0f}"
    return f"about {float(f'{value:.1g}'):,.0f} (floor of {counts} counts{limit and ', ' + limit})"

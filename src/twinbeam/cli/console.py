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
    """Peak over floor of a summary's pairs, with no more digits than the counts of its floor."""
    value, counts = pairs["peak_over_floor"], pairs["floor_counts"]
    if value is None:
        return "no accidental seen yet" if not counts and pairs["net"] > 0 else "–"
    digits = 2 if counts >= 25 else 1
    text = f"{float(f'{value:.{digits}g}'):,.0f}"
    return text if digits == 2 else f"about {text} (floor of {counts} counts)"

"""Where output goes: tables and numbers to stdout, progress and problems to stderr."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["contrast", "err", "number", "out", "problem", "show_json", "two_columns"]

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def problem(text: str) -> None:
    """One clear line about what went wrong."""
    err.print(f"[bold red]error:[/] {_plain(text)}", soft_wrap=True)


def _plain(text: str) -> str:
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
        table.add_row(name, _plain(value))
    return table


def contrast(pairs: dict[str, Any]) -> str:
    """Peak over floor of a summary's pairs, with no more digits than its few counts carry."""
    value = pairs["peak_over_floor"]
    if value is not None:
        return f"{float(f'{value:.2g}'):,.0f}"
    seen = pairs["accidental"] > 0.0 or pairs["prompt"] == 0
    return "–" if seen else "no accidental seen yet"

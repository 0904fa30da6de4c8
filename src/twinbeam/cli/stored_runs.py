"""Stored runs as the commands name, search and show them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import typer
import yaml

__all__ = ["NUMBERED_RUNS", "metadata_query", "run_line", "run_names"]

#: Settings of commands whose arguments may be run numbers as -1, which look like options.
NUMBERED_RUNS: dict[str, Any] = {"ignore_unknown_options": True}
_NUMBERED = re.compile(r"-\d+(@.*)?")


def run_names(value: Any) -> Any:
    """Callback of arguments that name runs: what looks like an option is one, unless a number.

    Raises
    ------
    typer.BadParameter
        If a name begins with a dash and is no number.
    """
    for name in value if isinstance(value, list | tuple) else [value]:
        if isinstance(name, str) and name.startswith("-") and not _NUMBERED.fullmatch(name):
            raise typer.BadParameter(f"no such option: {name}")
    return value


def metadata_query(texts: list[str]) -> dict[str, tuple[Any, ...]]:
    """Metadata to search for, from texts `key=value`; a number is also searched for as text.

    Raises
    ------
    typer.BadParameter
        If a text has no `=`, or a key is there twice.
    """
    query: dict[str, tuple[Any, ...]] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise typer.BadParameter(f"'{text}' is not key=value", param_hint="--where")
        if key in query:
            raise typer.BadParameter(f"'{key}' is there twice", param_hint="--where")
        query[key] = (value, *(other for other in [_read(value)] if other != value))
    return query


def _read(value: str) -> Any:
    """The number or truth value a text is; the text itself when it is neither."""
    try:
        read = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError):
        return value
    return read if isinstance(read, bool | int | float) else value


def run_line(start: dict[str, Any]) -> str:
    """A run in one line: scan id, uid, plan and time."""
    when = datetime.fromtimestamp(float(start["time"])).strftime("%Y-%m-%d %H:%M:%S")
    plan = start.get("plan_name", "run")
    return f"{start.get('scan_id', '?')} = {str(start['uid'])[:8]} {plan} {when}"

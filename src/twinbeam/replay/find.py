"""Find a stored run by what a person knows of it."""

from __future__ import annotations

import re
from datetime import datetime
from numbers import Integral
from typing import Any

from twinbeam.errors import StorageError

__all__ = ["find_run"]

NEWEST_SHOWN = 5
SHORTEST_UID = 5  # characters databroker wants of a partial uid


def find_run(broker: Any, key: str | int) -> Any:
    """The run a key means, as `databroker`'s header (`.uid`, `.start`, `.stop`).

    Parameters
    ----------
    broker
        A `databroker.Broker`, as `Catalog.broker()` gives.
    key
        A uid, the first five or more characters of one, a scan id (the newest run that has it),
        or a negative number counting back from the newest run, -1. Numbers may be text.

    Raises
    ------
    StorageError
        If no run or more than one fits; it lists the newest runs.
    """
    text = str(int(key)) if isinstance(key, Integral) else str(key).strip()
    try:
        if re.fullmatch(r"-\d+", text):
            return broker[int(text)]
        if re.fullmatch(r"\d+", text):
            found = _by_scan_id(broker, int(text))
            if found is not None:
                return found
            if len(text) < SHORTEST_UID:
                raise KeyError(text)
        return broker[text]
    except (KeyError, IndexError):
        what = f"no run '{text}'"
    except ValueError as error:  # a partial uid that is too short or fits several runs
        what = f"no single run '{text}': {error}"
    raise StorageError(what, where=f"catalogue {_name(broker)}", hint=_newest(broker))


def _by_scan_id(broker: Any, scan_id: int) -> Any:
    """The newest run of a scan id, or None; also for 0, which the broker takes for a position."""
    try:
        return broker[broker.v2.scan_id[scan_id].metadata["start"]["uid"]]
    except KeyError:
        return None


def _name(broker: Any) -> str:
    return "/".join(broker.v2.path_parts) or "/"


def _newest(broker: Any) -> str:
    runs = list(broker.v2.values()[: -NEWEST_SHOWN - 1 : -1])
    if not runs:
        return "it has no runs"
    lines = []
    for run in runs:
        start = run.metadata["start"]
        when = datetime.fromtimestamp(start["time"]).strftime("%Y-%m-%d %H:%M:%S")
        name = start.get("plan_name", "run")
        lines.append(f"{start.get('scan_id', '?')} = {start['uid'][:8]} {name} {when}")
    return "the newest are " + ", ".join(lines)

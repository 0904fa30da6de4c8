"""Search stored runs by their metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinbeam.errors import StorageError

__all__ = ["find_runs"]


def find_runs(broker: Any, where: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Start documents of the runs whose metadata fit, the newest first.

    Parameters
    ----------
    broker
        A `databroker.Broker`, as `Catalog.broker()` gives.
    where
        Values by key of the start document. Dots lead into nested metadata (`recipe.geometry`), and
        a key that begins with `stop.` is one of the stop document. A tuple means any of its values.

    Raises
    ------
    StorageError
        If a value is not text, a number or a boolean.
    """
    from tiled.queries import Key

    found = [broker.v2]
    for key, wanted in where.items():
        values = wanted if isinstance(wanted, tuple) else (wanted,)
        for value in values:
            if not isinstance(value, str | int | float):
                raise StorageError(
                    f"cannot search for {value!r}",
                    where=f"key '{key}'",
                    hint="give text, a number, true or false",
                )
        place = Key(key if key.startswith("stop.") else f"start.{key}")
        found = [part.search(place == value) for part in found for value in values]
    starts = {}
    for part in found:
        for run in part.values():
            start = dict(run.metadata["start"])
            starts[start["uid"]] = start
    return sorted(starts.values(), key=lambda start: float(start["time"]), reverse=True)

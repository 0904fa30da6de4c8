"""Numbers that a plan itself worked out, as something that can be read into an event."""

from __future__ import annotations

import math
import time
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import MsgGenerator

__all__ = ["Row", "write_row"]


class Row:
    """A readable of plain numbers and words; every row of a stream has the same keys.

    Parameters
    ----------
    name
        Begins the keys of the event: `<name>_<key>`.
    values
        Its columns and their present values; None counts as not a number.
    """

    parent = None

    def __init__(self, name: str, values: dict[str, float | str | None]) -> None:
        self.name = name
        self._values = {
            key: math.nan if value is None else value if isinstance(value, str) else float(value)
            for key, value in values.items()
        }

    def __eq__(self, other: object) -> bool:
        """Rows of one stream are one device to the RunEngine."""
        return isinstance(other, Row) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[str, ...]:
        return (self.name, *self._values)

    def read(self) -> dict[str, Any]:
        """Present values."""
        now_s = time.time()
        return {
            f"{self.name}_{key}": {"value": value, "timestamp": now_s}
            for key, value in self._values.items()
        }

    def describe(self) -> dict[str, Any]:
        """What kind the values are."""
        return {
            f"{self.name}_{key}": {
                "source": "plan",
                "dtype": "string" if isinstance(value, str) else "number",
                "shape": [],
            }
            for key, value in self._values.items()
        }

    @property
    def hints(self) -> dict[str, Any]:
        """All columns are worth showing."""
        return {"fields": list(self.describe())}


def write_row(stream: str, values: dict[str, float | str | None]) -> MsgGenerator[None]:
    """Write one event with these values into a stream of the open run, which has their name."""
    yield from bps.checkpoint()
    yield from bps.create(stream)
    try:
        yield from bps.read(Row(stream, values))
    except Exception:
        yield from bps.drop()
        raise
    yield from bps.save()
    yield from bps.checkpoint()  # a later pause does not write it again

"""One row a process variable: the plain-data description both IOCs are built from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

__all__ = ["Effect", "Element", "Kind", "Record", "Severity", "as_in_database", "pair"]

Kind = Literal[
    "ai", "ao", "bi", "bo", "mbbi", "mbbo", "busy", "longin", "longout", "int64in", "calc",
    "calcout", "stringin", "stringout", "text", "waveform", "subArray", "fanout", "dfanout", "sseq",
    "asyn",
]  # fmt: skip

Element = Literal["SHORT", "LONG", "INT64", "DOUBLE"]

Severity = Literal["NO_ALARM", "MINOR", "MAJOR", "INVALID"]

Effect = Literal[
    "none",  # the value is kept, nothing else happens
    "config",  # the detector configuration is sent at once
    "config_stops_run",  # a running acquisition is stopped, then the configuration is sent
    "channel",  # part of the next pushed destination
    "path",  # the same, and the existence of the directory is checked
    "switch",  # the same, and the pushed destination is read back
    "command",  # handled by name
]

_OUTPUT_OF: dict[Kind, Kind] = {
    "ao": "ai",
    "bo": "bi",
    "mbbo": "mbbi",
    "longout": "longin",
    "stringout": "stringin",
    "text": "text",
    "waveform": "waveform",
}
_WRITABLE: frozenset[Kind] = frozenset(
    {"ao", "bo", "mbbo", "longout", "stringout", "busy", "text", "waveform", "sseq"}
)


_DIGITS = 6


@dataclass(frozen=True)
class Record:
    """One process variable, without its prefix.

    `kind` is the EPICS record type; `text` stands for a CHAR waveform used as a long string.
    `labels` are the states of an enum and `severities` the alarm of each, `length` the elements
    of an array or text, `element` the type of an array's elements, `filled` how many of them hold
    something at the start (all, if None), `limits` what a number written to it is clamped to,
    `effect` what a write does. A `precision` of None shows 6 digits. A `read_only` record refuses
    puts. `since` is the first version of the driver that has the record, empty if it was always
    there.
    """

    name: str
    kind: Kind
    value: Any = None
    doc: str = ""
    labels: tuple[str, ...] = ()
    units: str = ""
    precision: int | None = None
    length: int = 1
    effect: Effect = "none"
    read_only: bool | None = None
    severities: tuple[Severity, ...] = ()
    element: Element = "LONG"
    filled: int | None = None
    limits: tuple[float, float] | None = None
    since: str = ""

    @property
    def digits(self) -> int:
        """Digits after the point that are shown."""
        return _DIGITS if self.precision is None else self.precision

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"{self.name}: no record type '{self.kind}'")
        if self.value is None:
            empty = "" if self.kind in ("stringin", "stringout", "text") else 0
            object.__setattr__(self, "value", empty)
        if self.read_only is None:
            object.__setattr__(self, "read_only", self.kind not in _WRITABLE)
        if self.kind == "text" and self.length == 1:
            object.__setattr__(self, "length", 256)


def pair(
    name: str,
    kind: Kind,
    value: Any = None,
    doc: str = "",
    *,
    effect: Effect = "none",
    limits: tuple[float, float] | None = None,
    severities: tuple[Severity, ...] = (),
    readback: dict[str, Any] | None = None,
    **more: Any,
) -> tuple[Record, Record]:
    """Rows of a set point `name` and its readback `name_RBV`.

    Effect and limits are those of the set point, severities those of the readback; `readback`
    changes single fields of the readback. All else is shared.
    """
    setpoint = Record(name, kind, value, doc, effect=effect, limits=limits, **more)
    changes: dict[str, Any] = {
        "name": f"{name}_RBV",
        "kind": _OUTPUT_OF[kind],
        "doc": f"Readback: {doc}",
        "effect": "none",
        "read_only": True,
        "limits": None,
        "severities": severities,
        **(readback or {}),
    }
    return setpoint, replace(setpoint, **changes)


def as_in_database(rows: Iterable[Record]) -> list[Record]:
    """Rows with what EPICS does where a template sets no precision: no digits after the point."""
    return [row if row.precision is not None else replace(row, precision=0) for row in rows]

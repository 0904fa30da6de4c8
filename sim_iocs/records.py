"""One row a process variable: the plain-data description both IOCs are built from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

__all__ = ["Effect", "Kind", "Record", "pair"]

Kind = Literal[
    "ai", "ao", "bi", "bo", "mbbi", "mbbo", "busy", "longin", "longout", "int64in", "calc",
    "calcout", "stringin", "stringout", "text", "waveform", "subArray", "fanout", "asyn",
]  # fmt: skip

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
    {"ao", "bo", "mbbo", "longout", "stringout", "busy", "text", "waveform"}
)


@dataclass(frozen=True)
class Record:
    """One process variable, without its prefix.

    `kind` is the EPICS record type; `text` stands for a CHAR waveform used as a long string.
    `labels` are the states of an enum, `length` the elements of an array or text, `effect`
    what a write does. A `read_only` record refuses puts.
    """

    name: str
    kind: Kind
    value: Any = None
    doc: str = ""
    labels: tuple[str, ...] = ()
    units: str = ""
    precision: int = 6
    length: int = 1
    effect: Effect = "none"
    read_only: bool | None = None

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
    labels: tuple[str, ...] = (),
    units: str = "",
    length: int = 1,
    effect: Effect = "none",
) -> tuple[Record, Record]:
    """Rows of a set point `name` and its readback `name_RBV`."""
    setpoint = Record(
        name, kind, value, doc, labels=labels, units=units, length=length, effect=effect
    )
    readback = replace(
        setpoint,
        name=f"{name}_RBV",
        kind=_OUTPUT_OF[kind],
        doc=f"Readback: {doc}",
        effect="none",
        read_only=True,
    )
    return setpoint, readback

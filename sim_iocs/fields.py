"""Fields of records: what clients read beside the value, such as `.RTYP` or `.NELM`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from caproto import (
    AccessRights,
    ChannelData,
    ChannelDouble,
    ChannelEnum,
    ChannelInteger,
    ChannelString,
)

from sim_iocs.records import Record, Severity

__all__ = ["SCAN", "SEVERITIES", "field_of", "is_live"]

SEVERITIES: tuple[Severity, ...] = ("NO_ALARM", "MINOR", "MAJOR", "INVALID")
# Channel Access has no more than 16 states; these are the first ones of the menu.
_STATUS = (
    "NO_ALARM", "READ", "WRITE", "HIHI", "HIGH", "LOLO", "LOW", "STATE", "COS", "COMM", "TIMEOUT",
    "HWLIMIT", "CALC", "SCAN", "LINK", "SOFT",
)  # fmt: skip
SCAN = (
    "Passive", "Event", "I/O Intr", "10 second", "5 second", "2 second", "1 second", ".5 second",
    ".2 second", ".1 second",
)  # fmt: skip
_ELEMENTS = (
    "STRING", "CHAR", "UCHAR", "SHORT", "USHORT", "LONG", "ULONG", "INT64", "UINT64", "FLOAT",
    "DOUBLE", "ENUM",
)  # fmt: skip
_PLACES = (
    "ZR", "ON", "TW", "TH", "FR", "FV", "SX", "SV", "EI", "NI", "TE", "EL", "TV", "TT", "FT", "FF",
)  # fmt: skip
_NO_YES = ("NO", "YES")

_NUMBERS = frozenset(
    {"ai", "ao", "longin", "longout", "int64in", "calc", "calcout", "waveform", "subArray", "text"}
)
_FLOATS = frozenset({"ai", "ao", "calc", "calcout", "waveform", "subArray"})
_ARRAYS = frozenset({"waveform", "subArray", "text"})
_OUTPUTS = frozenset({"ao", "bo", "mbbo", "longout", "stringout", "busy"})
_ALARM_LIMITS = ("HIHI", "HIGH", "LOW", "LOLO", "HYST", "ADEL", "MDEL")
_WRITABLE = frozenset(
    {"DESC", "EGU", "PREC", "HOPR", "LOPR", "SCAN", "PINI", "PROC", "DISA", "DISV", "DISP", "ASG"}
    | {"TPRO", "TSE", "PHAS", "PRIO", "FLNK", "HHSV", "HSV", "LSV", "LLSV", "INDX", "OMSL"}
    | set(_ALARM_LIMITS)
)

Make = Callable[[Record], ChannelData]


class _Text(ChannelString):
    writable = False

    def check_access(self, hostname: str, username: str) -> AccessRights:
        return AccessRights.READ | (AccessRights.WRITE if self.writable else 0)


class _Whole(ChannelInteger):
    writable = False
    check_access = _Text.check_access


class _Number(ChannelDouble):
    writable = False
    check_access = _Text.check_access


class _Menu(ChannelEnum):
    writable = False
    check_access = _Text.check_access


def _text(value: str) -> ChannelData:
    return _Text(value=value[:39], long_string_max_length=max(len(value) + 1, 40))


def _menu(state: str | int, states: tuple[str, ...]) -> ChannelData:
    return _Menu(value=state if isinstance(state, str) else states[state], enum_strings=states)


def _scan(record: Record) -> str:
    if record.name == "Health":
        return "1 second"
    return "I/O Intr" if record.kind in ("ai", "bi", "mbbi", "longin", "stringin") else "Passive"


def _limit(record: Record, which: int) -> ChannelData:
    value = record.limits[which] if record.limits else 0.0
    return _Number(value=value) if record.kind in _FLOATS else _Whole(value=int(value))


def is_live(field: str) -> bool:
    """Whether a field follows the record, so that it must be kept up to date."""
    return field in ("SEVR", "STAT", "NORD", "UDF")


def field_of(record: Record, field: str) -> ChannelData:
    """Channel of a field.

    Raises
    ------
    KeyError
        If records of this type have no such field; a client then does not find the name.
    """
    channel = _common(record, field)
    for make in (_of_number, _of_array, _of_enum):
        if channel is None:
            channel = make(record, field)
    if channel is None:
        raise KeyError(field)
    channel.reported_record_type = "waveform" if record.kind == "text" else record.kind
    channel.writable = field in _WRITABLE
    return channel


def _common(record: Record, field: str) -> Any:
    """Fields of every record."""
    texts = {
        "NAME": record.name,
        "RTYP": "waveform" if record.kind == "text" else record.kind,
        "DESC": record.doc,
        "ASG": "",
        "FLNK": "",
        "OUT" if record.kind in _OUTPUTS else "INP": "",
    }
    menus: dict[str, tuple[str | int, tuple[str, ...]]] = {
        "SCAN": (_scan(record), SCAN),
        "PINI": (int(record.kind in _OUTPUTS), _NO_YES),
        "SEVR": (0, SEVERITIES),
        "STAT": (0, _STATUS),
        "NSEV": (0, SEVERITIES),
        "ACKS": (0, SEVERITIES),
        "DISS": (0, SEVERITIES),
        "ACKT": (1, _NO_YES),
        "PRIO": (0, ("LOW", "MEDIUM", "HIGH")),
        "DTYP": (0, ("Soft Channel",)),
    }
    whole = {"DISV": 1, **dict.fromkeys(("DISA", "PROC", "PACT", "UDF", "TPRO", "TSE", "PHAS"), 0)}
    whole |= {"DISP": 0, "PUTF": 0, "RPRO": 0, "LCNT": 0}
    if field in texts:
        return _text(texts[field])
    if field in menus:
        return _menu(*menus[field])
    return _Whole(value=whole[field]) if field in whole else None


def _of_number(record: Record, field: str) -> Any:
    if record.kind not in _NUMBERS:
        return None
    if field == "EGU":
        return _text(record.units)
    if field == "PREC" and record.kind in _FLOATS:
        return _Whole(value=record.digits)
    if field in ("LOPR", "HOPR") or (field in ("DRVL", "DRVH") and record.kind in _OUTPUTS):
        return _limit(record, int(field in ("HOPR", "DRVH")))
    if record.kind in _ARRAYS:
        return None
    if field in _ALARM_LIMITS:
        return _Number(value=0.0) if record.kind in _FLOATS else _Whole(value=0)
    if field in ("HHSV", "HSV", "LSV", "LLSV"):
        return _menu(0, SEVERITIES)
    if field == "OMSL" and record.kind in _OUTPUTS:
        return _menu(0, ("supervisory", "closed_loop"))
    if field == "CALC" and record.kind in ("calc", "calcout"):
        return _text("0")
    return None


def _of_array(record: Record, field: str) -> Any:
    if record.kind not in _ARRAYS:
        return None
    element = "CHAR" if record.kind == "text" else record.element
    whole = {"NELM": record.length, "NORD": 0, "BUSY": 0}
    if record.kind == "subArray":
        whole |= {"MALM": 10, "INDX": 0}
    if field == "FTVL":
        return _menu(element, _ELEMENTS)
    return _Whole(value=whole[field]) if field in whole else None


def _of_enum(record: Record, field: str) -> Any:
    labels = record.labels
    if record.kind in ("bi", "bo", "busy"):
        if field in ("ZNAM", "ONAM"):
            return _text(labels[field == "ONAM"] if labels else "")
        if field in ("ZSV", "OSV"):
            return _menu(_severity(record, int(field == "OSV")), SEVERITIES)
        return _Whole(value=0) if field == "RVAL" else None
    if record.kind not in ("mbbi", "mbbo") or field[:2] not in _PLACES:
        return None
    place = _PLACES.index(field[:2])
    if field[2:] == "ST":
        return _text(labels[place] if place < len(labels) else "")
    if field[2:] == "VL":
        return _Whole(value=place)
    return _menu(_severity(record, place), SEVERITIES) if field[2:] == "SV" else None


def _severity(record: Record, state: int) -> str:
    return record.severities[state] if state < len(record.severities) else "NO_ALARM"

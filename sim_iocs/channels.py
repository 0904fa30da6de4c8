"""Records as Channel Access channels: types, put handlers, and posting of values."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, cast

import numpy as np
from caproto import (
    AccessRights,
    AlarmSeverity,
    AlarmStatus,
    CaprotoConversionError,
    ChannelChar,
    ChannelData,
    ChannelDouble,
    ChannelEnum,
    ChannelInteger,
    ChannelString,
    ChannelType,
    SkipWrite,
    native_type,
)

from sim_iocs.records import Record

__all__ = ["Channels", "PutHandler"]

_log = logging.getLogger("sim_iocs")

PutHandler = Callable[[Any], Awaitable[None]]

_ENUMS = ("bi", "bo", "mbbi", "mbbo", "busy")
_FLOATS = ("ai", "ao", "calc", "calcout", "int64in")  # 64-bit integers travel as doubles over CA


class _Served:
    """What every channel of ours adds to caproto's: its record, a put handler, a few fields."""

    record: Record
    on_put: PutHandler | None = None

    def clean(self, data: Any) -> Any:
        """A client's value in the form this channel stores; caproto's limits are not applied."""
        return data

    async def verify_value(self, data: Any) -> Any:
        """Store a client's value first, as a record does, then let the handler work."""
        data = self.clean(data)
        if self.on_put is None:
            return data
        await self.write(data, verify_value=False)  # type: ignore[attr-defined]
        try:
            await self.on_put(_plain(self))
        except Exception:
            # An error passed on would leave caproto's own clients waiting for ever.
            _log.exception("write to %s", self.record.name)
        raise SkipWrite

    def check_access(self, hostname: str, username: str) -> AccessRights:
        """Inputs are for reading only."""
        if self.record.read_only:
            return AccessRights.READ
        return AccessRights.READ | AccessRights.WRITE

    def get_field(self, field: str) -> ChannelData:
        """The handful of record fields that clients ask for."""
        record = self.record
        fields: dict[str, Any] = {
            "": self,
            "VAL": self,
            "RTYP": ChannelString(value="waveform" if record.kind == "text" else record.kind),
            "DESC": ChannelString(value=record.doc[:39]),
            "EGU": ChannelString(value=record.units),
            "PREC": ChannelInteger(value=record.precision),
            "DISA": ChannelInteger(value=0),
        }
        return cast(ChannelData, fields[field])


class _Double(_Served, ChannelDouble):
    pass


class _Integer(_Served, ChannelInteger):
    pass


class _Enum(_Served, ChannelEnum):
    def clean(self, data: Any) -> Any:
        """States are stored in words."""
        return data if isinstance(data, str) else self.enum_strings[data]

    async def write_from_dbr(self, data: Any, data_type: Any, metadata: Any, **more: Any) -> None:
        """Take a number or a word; a number beyond the last state becomes the first."""
        try:
            await super().write_from_dbr(data, data_type, metadata, **more)
        except CaprotoConversionError:
            if native_type(data_type) == ChannelType.STRING:
                raise
            await self.write(self.enum_strings[0])


class _String(_Served, ChannelString):
    pass


class _Text(_Served, ChannelChar):
    async def write_from_dbr(self, data: Any, data_type: Any, metadata: Any, **more: Any) -> None:
        """Take a text up to its first NUL; caproto cannot take an empty one."""
        if native_type(data_type) == ChannelType.CHAR:
            raw = data[0] if isinstance(data, list) else data
            await self.write(raw.tobytes().partition(b"\0")[0].decode("latin-1"))
        else:
            await super().write_from_dbr(data, data_type, metadata, **more)


def _channel(record: Record) -> Any:
    """A channel of the right Channel Access type that holds the record's first value."""
    channel: Any
    if record.kind in _ENUMS:
        labels = record.labels or ("0", "1")
        channel = _Enum(value=labels[int(record.value)], enum_strings=labels)
    elif record.kind in ("stringin", "stringout"):
        channel = _String(value=record.value, long_string_max_length=40)
    elif record.kind == "text":
        channel = _Text(value=record.value, max_length=record.length)
    elif record.kind == "waveform":
        value = np.broadcast_to(np.asarray(record.value, np.int32), (record.length,)).copy()
        # An image is only ever wanted at its newest, and 1 MB each is too much to queue.
        channel = _Integer(value=value, max_length=record.length, max_subscription_backlog=2)
    elif record.kind in _FLOATS:
        channel = _Double(value=float(record.value), units=record.units, precision=record.precision)
    else:
        channel = _Integer(value=int(record.value), units=record.units)
    channel.record = record
    channel.reported_record_type = record.kind if record.kind != "text" else "waveform"
    return channel


def _plain(channel: Any) -> Any:
    """The value as Python sees it: an enum by its index, the others as they are."""
    value = channel.value
    if isinstance(channel, ChannelEnum):
        return value if isinstance(value, int) else channel.enum_strings.index(value)
    return value


class Channels:
    """All channels of one IOC, addressed by their names without the prefix.

    Parameters
    ----------
    prefix
        What stands before each name on Channel Access.
    records
        The rows to serve.
    """

    def __init__(self, prefix: str, records: Iterable[Record]) -> None:
        self.prefix = prefix
        self._channels: dict[str, Any] = {}
        for record in records:
            if record.name in self._channels:
                raise ValueError(f"record '{record.name}' is described twice")
            self._channels[record.name] = _channel(record)

    @property
    def pvdb(self) -> dict[str, ChannelData]:
        """Channels by their full names, as a server takes them."""
        return {self.prefix + name: channel for name, channel in self._channels.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._channels

    def __len__(self) -> int:
        return len(self._channels)

    def records(self) -> list[Record]:
        """All rows, in order."""
        return [channel.record for channel in self._channels.values()]

    def get(self, name: str) -> Any:
        """Current value; an enum as its index."""
        return _plain(self._channels[name])

    def label(self, name: str) -> str:
        """Current state of an enum in words."""
        channel = self._channels[name]
        return str(channel.enum_strings[_plain(channel)])

    def on_put(self, name: str, handler: PutHandler) -> None:
        """Call `handler` with the value after each write by a client; the put completes with it."""
        self._channels[name].on_put = handler

    async def post(self, name: str, value: Any) -> None:
        """Set a value from the inside; monitors are sent only if it differs."""
        channel = self._channels[name]
        if isinstance(channel, ChannelEnum):
            value = channel.enum_strings[int(value)]
        elif isinstance(channel, ChannelString):
            value = str(value)[:39]
        elif isinstance(channel, ChannelChar):
            value = str(value)[: channel.max_length - 1]
        if not isinstance(value, np.ndarray) and value == channel.value:
            return
        await channel.write(value, verify_value=False)

    async def alarm(self, name: str, severity: AlarmSeverity, status: AlarmStatus) -> None:
        """Put a record into alarm, or out of it."""
        channel = self._channels[name]
        if channel.alarm.severity != severity or channel.alarm.status != status:
            await channel.alarm.write(severity=severity, status=status)

    async def limits(self, name: str, low: float, high: float) -> None:
        """Set the control limits that clients read with a value."""
        await self._channels[name].write_metadata(lower_ctrl_limit=low, upper_ctrl_limit=high)

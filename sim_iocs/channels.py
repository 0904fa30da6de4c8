"""Records as Channel Access channels: types, put handlers, and posting of values."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping
from typing import Any

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
    ChannelShort,
    ChannelString,
    ChannelType,
    SkipWrite,
    native_type,
)

from sim_iocs.fields import SEVERITIES, field_of, is_live
from sim_iocs.records import Record

__all__ = ["Channels", "PutHandler"]

_log = logging.getLogger("sim_iocs")

PutHandler = Callable[[Any], Awaitable[None]]

_ENUMS = ("bi", "bo", "mbbi", "mbbo", "busy")
_FLOATS = ("ai", "ao", "calc", "calcout", "int64in", "dfanout")
_MOST_UNITS = 7  # of 8 with the one that ends it
# 64-bit integers travel as doubles over Channel Access
_NUMPY = {"SHORT": np.int16, "LONG": np.int32, "INT64": np.float64, "DOUBLE": np.float64}


class _Served:
    """What every channel of ours adds to caproto's: its record, a put handler, its fields."""

    record: Record
    prefix: str = ""
    on_put: PutHandler | None = None

    def clean(self, data: Any) -> Any:
        """A client's value in the form this channel stores; caproto's limits are not applied."""
        limits = self.record.limits
        return data if limits is None else type(data)(min(max(data, limits[0]), limits[1]))

    async def verify_value(self, data: Any) -> Any:
        """Store a client's value first, as a record does, then let the handler work."""
        data = self.clean(data)
        if self.on_put is None:
            return data
        await self.write(data, verify_value=False)  # type: ignore[attr-defined]
        await self.process()
        raise SkipWrite

    async def process(self) -> None:
        """Do what a write of the present value does."""
        if self.on_put is None:
            return
        try:
            await self.on_put(_plain(self))
        except Exception:
            # An error passed on would leave caproto's own clients waiting for ever.
            _log.exception("write to %s", self.record.name)

    def check_access(self, hostname: str, username: str) -> AccessRights:
        """Inputs are for reading only."""
        if self.record.read_only:
            return AccessRights.READ
        return AccessRights.READ | AccessRights.WRITE

    @property
    def followers(self) -> dict[str, Any]:
        """Channels of the fields that clients have asked for, by name."""
        return self.__dict__.setdefault("_followers", {})

    def get_field(self, field: str) -> ChannelData:
        """Channel of a field, made when a client first asks for it.

        Raises
        ------
        KeyError
            If records of this type have no such field.
        """
        if field in ("", "VAL"):
            return self
        if field not in self.followers:
            channel: Any = field_of(self.record, field)
            if field == "NAME":
                channel._data["value"] = self.prefix + self.record.name
            if is_live(field):
                channel._data["value"] = self._live(field, channel)
            channel.verify_value = self._on_field(field, channel)
            self.followers[field] = channel
        return self.followers[field]

    async def publish(self, flags: Any) -> None:
        """Send the value to its monitors, and what follows from it."""
        await super().publish(flags)  # type: ignore[misc]
        if self.followers:
            await self.follow()

    def _live(self, field: str, channel: Any) -> Any:
        """What a field that follows the record is now."""
        if field == "NORD":
            return _n_elements(self)
        if field == "UDF":
            return 0
        alarm = self.alarm  # type: ignore[attr-defined]
        number = int(alarm.severity if field == "SEVR" else alarm.status)
        return channel.enum_strings[min(number, len(channel.enum_strings) - 1)]

    async def follow(self) -> None:
        """Bring the fields up to date that follow the record."""
        for field, channel in self.followers.items():
            if is_live(field):
                value = self._live(field, channel)
                if value != channel.value:
                    await channel.write(value, verify_value=False)

    def _on_field(self, field: str, channel: Any) -> Callable[[Any], Awaitable[Any]]:
        """What a client's write to a field does: some change what is read with the value."""

        async def verify(data: Any) -> Any:
            if isinstance(channel, ChannelEnum) and not isinstance(data, str):
                data = channel.enum_strings[data]
            if field == "PROC":
                await self.process()
            name = {"EGU": "units", "PREC": "precision"}.get(field)
            name = name or {"HOPR": "upper_disp_limit", "LOPR": "lower_disp_limit"}.get(field)
            if name is not None:
                value = _units(data) if name == "units" else data
                await self.write_metadata(**{name: value})  # type: ignore[attr-defined]
            return data

        return verify


class _Double(_Served, ChannelDouble):
    pass


class _Integer(_Served, ChannelInteger):
    pass


class _Short(_Served, ChannelShort):
    pass


class _Enum(_Served, ChannelEnum):
    def clean(self, data: Any) -> Any:
        """States are stored in words."""
        return data if isinstance(data, str) else self.enum_strings[data]

    async def write(self, value: Any, **more: Any) -> None:
        """Set a state, and the alarm that goes with it."""
        if self.record.severities and value in self.enum_strings:
            more.update(_alarm_of(self.record, self.enum_strings.index(value)))
        await super().write(value, **more)

    def _read_metadata(self, dbr_metadata: Any) -> None:
        super()._read_metadata(dbr_metadata)
        if not self.record.labels and hasattr(dbr_metadata, "enum_strings"):
            dbr_metadata.enum_strings = []

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


_CLASSES = {"SHORT": _Short, "LONG": _Integer, "INT64": _Double, "DOUBLE": _Double}


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
        filled = record.length if record.filled is None else record.filled
        value = np.full(filled, record.value, _NUMPY[record.element])
        # An image is only ever wanted at its newest, and 1 MB each is too much to queue.
        channel = _CLASSES[record.element](
            value=value, max_length=record.length, max_subscription_backlog=2
        )
    elif record.kind in _FLOATS:
        channel = _Double(
            value=float(record.value), units=_units(record.units), precision=record.digits
        )
    else:
        channel = _Integer(value=int(record.value), units=_units(record.units))
    channel.record = record
    channel.reported_record_type = record.kind if record.kind != "text" else "waveform"
    if record.limits is not None:
        names = ("lower_disp_limit", "upper_disp_limit", "lower_ctrl_limit", "upper_ctrl_limit")
        low, high = (type(channel.value)(limit) for limit in record.limits)
        channel._data.update(zip(names, (low, high, low, high), strict=True))
    if record.severities:
        channel.alarm._data.update(_alarm_of(record, int(record.value)))
    return channel


def _units(text: str) -> str:
    """What the protocol has room for; a field EGU keeps the whole."""
    return text[:_MOST_UNITS]


def _alarm_of(record: Record, state: int) -> dict[str, int]:
    """Alarm of a state of an enum."""
    severity = record.severities[state] if state < len(record.severities) else "NO_ALARM"
    alarmed = severity != "NO_ALARM"
    return {
        "severity": SEVERITIES.index(severity),
        "status": int(AlarmStatus.STATE if alarmed else AlarmStatus.NO_ALARM),
    }


def _n_elements(channel: Any) -> int:
    value = channel.value
    return len(value) if isinstance(value, str | bytes | list | np.ndarray) else 1


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
    hidden
        Names of rows that exist inside, but that no client finds.
    """

    def __init__(self, prefix: str, records: Iterable[Record], hidden: Container[str] = ()) -> None:
        self.prefix = prefix
        self._hidden = hidden
        self._channels: dict[str, Any] = {}
        for record in records:
            if record.name in self._channels:
                raise ValueError(f"record '{record.name}' is described twice")
            channel = self._channels[record.name] = _channel(record)
            channel.prefix = prefix

    @property
    def pvdb(self) -> dict[str, ChannelData]:
        """Channels by their full names, as a server takes them."""
        return {
            self.prefix + name: channel
            for name, channel in self._channels.items()
            if name not in self._hidden
        }

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

    def field(self, name: str, field: str) -> Any:
        """Current value of a field of a record, such as `SCAN`."""
        return self._channels[name].get_field(field).value

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
        elif isinstance(value, np.ndarray):
            value = value.astype(_NUMPY[channel.record.element], copy=False)
        if not isinstance(value, np.ndarray) and value == channel.value:
            return
        await channel.write(value, verify_value=False)

    async def post_all(self, values: Mapping[str, Any]) -> None:
        """Set several values, in order."""
        for name, value in values.items():
            await self.post(name, value)

    async def alarm(self, name: str, severity: AlarmSeverity, status: AlarmStatus) -> None:
        """Put a record into alarm, or out of it."""
        channel = self._channels[name]
        if channel.alarm.severity != severity or channel.alarm.status != status:
            await channel.alarm.write(severity=severity, status=status)

    async def limits(self, name: str, low: float, high: float) -> None:
        """Set the control limits that clients read with a value."""
        await self._channels[name].write_metadata(lower_ctrl_limit=low, upper_ctrl_limit=high)

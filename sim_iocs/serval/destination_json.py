"""The destination as JSON, in Serval's layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sim_iocs.serval.destination import (
    FORMATS,
    INTEGRATION_MODES,
    MODES,
    SAMPLING_MODES,
    SPLIT_STRATEGIES,
    Channel,
    Destination,
    HistogramChannel,
    ImageChannel,
    RawChannel,
)
from sim_iocs.serval.values import Wrong, boolean, choice, integer, mapping, number, text

__all__ = ["destination_from_json", "destination_to_json"]

Field = tuple[str, str, Callable[[str, Any], Any]]


def _numbers(name: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise Wrong(f"{name} must be an array, not {value!r}")
    return tuple(integer(name, each) for each in value)


def _split(name: str, value: Any) -> bool:
    return choice(*SPLIT_STRATEGIES)(name, value.lower() if isinstance(value, str) else value) == (
        "frame"
    )


_COMMON: tuple[Field, ...] = (
    ("Base", "base", text),
    ("FilePattern", "pattern", text),
    ("QueueSize", "queue_size", integer),
)
_RAW: tuple[Field, ...] = (*_COMMON, ("SplitStrategy", "split_frames", _split))
_IMAGE: tuple[Field, ...] = (
    *_COMMON,
    ("Format", "format", choice(*FORMATS)),
    ("Mode", "mode", choice(*MODES)),
    ("Thresholds", "thresholds", _numbers),
    ("IntegrationSize", "integration_size", integer),
    ("IntegrationMode", "integration_mode", choice(*INTEGRATION_MODES)),
    ("StopMeasurementOnDiskLimit", "stop_on_disk_limit", boolean),
)
_HISTOGRAM: tuple[Field, ...] = (
    *_IMAGE,
    ("NumberOfBins", "n_bins", integer),
    ("BinWidth", "bin_width_s", number),
    ("Offset", "offset_s", number),
)
# objects of 4.x that change nothing here
_IGNORED = frozenset({"Corrections", "Processing"})


def destination_from_json(values: Any) -> Destination:
    """Destination of a PUT; 4.x may wrap it in "Destination".

    Raises
    ------
    Wrong
        If a name is unknown or a value is of another type.
    """
    values = mapping("Destination", values)
    if set(values) == {"Destination"}:
        values = mapping("Destination", values["Destination"])
    _known("Destination", values, {"Raw", "Image", "Preview"})
    preview = mapping("Preview", values.get("Preview", {}))
    _known("Preview", preview, {"Period", "SamplingMode", "ImageChannels", "HistogramChannels"})
    given: dict[str, Any] = {}
    if "Period" in preview:
        given["preview_period_s"] = number("Period", preview["Period"])
    if "SamplingMode" in preview:
        given["sampling_mode"] = choice(*SAMPLING_MODES)("SamplingMode", preview["SamplingMode"])
    return Destination(
        raw=_channels(RawChannel, _RAW, "Raw", values),
        image=_channels(ImageChannel, _IMAGE, "Image", values),
        preview=_channels(ImageChannel, _IMAGE, "ImageChannels", preview),
        histogram=_channels(HistogramChannel, _HISTOGRAM, "HistogramChannels", preview),
        **given,
    )


def _channels(kind: type, known: tuple[Field, ...], name: str, values: Mapping[str, Any]) -> Any:
    listed = values.get(name, [])
    if not isinstance(listed, list):
        raise Wrong(f"{name} must be an array, not {listed!r}")
    made = []
    for position, each in enumerate(listed):
        where = f"{name}[{position}]"
        each = mapping(where, each)
        _known(where, each, {field for field, _, _ in known} | _IGNORED)
        if "Base" not in each:
            raise Wrong(f"{where} has no Base")
        made.append(kind(**{to: convert(f, each[f]) for f, to, convert in known if f in each}))
    return tuple(made)


def _known(where: str, values: Mapping[str, Any], names: set[str] | frozenset[str]) -> None:
    for name in values:
        if name not in names:
            raise Wrong(f"unknown field '{name}' in {where}")


def destination_to_json(destination: Destination) -> dict[str, Any]:
    """The object as `GET /server/destination` gives it; channels that are off are left out."""
    made: dict[str, Any] = {}
    if destination.raw:
        made["Raw"] = [_raw(channel) for channel in destination.raw]
    if destination.image:
        made["Image"] = [_named(channel, _IMAGE) for channel in destination.image]
    if destination.preview or destination.histogram:
        preview: dict[str, Any] = {
            "Period": destination.preview_period_s,
            "SamplingMode": destination.sampling_mode,
        }
        if destination.preview:
            preview["ImageChannels"] = [_named(c, _IMAGE) for c in destination.preview]
        if destination.histogram:
            preview["HistogramChannels"] = [_named(c, _HISTOGRAM) for c in destination.histogram]
        made["Preview"] = preview
    return made


def _raw(channel: RawChannel) -> dict[str, Any]:
    if channel.streams:
        return {"Base": channel.base, "QueueSize": channel.queue_size}
    return {
        "Base": channel.base,
        "FilePattern": channel.pattern,
        "SplitStrategy": SPLIT_STRATEGIES[channel.split_frames],
        "QueueSize": channel.queue_size,
    }


def _named(channel: Channel, known: tuple[Field, ...]) -> dict[str, Any]:
    made = {}
    for name, field, _ in known:
        value = getattr(channel, field)
        made[name] = list(value) if isinstance(value, tuple) else value
    return made

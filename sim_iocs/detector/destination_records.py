"""The output channels between records and Serval's JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sim_iocs.serval.destination import (
    FORMATS,
    INTEGRATION_MODES,
    MODES,
    SAMPLING_MODES,
    SPLIT_STRATEGIES,
)

__all__ = ["destination_of_records", "switches_of_destination"]

Get = Callable[[str], Any]

_FILES_ONLY = ("tiff", "pgm", "png")
# irregular names in the driver
_DISK_LIMIT = {"PrvImg": "PrvStpOnDskLim", "PrvImg1": "Prv1StpOnDskLim"}


def destination_of_records(get: Get) -> dict[str, Any]:
    """What is sent to `/server/destination`; empty when no channel is on.

    A second channel whose first is off leaves a null before it, as the driver does.

    Parameters
    ----------
    get
        Value of a record by its name.
    """
    made: dict[str, Any] = {}
    if raw := _pair(get, "Raw", _raw):
        made["Raw"] = raw
    if images := _pair(get, "Img", _image):
        made["Image"] = images
    preview: dict[str, Any] = {}
    if images := _pair(get, "PrvImg", _image):
        preview["ImageChannels"] = images
    if get("WritePrvHst"):
        preview["HistogramChannels"] = [_histogram(get, "PrvHst")]
    if preview:
        made["Preview"] = {
            "Period": get("PrvPeriod_RBV"),
            "SamplingMode": SAMPLING_MODES[get("PrvSmplgMode_RBV")],
            **preview,
        }
    return made


def _pair(get: Get, name: str, make: Callable[[Get, str], dict[str, Any]]) -> list[Any]:
    names = (name, f"{name}1")
    made = [make(get, each) if get(f"Write{each}") else None for each in names]
    while made and made[-1] is None:
        made.pop()
    return made


def _streams(base: str) -> bool:
    return base.startswith("tcp://")


def _raw(get: Get, name: str) -> dict[str, Any]:
    base = get(f"{name}FilePath_RBV")
    made = {"Base": base, "QueueSize": get(f"{name}QueueSize_RBV")}
    if not _streams(base):
        made["FilePattern"] = get(f"{name}FileTemplate_RBV")
        made["SplitStrategy"] = SPLIT_STRATEGIES[get(f"{name}SplitStg_RBV")]
    return made


def _image(get: Get, name: str) -> dict[str, Any]:
    made = _common(get, name)
    if _streams(made["Base"]) and made["Format"] in _FILES_ONLY:
        made["Format"] = "jsonimage"
    numbers = [part.strip() for part in get(f"{name}Ths_RBV").split(",")]
    if thresholds := [int(number) for number in numbers if number.isdecimal()]:
        made["Thresholds"] = thresholds
    return made


def _histogram(get: Get, name: str) -> dict[str, Any]:
    return {
        **_common(get, name),
        "NumberOfBins": get(f"{name}NumBins_RBV"),
        "BinWidth": get(f"{name}BinWidth_RBV"),
        "Offset": get(f"{name}Offset_RBV"),
    }


def _common(get: Get, name: str) -> dict[str, Any]:
    size = get(f"{name}IntgSize_RBV")
    limit = _DISK_LIMIT.get(name, f"{name}StpOnDskLim")
    made = {
        "Base": get(f"{name}FilePath_RBV"),
        "FilePattern": get(f"{name}FileTemplate_RBV"),
        "QueueSize": get(f"{name}QueueSize_RBV"),
        "Format": FORMATS[get(f"{name}FileFmt_RBV")],
        "Mode": MODES[get(f"{name}FileMode_RBV")],
        "IntegrationSize": size,
        # the driver sends truth as a word
        "StopMeasurementOnDiskLimit": "true" if get(f"{limit}_RBV") else "false",
    }
    if size not in (0, 1):
        made["IntegrationMode"] = INTEGRATION_MODES[get(f"{name}IntgMode_RBV")]
    return made


def switches_of_destination(held: Mapping[str, Any]) -> dict[str, bool]:
    """Readbacks of the channels' switches: the driver counts what Serval has of each kind."""
    preview = held.get("Preview") or {}
    made = {}
    for names, channels in (
        (("Raw", "Raw1"), held.get("Raw")),
        (("Img", "Img1"), held.get("Image")),
        (("PrvImg", "PrvImg1"), preview.get("ImageChannels")),
        (("PrvHst",), preview.get("HistogramChannels")),
    ):
        for position, name in enumerate(names):
            made[f"Write{name}_RBV"] = position < len(channels or ())
    return made

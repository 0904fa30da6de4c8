"""Records of Serval's measurement configuration: scanning and time of flight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["MEASUREMENT_RECORDS", "measurement_config_of", "records_of_measurement_config"]

_PLACES = {
    "StemScanWidth": ("Stem", "Scan", "Width"),
    "StemScanHeight": ("Stem", "Scan", "Height"),
    "StemDwellTime": ("Stem", "Scan", "DwellTime"),
    "StemRadiusOuter": ("Stem", "VirtualDetector", "RadiusOuter"),
    "StemRadiusInner": ("Stem", "VirtualDetector", "RadiusInner"),
    "TofTdcReference": ("TimeOfFlight", "TdcReference"),
    "TofMin": ("TimeOfFlight", "Min"),
    "TofMax": ("TimeOfFlight", "Max"),
}
MEASUREMENT_RECORDS = tuple(_PLACES)
"""Set points that are sent when they are written."""


def measurement_config_of(name: str, value: Any) -> dict[str, Any]:
    """What is sent to `/measurement/config` for a write to one of the records."""
    if name == "TofTdcReference":
        value = [part.strip() for part in value.split(",") if part.strip()]
    for key in reversed(_PLACES[name]):
        value = {key: value}
    made: dict[str, Any] = value
    return made


def records_of_measurement_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Readbacks by name."""
    made: dict[str, Any] = {}
    for name, place in _PLACES.items():
        value: Any = config
        for key in place:
            value = value[key]
        made[f"{name}_RBV"] = ", ".join(value) if isinstance(value, list) else value
    return made

"""The measurement configuration: corrections, time of flight and STEM, kept and given back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim_iocs.serval.values import Wrong, integer, mapping, number, strings

__all__ = ["default_measurement_config", "merged"]


def default_measurement_config() -> dict[str, Any]:
    """Values after the start."""
    return {
        "Corrections": {"Multiply": None, "Gapfill": None},
        "Processing": {"Binning": None},
        "TimeOfFlight": {"TdcReference": ["PN0123", "PN0123"], "Min": 0.0, "Max": 1e99},
        "Stem": {
            "Scan": {"Width": 1024, "Height": 1024, "DwellTime": 1e-6},
            "VirtualDetector": {"RadiusOuter": 1024, "RadiusInner": 0},
        },
    }


def merged(held: Mapping[str, Any], values: Any, where: str = "measurement config") -> Any:
    """What is held, with the values of a PUT in place of the old ones.

    Raises
    ------
    Wrong
        If a name is unknown or a value is of another type.
    """
    made = dict(held)
    for name, value in mapping(where, values).items():
        if name not in held:
            raise Wrong(f"unknown field '{name}' in {where}")
        old = held[name]
        if isinstance(old, dict):
            made[name] = merged(old, value, name)
        elif isinstance(old, list):
            made[name] = strings(name, value)
        elif isinstance(old, int):
            made[name] = integer(name, value)
        elif isinstance(old, float):
            made[name] = number(name, value)
        else:
            made[name] = value
    return made

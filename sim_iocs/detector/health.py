"""The detector's health as values of records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["health_values"]


def health_values(health: Mapping[str, Any]) -> dict[str, Any]:
    """Values by record name of what `/detector/health` gives."""
    values: dict[str, Any] = {
        "LocalTemp_RBV": health["LocalTemperature"],
        "FPGATemp_RBV": health["FPGATemperature"],
        "Fan1Speed_RBV": health["Fan1Speed"],
        "Fan2Speed_RBV": health["Fan2Speed"],
        "BiasVoltage_RBV": health["BiasVoltage"],
        "Humidity_RBV": health["Humidity"],
        "ChipTemps_RBV": json.dumps(health["ChipTemperatures"]),
        "VDD_RBV": json.dumps(health["VDD"]),
        "AVDD_RBV": json.dumps(health["AVDD"]),
    }
    values |= {f"CHIP{n}_Temp_RBV": chip for n, chip in enumerate(health["ChipTemperatures"])}
    for rail in range(3):
        values[f"Pwr{rail}_VDD_RBV"] = health["VDD"][rail]
        values[f"Pwr{rail}_AVDD_RBV"] = health["AVDD"][rail]
    return values

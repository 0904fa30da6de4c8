"""Temperatures, voltages and fans, which drift a little."""

from __future__ import annotations

import json
import math
import time
from typing import Any

__all__ = ["health"]

_CHIPS_C = (45, 44, 45, 49)
_DRIFT_PERIOD_S = 600.0
_SUPPLY = (1.5, 0.4, 0.6)


def health(bias_v: float) -> dict[str, Any]:
    """Values by record name; the bias is measured a little below its set value."""
    drift = math.sin(2.0 * math.pi * time.time() / _DRIFT_PERIOD_S)
    chips = [round(c + 1.5 * drift) for c in _CHIPS_C]
    values: dict[str, Any] = {
        "LocalTemp_RBV": round(40.0 + drift, 1),
        "FPGATemp_RBV": round(41.0 + 1.5 * drift, 1),
        "Fan1Speed_RBV": 4800.0,
        "Fan2Speed_RBV": 4750.0,
        "BiasVoltage_RBV": round(0.998 * bias_v, 2),
        "Humidity_RBV": 8,
        "ChipTemps_RBV": json.dumps(chips),
        "VDD_RBV": json.dumps(_SUPPLY),
        "AVDD_RBV": json.dumps(_SUPPLY),
    }
    values |= {f"CHIP{n}_Temp_RBV": chip for n, chip in enumerate(chips)}
    for rail, value in enumerate(_SUPPLY):
        values |= {f"Pwr{rail}_VDD_RBV": value, f"Pwr{rail}_AVDD_RBV": value}
    return values

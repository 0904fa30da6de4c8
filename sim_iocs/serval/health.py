"""Temperatures, voltages and fans, which drift a little, each chip in its own way."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["health_json"]

_CHIPS_C = (45.0, 44.0, 45.0, 49.0)
_DRIFT_PERIOD_S = 600.0
_WARM_UP_S = 300.0
_COLD_BY_C = 8.0
_SUPPLY = (1.5, 0.4, 0.6)


def health_json(now_s: float, on_for_s: float, bias_v: float, fan_pwm: float = 100.0) -> Any:
    """The object of `GET /detector/health`.

    Parameters
    ----------
    now_s
        Time that the drift follows, in s.
    on_for_s
        How long the detector has been on: it warms up for some minutes.
    bias_v
        Set bias in V, 0 when it is off; the measured one is a little below.
    fan_pwm
        Setting of the fans in percent; slow fans cool less.
    """
    phase = 2.0 * math.pi * now_s / _DRIFT_PERIOD_S
    offset = -_COLD_BY_C * math.exp(-on_for_s / _WARM_UP_S) + 0.1 * (100.0 - fan_pwm)
    chips = [
        round(base + offset + 1.5 * math.sin(phase + 1.1 * n) + 0.4 * math.sin(3.7 * phase + n), 1)
        for n, base in enumerate(_CHIPS_C)
    ]
    drift = math.sin(phase)
    return {
        "LocalTemperature": round(40.0 + offset + drift, 2),
        "FPGATemperature": round(41.0 + offset + 1.5 * drift, 2),
        "Fan1Speed": round(48.0 * fan_pwm),
        "Fan2Speed": round(47.5 * fan_pwm),
        "BiasVoltage": round(0.998 * bias_v, 3),
        "Humidity": 8,
        "Pressure": round(1013.0 + 2.0 * math.sin(phase / 60.0), 1),
        "ChipTemperatures": [round(chip) for chip in chips],
        "ChipboardTemperatures": [round(sum(chips) / len(chips) - 3.0, 1)],
        "VDD": list(_SUPPLY),
        "AVDD": list(_SUPPLY),
    }

"""What an operator sets on the sensor: thresholds of the chips and bias, and what they do."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "SensorState",
    "cloud_factor",
    "depleted_um",
    "drift_delay_ns",
    "noise_rate_hz",
    "on_quadrants",
]

#: Bias in V that `cloud_um` of the simulation and its arrival times belong to.
NOMINAL_BIAS_V = 100.0
_FULL_DEPLETION_V = 40.0
_MOBILITY_CM2 = 480.0  # of holes in silicon, in cm²/Vs
_LEAST_V = 1.0
# electronic noise and the spread of the thresholds after equalisation: about 61 and 35 electrons
_NOISE_KEV = 0.255
_CROSSINGS_HZ = 1e6  # of the noise, at zero threshold
_MOST_NOISE_HZ = 1e6  # a chip
_CHIP_PIXELS = 65536


@dataclass(frozen=True)
class SensorState:
    """Thresholds and bias as they are set now.

    Attributes
    ----------
    threshold_shift_kev
        How much higher the threshold of each chip is than that of the parameters, in keV.
    bias_v
        Bias in V; 0 is none, None the nominal one.
    """

    threshold_shift_kev: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    bias_v: float | None = None


def noise_rate_hz(threshold_kev: float) -> float:
    """Hits of a chip a second from noise alone: Rice's formula for its pixels, at most 1e6."""
    height = max(threshold_kev, 0.0) / _NOISE_KEV
    rate = _CHIP_PIXELS * _CROSSINGS_HZ * math.exp(-0.5 * min(height * height, 200.0))
    return 0.0 if rate < 1e-3 else min(rate, _MOST_NOISE_HZ)


def depleted_um(bias_v: float | None, sensor_um: float) -> float:
    """Depth from the pixels that collects charge: the root of the bias up to full depletion."""
    if bias_v is None:
        return sensor_um
    return sensor_um * math.sqrt(min(max(bias_v, 0.0) / _FULL_DEPLETION_V, 1.0))


def cloud_factor(bias_v: float | None) -> float:
    """Radius of the charge cloud over the nominal one: diffusion takes √(2kT/qV) of the path."""
    return 1.0 if bias_v is None else math.sqrt(NOMINAL_BIAS_V / max(bias_v, _LEAST_V))


def drift_delay_ns(bias_v: float | None, sensor_um: float) -> float:
    """How much later than at the nominal bias charge arrives: d²/µV through the whole sensor."""
    if bias_v is None:
        return 0.0
    path = (1e-4 * sensor_um) ** 2 / _MOBILITY_CM2
    return 1e9 * path * (1.0 / max(bias_v, _LEAST_V) - 1.0 / NOMINAL_BIAS_V)


def on_quadrants(by_chip: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of the chips, indexed by [upper half, right half] of the sensor."""
    return np.array([[by_chip[3], by_chip[0]], [by_chip[2], by_chip[1]]], dtype=np.float64)

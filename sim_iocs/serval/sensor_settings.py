"""What thresholds and bias, as Serval holds them, mean for the sensor."""

from __future__ import annotations

from collections.abc import Sequence

from sim_iocs.serval.config import DetectorConfig
from twinbeam.simulate.sensor_state import SensorState

__all__ = ["sensor_state", "threshold_shift_kev"]

# A step of the fine converter is nominally 10 electrons of 3.62 eV, one of the coarse 160 steps.
_STEP_KEV = 10 * 3.62e-3
_FINE_STEPS = 160


def threshold_shift_kev(fine: int, coarse: int, fine_start: int, coarse_start: int) -> float:
    """How much higher than at the start a threshold is: a larger number is closer to noise."""
    return _STEP_KEV * (fine_start - fine + _FINE_STEPS * (coarse_start - coarse))


def sensor_state(
    config: DetectorConfig, shifts_kev: Sequence[float], *, bias_was_on: bool
) -> SensorState:
    """State of the sensor.

    Until the bias has been switched on once the supply is taken to give the nominal one, whatever
    Serval holds, and so it is at a setting of 0 V, which Serval begins with.
    """
    one, two, three, four = shifts_kev
    bias_v: float | None = None
    if bias_was_on and config.bias_v:
        bias_v = float(config.bias_v) if config.bias_on else 0.0
    return SensorState((one, two, three, four), bias_v)

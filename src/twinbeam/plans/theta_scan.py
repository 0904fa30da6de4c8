"""Intensity against angle, point by point."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import bluesky.plan_stubs as bps
import numpy as np
from bluesky.utils import MsgGenerator
from numpy.typing import NDArray
from ophyd import EpicsMotor

from twinbeam.devices import IntensityMonitor
from twinbeam.plans.moves import BACKLASH_DEG

__all__ = ["ThetaScan", "scan_theta", "steps_deg"]


@dataclass(frozen=True, eq=False)
class ThetaScan:
    """Points of one scan: where theta stood, in degrees, and the intensity in counts per second.

    Without a RunEngine, as when a plan is summarised, there are none.
    """

    angles_deg: NDArray[np.float64]
    rates_hz: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.angles_deg)


def steps_deg(centre_deg: float, half_width_deg: float, step_deg: float) -> NDArray[np.float64]:
    """Angles from below the centre to above it, with steps of at most `step_deg`."""
    number = int(np.ceil(2.0 * half_width_deg / step_deg - 1e-9)) + 1
    return centre_deg + np.linspace(-half_width_deg, half_width_deg, max(number, 3))


def scan_theta(
    monitor: IntensityMonitor, theta: EpicsMotor, angles_deg: Iterable[float]
) -> MsgGenerator[ThetaScan]:
    """Count at each angle, in the open run's stream `primary`.

    Parameters
    ----------
    monitor
        What counts; its `intensity` is taken.
    theta
        What moves.
    angles_deg
        Where to count, ascending, in degrees.
    """
    angles = [float(angle) for angle in angles_deg]
    points: list[tuple[float, float]] = []
    yield from bps.checkpoint()
    yield from bps.mv(theta, angles[0] - BACKLASH_DEG)
    for angle in angles:
        yield from bps.checkpoint()
        yield from bps.mv(theta, angle)
        reading = yield from bps.trigger_and_read([monitor, theta])
        if reading:
            points.append(
                (
                    float(reading[theta.user_readback.name]["value"]),
                    float(reading[monitor.intensity.name]["value"]),
                )
            )
    columns = np.array(points, dtype=np.float64).reshape(-1, 2).T
    return ThetaScan(columns[0], columns[1])

"""Intensity against angle, point by point."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import bluesky.plan_stubs as bps
import numpy as np
from bluesky.protocols import Readable
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

    @classmethod
    def empty(cls) -> ThetaScan:
        """A scan without points."""
        return cls(np.empty(0), np.empty(0))

    def __len__(self) -> int:
        return len(self.angles_deg)

    def __add__(self, other: ThetaScan) -> ThetaScan:
        """Both together, by ascending angle."""
        angles = np.concatenate((self.angles_deg, other.angles_deg))
        order = np.argsort(angles, kind="stable")
        return ThetaScan(angles[order], np.concatenate((self.rates_hz, other.rates_hz))[order])

    @property
    def background_hz(self) -> float:
        """Median rate: nearly all points of a coarse scan are beside the peak."""
        return float(np.median(self.rates_hz)) if len(self) else 0.0

    @property
    def range_deg(self) -> tuple[float, float]:
        """Lowest and highest angle; zeros without points."""
        if not len(self):
            return 0.0, 0.0
        return float(self.angles_deg.min()), float(self.angles_deg.max())


def steps_deg(centre_deg: float, half_width_deg: float, step_deg: float) -> NDArray[np.float64]:
    """Angles from below the centre to above it, with steps of at most `step_deg`."""
    number = int(np.ceil(2.0 * half_width_deg / step_deg - 1e-9)) + 1
    return centre_deg + np.linspace(-half_width_deg, half_width_deg, max(number, 3))


def scan_theta(
    monitor: IntensityMonitor,
    theta: EpicsMotor,
    angles_deg: Iterable[float],
    *,
    others: Sequence[Readable] = (),
    stream: str = "primary",
) -> MsgGenerator[ThetaScan]:
    """Count at each angle, in the open run.

    A point that a pause interrupts is counted again when the RunEngine resumes; should its reading
    be lost to the plan by that, it has an event all the same but is none of the points here.

    Parameters
    ----------
    monitor
        What counts; its `intensity` is taken.
    theta
        What moves.
    angles_deg
        Where to count, ascending, in degrees.
    others
        What else is read into each event.
    stream
        Name of the event stream.
    """
    angles = [round(float(angle), 9) for angle in angles_deg]
    points: list[tuple[float, float]] = []
    yield from bps.checkpoint()
    yield from bps.mv(theta, round(angles[0] - BACKLASH_DEG, 9))
    for angle in angles:
        yield from bps.checkpoint()
        yield from bps.mv(theta, angle)
        reading = yield from bps.trigger_and_read([monitor, theta, *others], name=stream)
        if reading and {theta.user_readback.name, monitor.intensity.name} <= reading.keys():
            points.append(
                (
                    float(reading[theta.user_readback.name]["value"]),
                    float(reading[monitor.intensity.name]["value"]),
                )
            )
    yield from bps.checkpoint()  # a later pause does not count the last point again
    columns = np.array(points, dtype=np.float64).reshape(-1, 2).T
    return ThetaScan(columns[0], columns[1])

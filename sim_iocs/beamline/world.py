"""The truth about the beam and the crystal, of which the instruments see a part."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twinbeam.physics import rocking_curve

__all__ = ["Crystal", "Monitor", "ring_current_ma"]

TOP_UP_PERIOD_S = 120.0
TOP_UP_FRACTION = 0.005
FULL_CURRENT_MA = 400.0
NOMINAL_MOSAIC_MDEG = 2.7253


def ring_current_ma(setpoint_ma: float, time_s: float) -> float:
    """Stored current at a time: it decays slowly and is topped up once every two minutes."""
    phase = (time_s / TOP_UP_PERIOD_S) % 1.0
    return setpoint_ma * (1.0 + TOP_UP_FRACTION * (0.5 - phase))


@dataclass(frozen=True)
class Crystal:
    """The down-conversion crystal: its Bragg angle and its mosaic spread, place by place.

    Both are nominal at the origin. The best place, with the least mosaic spread, lies off it.
    """

    bragg_deg: float = 11.576
    mosaic_mdeg: float = NOMINAL_MOSAIC_MDEG
    best_x_mm: float = 0.6
    best_y_mm: float = -0.4
    size_mm: float = 0.8
    mosaic_gain_mdeg: float = 1.2
    warp_mdeg: float = 0.5

    def _badness(self, x_mm: float, y_mm: float) -> float:
        square = (x_mm - self.best_x_mm) ** 2 + (y_mm - self.best_y_mm) ** 2
        return 1.0 - math.exp(-square / (2.0 * self.size_mm**2))

    def mosaic_at(self, x_mm: float, y_mm: float) -> float:
        """Mosaic spread, in millidegrees, where the beam hits."""
        change = self._badness(x_mm, y_mm) - self._badness(0.0, 0.0)
        return self.mosaic_mdeg + self.mosaic_gain_mdeg * change

    def bragg_at(self, x_mm: float, y_mm: float) -> float:
        """Bragg angle, in degrees, where the beam hits: the lattice planes are warped a little."""
        warp_mdeg = self.warp_mdeg * (math.sin(x_mm / 1.5) + 0.5 * math.sin(y_mm / 1.5))
        return self.bragg_deg + 1e-3 * warp_mdeg

    def detuning_deg(self, theta_deg: float, x_mm: float, y_mm: float) -> float:
        """How far the crystal stands above its local Bragg angle, in degrees."""
        return theta_deg - self.bragg_at(x_mm, y_mm)


@dataclass(frozen=True)
class Monitor:
    """The detector of the diffracted beam: its rates, in counts per second."""

    peak_hz: float = 1.0e6
    scatter_hz: float = 200.0
    dark_hz: float = 5.0

    def rate_hz(self, detuning_deg: float, mosaic_mdeg: float, flux: float) -> float:
        """Expected count rate; `flux` is 1 for the full beam and 0 without beam."""
        # The integrated intensity stays, so a wider curve is a lower one.
        peak_hz = self.peak_hz * NOMINAL_MOSAIC_MDEG / mosaic_mdeg
        diffracted = peak_hz * float(rocking_curve(1e3 * detuning_deg, mosaic_mdeg))
        return self.dark_hz + flux * (self.scatter_hz + diffracted)

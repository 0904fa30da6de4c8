"""How a motor travels: it speeds up, goes on, and slows down."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Travel"]


@dataclass(frozen=True)
class Travel:
    """One straight move with a trapezoidal speed.

    Attributes
    ----------
    start, stop
        Where it begins and ends.
    speed
        Greatest speed in units a second.
    ramp_s
        Seconds from rest to that speed.
    longest_s
        No move takes longer; it is quicker all over instead.
    """

    start: float
    stop: float
    speed: float
    ramp_s: float = 0.0
    longest_s: float = math.inf

    def _natural_s(self) -> tuple[float, float]:
        """Seconds of each ramp and of the whole move, without the ceiling."""
        way = abs(self.stop - self.start)
        if way == 0.0 or self.speed <= 0.0:
            return 0.0, 0.0
        ramp_s = min(self.ramp_s, math.sqrt(way * self.ramp_s / self.speed))
        # a short move never gets to full speed; its ramps are shorter
        top = self.speed * ramp_s / self.ramp_s if self.ramp_s > 0.0 else self.speed
        return ramp_s, way / top + ramp_s

    @property
    def lasts_s(self) -> float:
        """Seconds that the move takes."""
        return min(self._natural_s()[1], self.longest_s)

    def position(self, time_s: float) -> float:
        """Where it is a time after the beginning."""
        ramp_s, natural_s = self._natural_s()
        if time_s >= self.lasts_s or natural_s == 0.0:
            return self.stop
        t = max(time_s, 0.0) * natural_s / self.lasts_s
        top = 1.0 / (natural_s - ramp_s)  # share of the way a second
        if t < ramp_s:
            share = 0.5 * top * t * t / ramp_s
        elif t > natural_s - ramp_s:
            left = natural_s - t
            share = 1.0 - 0.5 * top * left * left / ramp_s
        else:
            share = top * (t - 0.5 * ramp_s)
        return self.start + share * (self.stop - self.start)

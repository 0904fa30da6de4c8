"""The stored current: it decays, is topped up, can be lost, and is filled again."""

from __future__ import annotations

import math

from sim_iocs.beamline.description import RingDescription

__all__ = ["StorageRing"]


class StorageRing:
    """Current of the ring, moved on by `advance`.

    Parameters
    ----------
    description
        Life time, top-up and recovery.
    """

    def __init__(self, description: RingDescription) -> None:
        self._description = description
        self._since_top_up_s = 0.0
        self._dark_s: float | None = None
        self.setpoint_ma = description.current_ma
        self.current_ma = description.current_ma
        self.filling = False

    @property
    def dumped(self) -> bool:
        """Whether the beam is lost and the ring is not being filled yet."""
        return self._dark_s is not None

    @property
    def mode(self) -> str:
        """What the operators' screen says."""
        if self.dumped:
            return "Beam dump"
        if self.filling:
            return "Injecting"
        return "Operations" if self.setpoint_ma > 0.0 else "Shutdown"

    def aim_at(self, current_ma: float) -> None:
        """Change the current at once, also after a dump."""
        self.setpoint_ma = self.current_ma = max(current_ma, 0.0)
        self._dark_s, self.filling, self._since_top_up_s = None, False, 0.0

    def dump(self) -> None:
        """Lose the beam."""
        self.current_ma, self.filling, self._dark_s = 0.0, False, 0.0

    def refill(self) -> None:
        """Begin to fill the ring after a dump."""
        if self.dumped:
            self._dark_s, self.filling = None, True

    def advance(self, step_s: float) -> None:
        """Let time pass.

        The beam decays exponentially; injections bring it back to the set point once a top-up
        period. After a dump the ring stays dark for a while, then is filled steadily.
        """
        d = self._description
        if self._dark_s is not None:
            self._dark_s += step_s
            if d.dump_s > 0.0 and self._dark_s >= d.dump_s:
                self.refill()
            return
        if self.filling:
            self.current_ma = min(self.current_ma + d.fill_ma_s * step_s, self.setpoint_ma)
            self.filling = self.current_ma < self.setpoint_ma
            self._since_top_up_s = 0.0
            return
        self._since_top_up_s += step_s
        if self._since_top_up_s >= d.top_up_period_s:
            self._since_top_up_s %= d.top_up_period_s
            self.current_ma = self.setpoint_ma
        else:
            self.current_ma *= math.exp(-step_s / (3600.0 * d.lifetime_h))

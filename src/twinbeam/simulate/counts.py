"""How much of what a simulated acquisition holds."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Counts"]


@dataclass
class Counts:
    """Running counts of an acquisition.

    Attributes
    ----------
    hits
        Hits in the raw data, those of hot pixels included.
    hits_hot
        Hits of hot pixels.
    hits_lost
        Hits that were lost because they fell on a busy pixel.
    photons
        Photons that came to the sensor.
    photons_recorded
        Those that left at least one hit.
    pairs_on_sensor, pairs_transmitted, pairs_detected
        Pairs with both photons on the sensor area, those whose signal passed the sample, and those
        of which both photons left hits.
    photons_by_kind
        Photons by the label of their `PhotonKind`.
    """

    hits: int = 0
    hits_hot: int = 0
    hits_lost: int = 0
    photons: int = 0
    photons_recorded: int = 0
    pairs_on_sensor: int = 0
    pairs_transmitted: int = 0
    pairs_detected: int = 0
    photons_by_kind: dict[str, int] = field(default_factory=dict)

    def add(self, *, photons_by_kind: dict[str, int], **counts: int) -> None:
        """Add the counts of a piece of time."""
        for name, n in counts.items():
            setattr(self, name, getattr(self, name) + n)
        for kind, n in photons_by_kind.items():
            self.photons_by_kind[kind] = self.photons_by_kind.get(kind, 0) + n

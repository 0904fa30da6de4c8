"""Where raw bytes come from, and the beam that acts on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from twinbeam.simulate import Truth

__all__ = ["Beam", "Source"]


class Source(Protocol):
    """Where raw bytes come from: the simulated experiment, or a recorded file."""

    def start(self) -> bytes:
        """Begin an acquisition."""

    def advance(self, duration_s: float, detuning_deg: float = ..., flux: float = ...) -> bytes:
        """Raw bytes of the next slice of time."""

    def stop(self) -> bytes:
        """What the read-out still holds."""

    def take_truth(self) -> Truth:
        """Pairs since `start`, or since the last call."""


@dataclass
class Beam:
    """State of the beam on the crystal, as the beamline says it is."""

    detuning_deg: float = 0.0
    flux: float = 0.0

"""Unrelated copies: shifts in time that keep the singles and break the relation."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twinbeam.pairs.parameters import Replicas
from twinbeam.pairs.search import replica_shifts

__all__ = ["Replica", "TurnShifts"]


class Replica(Protocol):
    """Which shifts of the second detection make unrelated copies of a measurement.

    A good shift leaves the rate a detection sees unchanged (whole turns of a ring, neighbouring
    frames) and is longer than any true relation.
    """

    def shifts(self) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Labels of the copies and their shifts in the unit of the detections' times.

        The first is the measurement itself, label 0 and shift 0; no other label is 0.
        """
        ...


class TurnShifts:
    """Shifts by whole turns of the ring, in ticks: the bunch train looks the same (SPDC pairs)."""

    def __init__(self, replicas: Replicas) -> None:
        self._replicas = replicas

    def shifts(self) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """0, then ±1, ±2 … turns."""
        return replica_shifts(self._replicas)

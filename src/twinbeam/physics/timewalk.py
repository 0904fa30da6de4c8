"""Timewalk: small pulses cross the threshold late."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["timewalk_ns"]


def timewalk_ns(
    tot_ns: ArrayLike, amplitude_ns: float = 167.0, decay_per_ns: float = 0.016
) -> NDArray[np.float64]:
    """Delay in ns of a hit of a given ToT: ``w = B exp(-k ToT)`` (public CHX test values)."""
    return amplitude_ns * np.exp(-decay_per_ns * np.asarray(tot_ns, dtype=np.float64))


def timewalk_pole_ns(
    energy_kev: ArrayLike, strength_ns_kev: float, pole_kev: float, constant_ns: float
) -> NDArray[np.float64]:
    """Delay in ns of a hit of a given energy: ``w = c / (E - t) + d`` (Pitters et al. 2019).

    Energies at or below the pole have no finite delay and give infinity.
    """
    above = np.asarray(energy_kev, dtype=np.float64) - pole_kev
    safe = np.where(above > 0.0, above, 1.0)
    return np.where(above > 0.0, strength_ns_kev / safe + constant_ns, np.inf)

"""Time over threshold and energy of one pixel: ``ToT = a E + b - c / (E - t)``."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["energy_from_tot_kev", "tot_from_energy_ns"]


def tot_from_energy_ns(
    energy_kev: ArrayLike, a: ArrayLike, b: ArrayLike, c: ArrayLike, t: ArrayLike
) -> NDArray[np.float64]:
    """ToT in ns of an energy in keV; 0 at or below the threshold energy `t`.

    a in ns/keV, b in ns, c in ns·keV, t in keV, scalars or one value a photon.
    """
    energy = np.asarray(energy_kev, dtype=np.float64)
    above = energy - np.asarray(t)
    safe = np.where(above > 0.0, above, 1.0)
    linear = np.asarray(a) * energy + np.asarray(b)
    return np.where(above > 0.0, np.maximum(linear - np.asarray(c) / safe, 0.0), 0.0)


def energy_from_tot_kev(
    tot_ns: ArrayLike, a: ArrayLike, b: ArrayLike, c: ArrayLike, t: ArrayLike
) -> NDArray[np.float64]:
    """Energy in keV of a ToT in ns: the larger root of the response, always above `t`.

    ``E = {t a + ToT - b + √[(b + t a - ToT)² + 4 a c]} / (2 a)``.
    """
    tot = np.asarray(tot_ns, dtype=np.float64)
    slope = np.asarray(a)
    offset = np.asarray(b) + np.asarray(t) * slope
    root = np.sqrt((offset - tot) ** 2 + 4.0 * slope * np.asarray(c))
    return (2.0 * np.asarray(t) * slope - offset + tot + root) / (2.0 * slope)

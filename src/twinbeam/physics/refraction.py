"""What the refractive index of the crystal does to the pair detuning."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["index_detuning_mdeg", "refraction_decrement"]

#: δ of diamond at 15 keV, n = 1 - δ.
_DELTA_15KEV = 3.24177e-6


def refraction_decrement(energy_kev: ArrayLike) -> NDArray[np.float64]:
    """δ of diamond, n = 1 - δ: proportional to E⁻², far from the edges of carbon."""
    return _DELTA_15KEV * (15.0 / np.asarray(energy_kev, dtype=np.float64)) ** 2


def index_detuning_mdeg(
    fraction: ArrayLike, bragg_deg: float, pump_kev: float = 15.0
) -> NDArray[np.float64]:
    """How much less than the goniometer's detuning the pairs show (Eq. 1), in millidegrees.

    With n = 1 - δ the balance of momenta is ``α_s α_i = 2 [sin 2θ Δθ - δ (1/(b (1 - b)) - 1)]``
    for the signal's energy fraction b; 1.4 mdeg for two equal photons at 15 keV.
    """
    b = np.asarray(fraction, dtype=np.float64)
    missing = refraction_decrement(pump_kev) * (1.0 / (b * (1.0 - b)) - 1.0)
    return np.degrees(missing / np.sin(2.0 * np.radians(bragg_deg))) * 1e3

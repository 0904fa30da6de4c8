"""Wavelength and Bragg angle."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["bragg_angle_deg", "wavelength_angstrom"]

HC_KEV_ANGSTROM = 12.398419843320026  # h·c from the exact SI constants


def wavelength_angstrom(energy_kev: ArrayLike) -> NDArray[np.float64]:
    """Photon wavelength in ångström."""
    return HC_KEV_ANGSTROM / np.asarray(energy_kev, dtype=np.float64)


def bragg_angle_deg(
    energy_kev: ArrayLike,
    lattice_angstrom: float = 3.56712,
    hkl: tuple[int, int, int] = (1, 1, 1),
) -> NDArray[np.float64]:
    """Bragg angle in degrees of a cubic crystal, diamond (111) by default.

    ``sin θ_B = λ |hkl| / (2 a)``, without refraction.
    """
    spacing = lattice_angstrom / np.sqrt(float(sum(index * index for index in hkl)))
    return np.degrees(np.arcsin(wavelength_angstrom(energy_kev) / (2.0 * spacing)))

"""How much of the beam passes slits, foils and gases."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence

import numpy as np

from twinbeam.physics import FWHM_PER_SIGMA, bragg_angle_deg

__all__ = [
    "SILICON_ANGSTROM",
    "absorption_per_cm",
    "best_foils",
    "foil_transmission",
    "gaussian_through_gap",
    "mono_bragg_deg",
]

SILICON_ANGSTROM = 5.4310


@functools.lru_cache(maxsize=4096)
def absorption_per_cm(material: str, energy_kev: float) -> float:
    """Linear absorption coefficient in 1/cm, from the tables of `xraydb` (Elam et al. 2002)."""
    import xraydb  # takes most of a second, so it is not imported with this module

    return float(xraydb.material_mu(material, 1e3 * energy_kev))


def foil_transmission(material: str, thickness_um: float, energy_kev: float) -> float:
    """Share of photons that pass: ``exp(-µ(E) t)``."""
    if thickness_um == 0.0:
        return 1.0
    return math.exp(-absorption_per_cm(material, round(energy_kev, 4)) * 1e-4 * thickness_um)


def best_foils(
    transmission: float, material: str, thickness_um: Sequence[float], energy_kev: float
) -> tuple[bool, ...]:
    """Which foils to put in to come closest to a transmission, on a logarithmic scale."""
    mu_per_um = absorption_per_cm(material, round(energy_kev, 4)) * 1e-4
    wanted = -math.log(min(max(transmission, 1e-30), 1.0))
    sets = np.array(list(itertools.product((False, True), repeat=len(thickness_um))))
    optical_depth = mu_per_um * (sets @ np.asarray(thickness_um, dtype=np.float64))
    return tuple(bool(each) for each in sets[int(np.argmin(np.abs(optical_depth - wanted)))])


def gaussian_through_gap(gap_mm: float, centre_mm: float, fwhm_mm: float) -> float:
    """Share of a Gaussian beam that passes two blades."""
    scale = math.sqrt(2.0) * fwhm_mm / float(FWHM_PER_SIGMA)
    low, high = centre_mm - 0.5 * gap_mm, centre_mm + 0.5 * gap_mm
    return max(0.5 * (math.erf(high / scale) - math.erf(low / scale)), 0.0)


def mono_bragg_deg(energy_kev: float) -> float:
    """Bragg angle of the monochromator's silicon (111) in degrees."""
    return float(bragg_angle_deg(energy_kev, SILICON_ANGSTROM))

"""Bragg and dynamical diffraction of the diamond (111) reflection."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

from sim_iocs.beamline.crystal import NOMINAL_MOSAIC_MDEG
from twinbeam.physics import bragg_angle_deg, rocking_curve

__all__ = [
    "Darwin",
    "bragg_reading_deg",
    "chi_shift_deg",
    "darwin",
    "phi_shift_deg",
    "reflected_fraction",
]


class Darwin(NamedTuple):
    """Reflection of a thick perfect crystal, all in millidegrees.

    `width_mdeg` is where it would be total without absorption, `fwhm_mdeg` its FWHM, and
    `offset_mdeg` how much above the Bragg angle of vacuum the middle is, for refraction.
    """

    width_mdeg: float
    fwhm_mdeg: float
    offset_mdeg: float


@functools.lru_cache(maxsize=4096)
def darwin(energy_kev: float, lattice_angstrom: float = 3.56712) -> Darwin:
    """Darwin profile of diamond (111), s polarisation.

    From `xraydb.darwin_width`, after Als-Nielsen and McMorrow, Elements of Modern X-ray Physics,
    second edition, section 6.4. At 15 keV it is 0.6746 wide, 0.7155 FWHM, and 0.944 mdeg above
    the Bragg angle: 2δ/sin 2θ.
    """
    import xraydb  # takes most of a second, so it is not imported with this module

    found = xraydb.darwin_width(
        1e3 * energy_kev, crystal="C", hkl=(1, 1, 1), a=lattice_angstrom, polarization="s"
    )
    mdeg = 1e3 * math.degrees(1.0)
    return Darwin(
        float(found.theta_width) * mdeg,
        float(found.theta_fwhm) * mdeg,
        float(found.theta_offset) * mdeg,
    )


def bragg_reading_deg(
    energy_kev: float,
    reading_deg: float = 11.576,
    reading_kev: float = 15.0,
    lattice_angstrom: float = 3.56712,
) -> float:
    """Reading of theta on top of the rocking curve at an energy, in degrees.

    Bragg's law with the refraction of dynamical diffraction; the zero of the goniometer is such
    that it reads `reading_deg` at `reading_kev`. An energy that no angle reflects reads 90°.
    """

    def centre_deg(energy: float) -> float:
        angle = float(bragg_angle_deg(energy, lattice_angstrom))
        return angle + 1e-3 * darwin(round(energy, 4), lattice_angstrom).offset_mdeg

    if energy_kev == reading_kev:
        return reading_deg
    if 12.3984198 / energy_kev * math.sqrt(3.0) / (2.0 * lattice_angstrom) >= 1.0:
        return 90.0
    return reading_deg + centre_deg(energy_kev) - centre_deg(reading_kev)


def chi_shift_deg(bragg_deg: float, chi_deg: float) -> float:
    """How much more theta must turn when the crystal is tilted by chi, in degrees.

    The planes' normal leaves the plane of theta by chi, so that ``sin θ cos χ = sin θ_B``.
    """
    sine = math.sin(math.radians(bragg_deg)) / max(math.cos(math.radians(chi_deg)), 1e-9)
    return math.degrees(math.asin(min(sine, 1.0))) - bragg_deg


def phi_shift_deg(phi_deg: float, miscut_deg: float) -> float:
    """How much the planes turn in theta when phi turns about the surface normal, in degrees."""
    return miscut_deg * math.sin(math.radians(phi_deg))


def reflected_fraction(
    offset_mdeg: float, mosaic_mdeg: float, instrument_mdeg: float, width_mdeg: float
) -> float:
    """Intensity at an offset from the top, 1 on top at the nominal mosaic spread.

    The shape is `twinbeam.physics.rocking_curve`: Darwin ⊗ Gaussians. The integrated intensity
    does not depend on the mosaic spread, so a wider curve is a lower one.
    """
    shape = float(rocking_curve(offset_mdeg, mosaic_mdeg, instrument_mdeg, width_mdeg))
    nominal = math.hypot(NOMINAL_MOSAIC_MDEG, instrument_mdeg)
    return shape * nominal / math.hypot(mosaic_mdeg, instrument_mdeg)

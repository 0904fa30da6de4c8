"""Currents that ion chamber and diode give for a photon rate."""

from __future__ import annotations

import functools
import math

from sim_iocs.beamline.optics import absorption_per_cm
from twinbeam.physics import silicon_efficiency

__all__ = ["diode_current_a", "ion_chamber_current_a"]

_CHARGE_C = 1.602176634e-19
_EV_PER_PAIR_NITROGEN = 34.8  # ICRU Report 31
_EV_PER_PAIR_SILICON = 3.66
_NITROGEN_LENGTH_CM = 10.0


@functools.lru_cache(maxsize=1024)
def _absorbed_in_nitrogen(energy_kev: float) -> float:
    return -math.expm1(-absorption_per_cm("nitrogen", energy_kev) * _NITROGEN_LENGTH_CM)


def ion_chamber_current_a(photons_hz: float, energy_kev: float) -> float:
    """Current of 10 cm of nitrogen: absorbed photons × E / 34.8 eV × e, in amperes."""
    if photons_hz == 0.0:
        return 0.0
    pairs = photons_hz * _absorbed_in_nitrogen(round(energy_kev, 4)) * 1e3 * energy_kev
    return pairs / _EV_PER_PAIR_NITROGEN * _CHARGE_C


def diode_current_a(photons_hz: float, energy_kev: float) -> float:
    """Current of a 300 µm silicon diode: stopped photons × E / 3.66 eV × e, in amperes."""
    stopped = photons_hz * float(silicon_efficiency(energy_kev))
    return stopped * 1e3 * energy_kev / _EV_PER_PAIR_SILICON * _CHARGE_C

"""The photon pairs that the present state of the beamline makes."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from twinbeam.physics import index_detuning_mdeg, pair_acceptance, ring_radius_px

__all__ = ["PairState", "acceptance", "pair_detuning_deg", "pair_state"]

_LEAST_DETUNING_DEG = 1e-6


@dataclass(frozen=True)
class PairState:
    """What there is to see of the pairs: ring radius in pixels, acceptance, pairs per second."""

    radius_px: float
    acceptance: float
    rate_hz: float


def pair_detuning_deg(detuning_deg: float, bragg_deg: float, pump_kev: float, index: bool) -> float:
    """Detuning that pairs of equal energies show, in degrees.

    With the refractive index it is `twinbeam.physics.index_detuning_mdeg` less than the
    goniometer's: 1.4 mdeg at 15 keV.
    """
    if not index:
        return detuning_deg
    return detuning_deg - 1e-3 * float(index_detuning_mdeg(0.5, bragg_deg, pump_kev))


@functools.lru_cache(maxsize=512)
def acceptance(
    detuning_deg: float,
    bragg_deg: float,
    distance_m: float,
    pixel_um: float,
    centre_px: tuple[float, float],
    stop_half_px: float,
) -> float:
    """Share of pairs with both photons on the sensor (`twinbeam.physics.pair_acceptance`)."""
    if detuning_deg < _LEAST_DETUNING_DEG:
        return 0.0
    return pair_acceptance(
        detuning_deg, bragg_deg, distance_m, pixel_um, centre_px, stop_half_px=stop_half_px
    )


def pair_state(
    detuning_deg: float,
    bragg_deg: float,
    distance_m: float,
    pixel_um: float,
    centre_px: tuple[float, float],
    stop_half_px: float,
    emitted_hz: float,
) -> PairState:
    """Ring, acceptance and rate on the sensor.

    Parameters
    ----------
    emitted_hz
        Pairs that the crystal emits per second. They do not depend on the detuning: it only sets
        where they go (Eq. 1 of Optica 13, 135, 2026).
    """
    if detuning_deg < _LEAST_DETUNING_DEG:
        return PairState(0.0, 0.0, 0.0)
    share = acceptance(
        round(detuning_deg, 5),
        round(bragg_deg, 3),
        round(distance_m, 4),
        pixel_um,
        (round(centre_px[0], 1), round(centre_px[1], 1)),
        round(stop_half_px, 1),
    )
    radius = float(ring_radius_px(detuning_deg, bragg_deg, distance_m, pixel_um))
    return PairState(radius, share, emitted_hz * share)

"""The pair ring on the detector in the small-angle form of the SPDC paper (Optica 13, 135, 2026).

The equations are those the group's own analysis uses; ``triangle`` holds the exact ones, from which
these differ by about 1e-4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "pair_detuning_deg",
    "partner_radius_from_energy_px",
    "partner_radius_px",
    "photon_energy_kev",
    "radius_to_angle_rad",
    "ring_angle_rad",
    "ring_radius_px",
    "shared_energy_kev",
    "sharpened_radius_px",
]


def _angle_product(detuning_deg: ArrayLike, bragg_deg: float) -> NDArray[np.float64]:
    """``2 Δθ sin 2θ``, the product of the two emission angles, in rad²."""
    return 2.0 * np.radians(np.asarray(detuning_deg)) * np.sin(2.0 * np.radians(bragg_deg))


def ring_angle_rad(detuning_deg: ArrayLike, bragg_deg: float) -> NDArray[np.float64]:
    """Emission angle of two photons of equal energy: ``α₀ = √(2 Δθ sin 2θ)``."""
    return np.sqrt(_angle_product(detuning_deg, bragg_deg))


def ring_radius_px(
    detuning_deg: ArrayLike, bragg_deg: float, distance_m: float, pixel_um: float
) -> NDArray[np.float64]:
    """Radius in pixels at which photons of half the pump energy land (Eq. 3)."""
    return distance_m * np.tan(ring_angle_rad(detuning_deg, bragg_deg)) / (pixel_um * 1e-6)


def radius_to_angle_rad(
    radius_px: ArrayLike, distance_m: float, pixel_um: float
) -> NDArray[np.float64]:
    """Emission angle of a photon that landed at a radius (Eq. 3 inverted)."""
    return np.arctan(np.asarray(radius_px, dtype=np.float64) * (pixel_um * 1e-6) / distance_m)


def _angle_to_radius_px(
    angle_rad: NDArray[np.float64], distance_m: float, pixel_um: float
) -> NDArray[np.float64]:
    """Radius at which a photon lands (Eq. 3); infinite from 90° on."""
    forward = np.where(angle_rad < 0.5 * np.pi, angle_rad, 0.0)
    radius = distance_m * np.tan(forward) / (pixel_um * 1e-6)
    return np.where(angle_rad < 0.5 * np.pi, radius, np.inf)


def pair_detuning_deg(
    signal_rad: ArrayLike, idler_rad: ArrayLike, bragg_deg: float
) -> NDArray[np.float64]:
    """Detuning measured by one pair (Eq. 1): ``Δθ = α_s α_i / (2 sin 2θ)``, in degrees."""
    product = np.asarray(signal_rad) * np.asarray(idler_rad)
    return np.degrees(product / (2.0 * np.sin(2.0 * np.radians(bragg_deg))))


def photon_energy_kev(
    angle_rad: ArrayLike, pump_kev: float, detuning_deg: ArrayLike, bragg_deg: float
) -> NDArray[np.float64]:
    """Energy in keV of a photon from its angle and the pair's detuning (Eq. 4)."""
    angle = np.asarray(angle_rad, dtype=np.float64)
    return pump_kev / (angle * angle / _angle_product(detuning_deg, bragg_deg) + 1.0)


def partner_radius_px(
    radius_px: ArrayLike,
    detuning_deg: ArrayLike,
    bragg_deg: float,
    distance_m: float,
    pixel_um: float,
) -> NDArray[np.float64]:
    """Radius in pixels of the twin of a photon at a radius (Eq. 5, first form).

    Infinite for radii so small that the twin flies sideways or backwards.
    """
    angle = radius_to_angle_rad(radius_px, distance_m, pixel_um)
    with np.errstate(divide="ignore"):
        twin = _angle_product(detuning_deg, bragg_deg) / angle
    return _angle_to_radius_px(twin, distance_m, pixel_um)


def partner_radius_from_energy_px(
    radius_px: ArrayLike, fraction: ArrayLike, detuning_deg: ArrayLike, bragg_deg: float
) -> NDArray[np.float64]:
    """Radius in pixels of the twin of a photon of known energy share (Eq. 5, second form).

    ``r' = r tan α_i / tan α_s`` with ``α_s = √(2 Δθ sin 2θ (1 - b)/b)`` and
    ``α_i = √(2 Δθ sin 2θ b/(1 - b))``; about ``r b/(1 - b)``. In print the roots leave out the
    energy shares, which gives 0.444 instead of 0.667 for b = 0.4.

    Parameters
    ----------
    fraction
        Energy of the photon at `radius_px` over the pump energy, b.
    """
    b = np.asarray(fraction, dtype=np.float64)
    product = _angle_product(detuning_deg, bragg_deg)
    ratio = np.tan(np.sqrt(product * b / (1.0 - b))) / np.tan(np.sqrt(product * (1.0 - b) / b))
    return np.asarray(radius_px, dtype=np.float64) * ratio


def sharpened_radius_px(
    idler_px: ArrayLike,
    measured_detuning_deg: ArrayLike,
    nominal_detuning_deg: float,
    distance_m: float,
    pixel_um: float,
) -> NDArray[np.float64]:
    """Idler radius corrected to the nominal detuning (Eq. 6): ``L tan(Δθ_nom/Δθ_calc · α')``.

    Infinite where the corrected idler would fly sideways or backwards.
    """
    angle = radius_to_angle_rad(idler_px, distance_m, pixel_um)
    scaled = nominal_detuning_deg / np.asarray(measured_detuning_deg) * angle
    return _angle_to_radius_px(scaled, distance_m, pixel_um)


def shared_energy_kev(
    signal_rad: ArrayLike, idler_rad: ArrayLike, pump_kev: float
) -> NDArray[np.float64]:
    """Signal energy in keV from both angles by the law of sines; exact for any detuning."""
    signal, idler = np.sin(signal_rad), np.sin(idler_rad)
    return pump_kev * idler / (signal + idler)

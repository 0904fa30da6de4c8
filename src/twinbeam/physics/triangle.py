"""Exact kinematics of a photon pair: momentum conservation as a triangle.

Inside the crystal ``k_s + k_i = K = k_p + G``. In units of the pump wave number the triangle has
the sides ``b`` (signal energy fraction), ``1 - b`` and ``ε = |K|/k_p``. All angles are measured
from the direction of ``K`` and are in radians.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "axis_tilt_deg",
    "closure_defect",
    "detuning_from_angles_deg",
    "emission_angle_rad",
    "energy_fraction",
    "partner_angle_rad",
]


def closure_defect(detuning_deg: ArrayLike, bragg_deg: float) -> NDArray[np.float64]:
    """``1 - ε``: how much shorter ``K`` is than the pump wave vector.

    From ``ε² = 1 + 4 sin²θ_B - 4 sin θ_B sin(θ_B + Δθ)``, rewritten without cancellation.
    Negative detuning gives a negative defect, for which no pair can be emitted.
    """
    theta = np.radians(bragg_deg)
    delta = np.radians(np.asarray(detuning_deg, dtype=np.float64))
    product = 8.0 * np.sin(theta) * np.cos(theta + delta / 2.0) * np.sin(delta / 2.0)
    return product / (1.0 + np.sqrt(1.0 - product))


def axis_tilt_deg(detuning_deg: ArrayLike, bragg_deg: float) -> NDArray[np.float64]:
    """How much farther from the direct beam ``K``, the axis of the ring, is than 2 θ_B.

    ``K = k_p + G`` leaves the planes under ``atan[(2 sin θ_B - sin θ)/cos θ]`` with
    θ = θ_B + Δθ; to first order the axis turns by ``2 sin²θ_B Δθ``.
    """
    bragg = np.radians(bragg_deg)
    theta = bragg + np.radians(np.asarray(detuning_deg, dtype=np.float64))
    leaves = np.arctan2(2.0 * np.sin(bragg) - np.sin(theta), np.cos(theta))
    return np.degrees(leaves + theta - 2.0 * bragg)


def emission_angle_rad(fraction: ArrayLike, defect: ArrayLike) -> NDArray[np.float64]:
    """Angle between a photon and ``K`` from its energy fraction; NaN where the triangle is open.

    Half-angle formula of the triangle ``(b, 1 - b, ε)``.
    """
    b = np.asarray(fraction, dtype=np.float64)
    d = np.asarray(defect, dtype=np.float64)
    half = (2.0 - d) / 2.0
    with np.errstate(invalid="ignore", divide="ignore"):
        squared = (half - b) * (d / 2.0) / (half * (b - d / 2.0))
        return 2.0 * np.arctan(np.sqrt(squared))


def energy_fraction(angle_rad: ArrayLike, defect: ArrayLike) -> NDArray[np.float64]:
    """Energy fraction of a photon from its angle: ``b = (1 - ε²) / (2 (1 - ε cos α))``."""
    d = np.asarray(defect, dtype=np.float64)
    epsilon = 1.0 - d
    sine = np.sin(np.asarray(angle_rad, dtype=np.float64) / 2.0)
    return d * (2.0 - d) / (2.0 * (d + 2.0 * epsilon * sine * sine))


def partner_angle_rad(angle_rad: ArrayLike, defect: ArrayLike) -> NDArray[np.float64]:
    """Angle of the other photon: ``tan(α_s/2) tan(α_i/2) = (1 - ε)/(1 + ε)`` for every split."""
    d = np.asarray(defect, dtype=np.float64)
    tangent = np.tan(np.asarray(angle_rad, dtype=np.float64) / 2.0)
    return 2.0 * np.arctan(d / (2.0 - d) / tangent)


def detuning_from_angles_deg(
    signal_rad: ArrayLike, idler_rad: ArrayLike, bragg_deg: float
) -> NDArray[np.float64]:
    """Detuning in degrees that makes the two angles a pair (exact partner of Eq. 1)."""
    q = np.tan(np.asarray(signal_rad) / 2.0) * np.tan(np.asarray(idler_rad) / 2.0)
    defect = 2.0 * q / (1.0 + q)
    sine = np.sin(np.radians(bragg_deg))
    sum_sine = sine + defect * (2.0 - defect) / (4.0 * sine)
    return np.degrees(np.arcsin(sum_sine)) - bragg_deg

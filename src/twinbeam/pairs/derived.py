"""Quantities of a pair that are computed from its stored columns when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.physics import Geometry

if TYPE_CHECKING:
    from twinbeam.pairs.pairs import Pairs

__all__ = ["DERIVED_UNITS", "derived_quantity"]

Column = NDArray[np.float64]

# Scalar functions of the C library in plain loops, so that a value does not depend on its
# neighbours: results are bit-identical however a table is cut.


@nb.njit(cache=True, nogil=True)
def _angles_deg(radius: Column, scale: float) -> Column:
    out = np.empty(radius.size)
    for i in range(radius.size):
        out[i] = math.degrees(math.atan(radius[i] * scale))
    return out


@nb.njit(cache=True, nogil=True)
def _exact_detuning_deg(r1: Column, r2: Column, scale: float, bragg: float) -> Column:
    out = np.empty(r1.size)
    sine = math.sin(bragg)
    for i in range(r1.size):
        q = math.tan(0.5 * math.atan(r1[i] * scale)) * math.tan(0.5 * math.atan(r2[i] * scale))
        defect = 2.0 * q / (1.0 + q)
        out[i] = math.degrees(math.asin(sine + defect * (2.0 - defect) / (4.0 * sine)) - bragg)
    return out


@nb.njit(cache=True, nogil=True)
def _azimuth_deg(x1: Column, y1: Column, x2: Column, y2: Column, cx: float, cy: float) -> Column:
    out = np.empty(x1.size)
    for i in range(x1.size):
        ax, ay = x1[i] - cx, y1[i] - cy
        bx, by = cx - x2[i], cy - y2[i]  # the idler mirrored at the axis
        out[i] = math.degrees(math.atan2(ax * by - ay * bx, ax * bx + ay * by))
    return out


@nb.njit(cache=True, nogil=True)
def _shared_energy_kev(own: Column, partner: Column, scale: float, pump: float) -> Column:
    out = np.empty(own.size)
    for i in range(own.size):
        a, b = math.sin(math.atan(own[i] * scale)), math.sin(math.atan(partner[i] * scale))
        out[i] = pump * b / (a + b) if a + b > 0.0 else 0.5 * pump
    return out


@nb.njit(cache=True, nogil=True)
def _radius_energy_kev(radius: Column, scale: float, pump: float, product: float) -> Column:
    out = np.empty(radius.size)
    for i in range(radius.size):
        angle = math.atan(radius[i] * scale)
        out[i] = pump / (angle * angle / product + 1.0)
    return out


def _scale(geometry: Geometry) -> float:
    """Pixels to tangent."""
    return geometry.pixel_um * 1e-6 / geometry.distance_m


def _geometric(pairs: Pairs, geometry: Geometry, own: str, partner: str) -> Column:
    radii = getattr(pairs, own), getattr(pairs, partner)
    return np.asarray(_shared_energy_kev(*radii, _scale(geometry), geometry.energy_kev))


def _by_radius(pairs: Pairs, geometry: Geometry, radius: str) -> Column:
    bragg = math.radians(geometry.bragg_deg)
    product = 2.0 * math.radians(geometry.detuning_deg) * math.sin(2.0 * bragg)
    return np.asarray(
        _radius_energy_kev(getattr(pairs, radius), _scale(geometry), geometry.energy_kev, product)
    )


def _exact(pairs: Pairs, geometry: Geometry) -> Column:
    bragg = math.radians(geometry.bragg_deg)
    return np.asarray(_exact_detuning_deg(pairs.r1, pairs.r2, _scale(geometry), bragg))


def _azimuth(pairs: Pairs, geometry: Geometry) -> Column:
    places = (pairs.x1, pairs.y1, pairs.x2, pairs.y2)
    return np.asarray(_azimuth_deg(*places, *geometry.centre_px))


#: Every derived quantity and its unit.
DERIVED_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "alpha1_deg": "deg",
        "alpha2_deg": "deg",
        "azimuth_deg": "deg",
        "detuning_exact_deg": "deg",
        "e1_geometric_kev": "keV",
        "e2_geometric_kev": "keV",
        "e1_radius_kev": "keV",
        "e2_radius_kev": "keV",
        "e1_residual_kev": "keV",
        "e2_residual_kev": "keV",
        "energy_sum_kev": "keV",
        "energy_sum_radius_kev": "keV",
    }
)

_FORMULAS: Mapping[str, Callable[[Pairs, Geometry], Column]] = {
    "alpha1_deg": lambda p, g: np.asarray(_angles_deg(p.r1, _scale(g))),
    "alpha2_deg": lambda p, g: np.asarray(_angles_deg(p.r2, _scale(g))),
    "azimuth_deg": _azimuth,
    "detuning_exact_deg": _exact,
    "e1_geometric_kev": lambda p, g: _geometric(p, g, "r1", "r2"),
    "e2_geometric_kev": lambda p, g: _geometric(p, g, "r2", "r1"),
    "e1_radius_kev": lambda p, g: _by_radius(p, g, "r1"),
    "e2_radius_kev": lambda p, g: _by_radius(p, g, "r2"),
    "e1_residual_kev": lambda p, g: p.e1 - _by_radius(p, g, "r1"),
    "e2_residual_kev": lambda p, g: p.e2 - _by_radius(p, g, "r2"),
    "energy_sum_radius_kev": lambda p, g: _by_radius(p, g, "r1") + _by_radius(p, g, "r2"),
}


def derived_quantity(pairs: Pairs, name: str, geometry: Geometry | None) -> Column:
    """One of `DERIVED_UNITS` for every pair.

    ``alpha1_deg``, ``alpha2_deg``
        Emission angles (Eq. 3 inverted).
    ``azimuth_deg``
        Azimuth of the idler minus that of the signal, less 180°, within ±180°; 0 is back to back.
    ``detuning_exact_deg``
        Detuning from ``tan(α₁/2) tan(α₂/2) = (1 - ε)/(1 + ε)``, the exact partner of Eq. 1.
    ``e1_geometric_kev``, ``e2_geometric_kev``
        Law of sines, ``E_p sin α_partner / (sin α₁ + sin α₂)``; exact for any detuning.
    ``e1_radius_kev``, ``e2_radius_kev``, ``energy_sum_radius_kev``
        Energy of each photon from its own radius at the nominal detuning (Eq. 4), and their sum.
    ``e1_residual_kev``, ``e2_residual_kev``
        Energy from ToT minus that from the radius.
    ``energy_sum_kev``
        Sum of the energies from ToT.

    Raises
    ------
    KeyError
        If there is no such quantity.
    ValueError
        If it needs the geometry and none is given.
    """
    if name == "energy_sum_kev":
        return pairs.e1 + pairs.e2
    formula = _FORMULAS[name]
    if geometry is None:
        raise ValueError(f"{name} needs the geometry")
    return formula(pairs, geometry)

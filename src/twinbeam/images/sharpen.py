"""Photons of pairs put where the nominal detuning would have put them (Eq. 6)."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.pairs import Pairs
from twinbeam.physics import Geometry

__all__ = ["sharpened_idler", "sharpened_pair"]

Column = NDArray[np.float64]


@nb.njit(cache=True, nogil=True)
def _corrected(
    x: Column,
    y: Column,
    r: Column,
    detuning: Column,
    cx: float,
    cy: float,
    nominal: float,
    scale: float,
    symmetric: bool,
) -> tuple[Column, Column]:
    """Places with the angle times nominal/detuning, or times the root of it."""
    n = x.size
    out_x, out_y = np.empty(n), np.empty(n)
    for i in range(n):
        stretch = 1.0
        if r[i] > 0.0 and detuning[i] > 0.0:
            factor = nominal / detuning[i]
            if symmetric:
                factor = math.sqrt(factor)
            angle = factor * math.atan(r[i] * scale)
            stretch = math.tan(angle) / scale / r[i] if angle < 0.5 * math.pi else math.inf
        out_x[i] = cx + stretch * (x[i] - cx)
        out_y[i] = cy + stretch * (y[i] - cy)
    return out_x, out_y


def _places(
    pairs: Pairs, geometry: Geometry, photon: str, symmetric: bool
) -> tuple[Column, Column]:
    x, y, r = (getattr(pairs, name + photon) for name in "xyr")
    found: tuple[Column, Column] = _corrected(
        x,
        y,
        r,
        pairs.detuning_deg,
        geometry.centre_px[0],
        geometry.centre_px[1],
        geometry.detuning_deg,
        geometry.pixel_um * 1e-6 / geometry.distance_m,
        symmetric,
    )
    return found


def sharpened_idler(pairs: Pairs, geometry: Geometry) -> tuple[Column, Column]:
    """Places on the 514 grid where the idlers of pairs would be at the nominal detuning.

    The radius follows Eq. 6, which makes it a function of the partner's radius alone; the azimuth
    stays the idler's own.
    """
    return _places(pairs, geometry, "2", False)


def sharpened_pair(pairs: Pairs, geometry: Geometry) -> tuple[Column, Column, Column, Column]:
    """Places x1, y1, x2, y2 of both photons at the nominal detuning, the error shared evenly.

    Both angles are multiplied by ``√(Δθ_nom/Δθ_calc)``, so that Eq. 1 gives the nominal detuning.
    Unlike Eq. 6 alone, each photon keeps what it measured itself: the two images stay independent.
    """
    return (*_places(pairs, geometry, "1", True), *_places(pairs, geometry, "2", True))

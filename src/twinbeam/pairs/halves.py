"""Photons of the two regions of the detector: halves, opposite quadrants or masks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinbeam.errors import RecipeError
from twinbeam.pairs.parameters import Pairing
from twinbeam.photons import Photons
from twinbeam.physics import Geometry

__all__ = [
    "OPPOSITE",
    "REGION_CODES",
    "region_at",
    "region_map",
    "region_of",
    "split_halves",
]

#: The idler region of every signal region.
OPPOSITE: Mapping[str, str] = MappingProxyType(
    {
        "top": "bottom",
        "bottom": "top",
        "left": "right",
        "right": "left",
        "top_left": "bottom_right",
        "bottom_right": "top_left",
        "top_right": "bottom_left",
        "bottom_left": "top_right",
    }
)

#: Numbers by which the compiled kernel knows the signal region.
REGION_CODES: Mapping[str, int] = MappingProxyType(
    {
        "top": 0,
        "bottom": 1,
        "left": 2,
        "right": 3,
        "top_left": 4,
        "bottom_right": 5,
        "top_right": 6,
        "bottom_left": 7,
        "map": 8,
    }
)
Real = float | np.floating[Any]
_NO_MAP = np.zeros((0, 0), np.uint8)


@nb.njit(cache=True, nogil=True)
def region_at(x: Real, y: Real, cx: Real, cy: Real, code: int, regions: NDArray[np.uint8]) -> int:
    """Region of one place: 0 none, 1 signal, 2 idler; for use inside compiled loops.

    A place exactly on a line through the axis (cx, cy) is above or to the right of it.

    Parameters
    ----------
    code
        One of `REGION_CODES`.
    regions
        Region of every pixel [y, x], looked at with the code of ``map`` only.
    """
    upper, right = y >= cy, x >= cx
    if code <= 1:
        return 1 if upper == (code == 0) else 2
    if code <= 3:
        return 1 if right == (code == 3) else 2
    if code <= 5:
        if upper == right:
            return 0
        return 1 if upper == (code == 4) else 2
    if code <= 7:
        if upper != right:
            return 0
        return 1 if upper == (code == 6) else 2
    row, column = math.floor(y + 0.5), math.floor(x + 0.5)
    if row < 0 or column < 0 or row >= regions.shape[0] or column >= regions.shape[1]:
        return 0
    return regions[int(row), int(column)]


@nb.njit(cache=True, nogil=True)
def _regions_of(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    cx: Real,
    cy: Real,
    code: int,
    regions: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    out = np.empty(x.size, np.uint8)
    for i in range(x.size):
        out[i] = region_at(x[i], y[i], cx, cy, code, regions)
    return out


def region_of(
    x: ArrayLike,
    y: ArrayLike,
    signal: str | NDArray[np.uint8],
    centre_px: tuple[float, float],
) -> NDArray[np.uint8]:
    """Region of every place: 0 none, 1 signal, 2 idler.

    The lines through the axis belong to the upper or right side. Quadrants leave the other two
    quadrants out.

    Parameters
    ----------
    x, y
        Places on the 514 grid in pixels; they are compared in single precision, as photons are.
    signal
        Name of the signal half or quadrant, a key of `OPPOSITE`, the idler region being opposite;
        or a map of `region_map`, in which the nearest pixel counts.
    centre_px
        The axis, x and y in pixels.
    """
    named = isinstance(signal, str)
    return np.asarray(
        _regions_of(
            np.atleast_1d(np.asarray(x, np.float32)),
            np.atleast_1d(np.asarray(y, np.float32)),
            np.float32(centre_px[0]),
            np.float32(centre_px[1]),
            REGION_CODES[signal] if isinstance(signal, str) else REGION_CODES["map"],
            _NO_MAP if named else np.ascontiguousarray(signal, np.uint8),
        )
    )


def region_map(
    signal: NDArray[np.bool_], idler: NDArray[np.bool_], side_px: int = 514
) -> NDArray[np.uint8]:
    """Two masks [y, x] as one map of regions, for `region_of` and `split_halves`.

    Raises
    ------
    RecipeError
        If a mask has another shape than the grid or no pixel, or a pixel is in both.
    """
    one, two = np.asarray(signal, dtype=bool), np.asarray(idler, dtype=bool)
    for name, mask in (("signal", one), ("idler", two)):
        if mask.shape != (side_px, side_px):
            raise RecipeError(
                f"the {name} mask has the shape {mask.shape}, not {(side_px, side_px)}",
                where="pairing",
                hint="masks are on the grid with the gap between the chips",
            )
        if not mask.any():
            raise RecipeError(f"the {name} mask holds no pixel", where="pairing")
    both = np.argwhere(one & two)
    if len(both):
        row, column = both[0]
        raise RecipeError(
            f"{len(both)} pixels are in both masks, the first at x = {column}, y = {row}",
            where="pairing",
            hint="a photon is either signal or idler",
        )
    return (one + 2 * two).astype(np.uint8)


def split_halves(
    photons: Photons,
    pairing: Pairing,
    geometry: Geometry,
    regions: NDArray[np.uint8] | None = None,
) -> tuple[Photons, Photons, dict[str, int]]:
    """Photons that are tried, as signal and idler region, and what was rejected by reason.

    The halves are split at the axis; a photon exactly on the line is in the upper or right half.
    Photons in neither of two quadrants or masks are rejected as ``elsewhere``, a reason that two
    halves do not have.

    Parameters
    ----------
    regions
        A map of `region_map`, which takes the place of `pairing.signal_half`.
    """
    low, high = pairing.photon_kev
    below, above = photons.energy_kev < low, photons.energy_kev > high
    rejected = {
        "energy_low": int(np.count_nonzero(below)),
        "energy_high": int(np.count_nonzero(above)),
    }
    photons = photons[~(below | above)]
    wanted: str | NDArray[np.uint8] = pairing.signal_half if regions is None else regions
    region = region_of(photons.x, photons.y, wanted, geometry.centre_px)
    if not (isinstance(wanted, str) and REGION_CODES[wanted] <= 3):
        rejected["elsewhere"] = int(np.count_nonzero(region == 0))
    return photons[region == 1], photons[region == 2], rejected

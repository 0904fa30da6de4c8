"""Pixels whose hits do not count, and the largest ToT a hit may have."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import RecipeError
from twinbeam.parameters import FileReference, read_arrays
from twinbeam.physics import Geometry
from twinbeam.tpx3 import CHIP_PIXELS, SENSOR_PIXELS, TOT_STEP_NS

__all__ = ["PIXEL_REASONS", "pixel_rules"]

#: Why a pixel does not count; the place in this tuple, from 1 on, is the code in files and rules.
PIXEL_REASONS = ("masked", "hot", "dead", "beam_stop")
CEILING_BITS = 10
NO_CEILING = (1 << CEILING_BITS) - 1
_SHAPE = (SENSOR_PIXELS, SENSOR_PIXELS)


def pixel_rules(geometry: Geometry, masked: NDArray[np.bool_] | None = None) -> NDArray[np.uint16]:
    """What decides about a hit besides its time, by pixel.

    Parameters
    ----------
    geometry
        Names the file of pixels and the beam stop.
    masked
        512 × 512 array indexed [y, x], True for further pixels that do not count.

    Returns
    -------
    array
        512 × 512, [y, x]: the largest ToT in steps of 25 ns, plus 1024 times the code of the
        reason for which no hit counts; no rows when every hit counts.

    Raises
    ------
    RecipeError
        If the file of pixels cannot be read or holds something else.
    """
    reason = np.zeros(_SHAPE, np.uint16)
    ceiling = np.full(_SHAPE, NO_CEILING, np.uint16)
    if geometry.beam_stop_half_px > 0.0:
        reason[_beneath_stop(geometry)] = 1 + PIXEL_REASONS.index("beam_stop")
    if geometry.pixels is not None:
        arrays = _read_pixels(geometry.pixels)
        reason = np.where(arrays["reason"] > 0, arrays["reason"], reason).astype(np.uint16)
        if "tot_ceiling_ns" in arrays:
            most = NO_CEILING * TOT_STEP_NS
            steps = np.minimum(arrays["tot_ceiling_ns"], most).astype(np.int64) // TOT_STEP_NS
            ceiling = steps.astype(np.uint16)
    if masked is not None:
        reason[masked] = 1 + PIXEL_REASONS.index("masked")
    rules = ((reason << CEILING_BITS) | ceiling).astype(np.uint16)
    return rules if np.any(rules != NO_CEILING) else np.empty((0, 0), np.uint16)


def _beneath_stop(geometry: Geometry) -> NDArray[np.bool_]:
    place = np.arange(SENSOR_PIXELS)
    place = np.where(place >= CHIP_PIXELS, place + geometry.gap_px, place)
    x, y = (np.abs(place - centre) <= geometry.beam_stop_half_px for centre in geometry.centre_px)
    return np.logical_and.outer(y, x)


def _read_pixels(reference: FileReference) -> dict[str, NDArray[Any]]:
    path = reference.path
    arrays = read_arrays(reference)
    unknown = set(arrays) - {"reason", "tot_ceiling_ns"}
    if unknown or "reason" not in arrays:
        raise RecipeError(
            f"holds {', '.join(sorted(arrays)) or 'nothing'}",
            where=path,
            hint="a file of pixels holds 'reason' and, if wanted, 'tot_ceiling_ns'",
        )
    for name, array in arrays.items():
        if array.shape != _SHAPE or array.dtype.kind not in "ui":
            raise RecipeError(f"'{name}' is not 512 x 512 whole numbers", where=path)
        if array.min() < 0:
            raise RecipeError(
                f"'{name}' has values below 0", where=path, hint="60000 is no ceiling"
            )
    if arrays["reason"].max() > len(PIXEL_REASONS):
        raise RecipeError(
            f"'reason' has codes beyond {len(PIXEL_REASONS)}", where=path,
            hint="0 counts; " + ", ".join(f"{i + 1} {r}" for i, r in enumerate(PIXEL_REASONS)),
        )  # fmt: skip
    return arrays

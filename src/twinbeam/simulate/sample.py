"""What stands between crystal and sensor: the sample in the signal half, and the beam stop."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinbeam.simulate.parameters import SimulationParameters

__all__ = ["behind_stop", "transmits"]


def transmits(x: ArrayLike, y: ArrayLike, parameters: SimulationParameters) -> NDArray[np.bool_]:
    """Whether a photon flying towards a place on the 514 grid passes the sample.

    The spokes are opaque sectors of equal width around the ring axis, with gaps of the same width.
    A pair keeps its azimuth, so the idler image shows the same sectors on the opposite side.
    """
    dx = np.asarray(x, dtype=np.float64) - parameters.centre_px[0]
    dy = np.asarray(y, dtype=np.float64) - parameters.centre_px[1]
    if parameters.sample == "none":
        return np.ones(np.shape(dx), dtype=bool)
    turns = np.nan_to_num(np.arctan2(dy, dx) / np.pi)  # no place where no pair can be emitted
    sector = np.floor(turns * (2 * parameters.n_spokes + 1)).astype(np.int64)
    return (dy <= 0.0) | (sector % 2 == 0)


def behind_stop(x: ArrayLike, y: ArrayLike, parameters: SimulationParameters) -> NDArray[np.bool_]:
    """Whether a place on the 514 grid is in the shadow of the beam stop."""
    dx = np.abs(np.asarray(x, dtype=np.float64) - parameters.centre_px[0])
    dy = np.abs(np.asarray(y, dtype=np.float64) - parameters.centre_px[1])
    return np.maximum(dx, dy) < parameters.beam_stop_px

"""What stands between crystal and sensor: the sample in the signal half, and the beam stop."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinbeam.simulate.keyed import keyed_uniform
from twinbeam.simulate.parameters import SimulationParameters

__all__ = ["Mask", "behind_stop", "passes", "transmits"]

# number of the draw that decides; the response of the pixels takes lower ones
_DRAW = 27


class Mask(Protocol):
    """Matter in the way of the photons."""

    def transmission(
        self, x_px: NDArray[np.float64], y_px: NDArray[np.float64], energy_kev: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Share of photons that pass, at places from the middle of the mask, by their energy."""


def transmits(x: ArrayLike, y: ArrayLike, parameters: SimulationParameters) -> NDArray[np.bool_]:
    """Whether a photon flying towards a place on the 514 grid passes the sample.

    The spokes are opaque sectors of equal width around the ring axis, with gaps of the same width.
    A pair keeps its azimuth, so the idler image shows the same sectors on the opposite side.
    """
    dx, dy = _from_middle(x, y, parameters)
    if parameters.sample == "none":
        return np.ones(np.shape(dx), dtype=bool)
    turns = np.nan_to_num(np.arctan2(dy, dx) / np.pi)  # no place where no pair can be emitted
    sector = np.floor(turns * (2 * parameters.n_spokes + 1)).astype(np.int64)
    return (dy <= 0.0) | (sector % 2 == 0)


def passes(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    energy_kev: NDArray[np.float64],
    key: NDArray[np.uint64],
    parameters: SimulationParameters,
    mask: Mask | None,
) -> NDArray[np.bool_]:
    """Whether photons pass the sample: a mask lets them by chance, the spokes all or none.

    Parameters
    ----------
    x, y
        Where they fly to on the 514 grid.
    energy_kev
        Their energies in keV, or one for all.
    key
        Where their random numbers come from.
    parameters
        Place of the axis and of the sample.
    mask
        What stands in place of the opaque spokes, if anything.
    """
    if mask is None or parameters.sample == "none":
        return transmits(x, y, parameters)
    dx, dy = _from_middle(x, y, parameters)
    energy = np.broadcast_to(energy_kev, dx.shape)
    share = mask.transmission(dx, dy, energy)
    passed: NDArray[np.bool_] = share >= 1.0
    by_chance = np.flatnonzero((share > 0.0) & ~passed)
    passed[by_chance] = keyed_uniform(key[by_chance], _DRAW) < share[by_chance]
    return passed


def behind_stop(x: ArrayLike, y: ArrayLike, parameters: SimulationParameters) -> NDArray[np.bool_]:
    """Whether a place on the 514 grid is in the shadow of the beam stop."""
    dx = np.abs(np.asarray(x, dtype=np.float64) - parameters.centre_px[0])
    dy = np.abs(np.asarray(y, dtype=np.float64) - parameters.centre_px[1])
    return np.maximum(dx, dy) < parameters.beam_stop_px


def _from_middle(
    x: ArrayLike, y: ArrayLike, parameters: SimulationParameters
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places from the middle of the sample."""
    centre, moved = parameters.centre_px, parameters.sample_offset_px
    dx = np.asarray(x, dtype=np.float64) - (centre[0] + moved[0])
    dy = np.asarray(y, dtype=np.float64) - (centre[1] + moved[1])
    return dx, dy

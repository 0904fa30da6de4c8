"""The energy scale of each pixel relative to the response of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinbeam.calibrate.curve import CurveFit
from twinbeam.calibrate.deviations import pixel_deviations
from twinbeam.calibrate.revise import require_significant, revised
from twinbeam.calibrate.robust import robust_sigma
from twinbeam.errors import RecipeError, StorageError
from twinbeam.parameters import FileReference
from twinbeam.physics import energy_from_tot_kev
from twinbeam.pipeline import Recipe
from twinbeam.tpx3 import CHIP_PIXELS, SENSOR_PIXELS, TOT_STEP_NS, Hits

__all__ = ["PixelEnergyCalibration", "calibrate_pixel_energy"]

_WINDOW = 3.0
_LEAST_HITS = 1000
_N = SENSOR_PIXELS**2


@dataclass(frozen=True, eq=False)
class PixelEnergyCalibration:
    """How much larger each pixel reads an energy than the sensor as a whole.

    Attributes
    ----------
    scale, error
        Scale [y, x], shrunk towards 1 as far as its hits do not determine it, and the standard
        error of that.
    n
        Hits behind each, [y, x].
    spread, spread_error
        True spread of the scales over pixels (standard deviation), and its standard error.
    hit_sigma
        Spread of one hit within a pixel, as a share of its energy.
    before, after
        The same for all pixels together with one response, and with these scales.
    curve
        The response of all pixels that the scales belong to.
    n_used, n_rejected
        Hits in the scales, and hits too far from the peak.
    """

    scale: NDArray[np.float64]
    error: NDArray[np.float64]
    n: NDArray[np.int64]
    spread: float
    spread_error: float
    hit_sigma: float
    before: float
    after: float
    curve: CurveFit
    n_used: int
    n_rejected: int

    def table(self) -> NDArray[np.float64]:
        """a, b, c, t of every pixel, [y, x, parameter].

        A pixel that reads g times the energy has the response of all at g E.
        """
        a, b, c, t = self.curve.values
        g = self.scale
        return np.stack((a * g, np.full_like(g, b), c / g, t / g), axis=-1)

    def levelled(self, hits: Hits) -> NDArray[np.float64]:
        """ToT in ns that a pixel with the response of all would have given for these hits."""
        by_tot = energy_from_tot_kev(np.arange(1024) * TOT_STEP_NS, *self.curve.values)
        energy = by_tot[np.minimum(hits.tot_ns // TOT_STEP_NS, 1023)]
        return self.curve.tot_ns(energy / self.scale[hits.y, hits.x])

    def save(self, path: str | Path) -> Path:
        """Write the table as npy with the axes [x, y, parameter], as recipes name it.

        Raises
        ------
        StorageError
            If the file cannot be written.
        """
        path = Path(path)
        try:
            with path.open("wb") as stream:
                np.save(stream, self.table().transpose(1, 0, 2), allow_pickle=False)
        except OSError as error:
            raise StorageError(f"cannot be written: {error.strerror}", where=str(path)) from error
        return path

    def apply(self, recipe: Recipe, path: str | Path) -> Recipe:
        """The recipe with the response of all pixels and the table that `save` wrote to `path`.

        Raises
        ------
        RecipeError
            If the hits do not show that pixels differ.
        """
        require_significant("spread of the energy scale of pixels", self.spread, self.spread_error)
        a, b, c, t = self.curve.values
        return revised(
            recipe,
            "response",
            a_ns_per_kev=a,
            b_ns=b,
            c_ns_kev=c,
            t_kev=t,
            per_pixel=FileReference.of(path).model_dump(),
        )


def calibrate_pixel_energy(
    singles: Mapping[float, Hits], curve: CurveFit
) -> PixelEnergyCalibration:
    """Find the scale of each pixel.

    The hits of all energies are compared with the mean of all pixels at the same energy, so that
    the charge single hits lack does not matter. Pixels along the gap are twice as wide, lack less,
    and are compared among themselves.

    Parameters
    ----------
    singles
        Hits that are a photon by themselves, by their energy in keV.
    curve
        Response of all pixels.

    Raises
    ------
    RecipeError
        If there are too few hits.
    """
    pixel, ratio, exposure = _ratios(singles, curve)
    if pixel.size < _LEAST_HITS:
        raise RecipeError(
            f"{pixel.size} single hits are too few, {_LEAST_HITS} are asked",
            where="energy per pixel",
            hint="take longer exposures",
        )
    before = robust_sigma(ratio)
    found = pixel_deviations(pixel, ratio - 1.0, exposure)
    scale = 1.0 + found.value
    n = np.bincount(pixel, minlength=_N)
    after = robust_sigma(ratio / scale[pixel])
    shape = (SENSOR_PIXELS, SENSOR_PIXELS)
    return PixelEnergyCalibration(
        scale=scale.reshape(shape),
        error=found.error.reshape(shape),
        n=n.reshape(shape),
        spread=found.spread,
        spread_error=found.spread_error,
        hit_sigma=found.noise,
        before=before,
        after=after,
        curve=curve,
        n_used=pixel.size,
        n_rejected=sum(len(hits) for hits in singles.values()) - pixel.size,
    )


def _ratios(
    singles: Mapping[float, Hits], curve: CurveFit
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Pixel of each hit, its energy over the mean of hits like it, and a number of those."""
    by_tot = energy_from_tot_kev(np.arange(1024) * TOT_STEP_NS, *curve.values)
    pixels, ratios, kinds = [np.empty(0, np.int64)], [np.empty(0)], [np.empty(0, np.int64)]
    for energy, hits in singles.items():
        x, y = hits.x.astype(np.int64), hits.y.astype(np.int64)
        ratio = by_tot[np.minimum(hits.tot_ns // TOT_STEP_NS, 1023)] / energy
        wide = (np.abs(x - CHIP_PIXELS + 0.5) < 1.0) | (np.abs(y - CHIP_PIXELS + 0.5) < 1.0)
        for kind in (wide, ~wide):
            if np.count_nonzero(kind) < 20:
                continue
            value = ratio[kind]
            middle, sigma = float(np.median(value)), robust_sigma(value)
            for _ in range(5):
                near = np.abs(value - middle) < _WINDOW * sigma
                middle = float(value[near].mean())
            keep = np.abs(value - middle) < 3.0 * _WINDOW * sigma
            ratios.append(value[keep] / middle)
            pixels.append((y[kind] * SENSOR_PIXELS + x[kind])[keep])
            kinds.append(np.full(int(keep.sum()), len(kinds)))
    return np.concatenate(pixels), np.concatenate(ratios), np.concatenate(kinds)

"""Hot and dead pixels from the number of hits in each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, uniform_filter1d
from scipy.special import betainc

from twinbeam.calibrate.revise import revised
from twinbeam.errors import RecipeError, StorageError
from twinbeam.parameters import FileReference
from twinbeam.pipeline import Recipe
from twinbeam.tpx3 import CHIP_PIXELS, SENSOR_PIXELS, Hits

__all__ = ["PixelCalibration", "PixelReason", "calibrate_pixels", "hits_per_pixel"]

_REACH = 8  # pixels on each side that a pixel is compared with
_HALF_WIDTH = 1  # of these strips; a dead double column must not fill them
_MOST_BAD = 0.1
_MOST_ROUNDS = 20
_SHAPE = (SENSOR_PIXELS, SENSOR_PIXELS)


class PixelReason(IntEnum):
    """Why a pixel does not count."""

    GOOD = 0
    MASKED = 1
    HOT = 2
    DEAD = 3
    BEAM_STOP = 4


@dataclass(frozen=True, eq=False)
class PixelCalibration:
    """What was found about each pixel; images are 512 × 512, indexed [y, x].

    Attributes
    ----------
    reason
        `PixelReason` of every pixel.
    counts
        Hits in every pixel.
    expected
        What its neighbours let expect.
    exposure_s
        Duration of the exposure.
    false_positives
        Good pixels that are called hot or dead by chance, on average and at most.
    n_untestable
        Pixels whose silence would not be noticed: too few hits around them.
    tot_ceiling_ns
        Largest ToT that counts, when it was found too.
    """

    reason: NDArray[np.uint8]
    counts: NDArray[np.int64]
    expected: NDArray[np.float64]
    exposure_s: float
    false_positives: float
    n_untestable: int
    tot_ceiling_ns: NDArray[np.uint16] | None = None

    @property
    def n_hot(self) -> int:
        """Pixels found hot."""
        return int(np.count_nonzero(self.reason == PixelReason.HOT))

    @property
    def n_dead(self) -> int:
        """Pixels found dead."""
        return int(np.count_nonzero(self.reason == PixelReason.DEAD))

    @property
    def n_rejected(self) -> int:
        """Hits in pixels that do not count."""
        return int(self.counts[self.reason != PixelReason.GOOD].sum())

    @property
    def n_used(self) -> int:
        """Hits in good pixels."""
        return int(self.counts.sum()) - self.n_rejected

    def with_ceilings(self, tot_ceiling_ns: NDArray[np.uint16]) -> PixelCalibration:
        """The same with a ToT ceiling for every pixel."""
        return replace(self, tot_ceiling_ns=tot_ceiling_ns)

    def save(self, path: str | Path) -> Path:
        """Write ``reason`` and, if known, ``tot_ceiling_ns`` as npz.

        Raises
        ------
        StorageError
            If the file cannot be written.
        """
        path = Path(path)
        arrays: dict[str, NDArray[np.generic]] = {"reason": self.reason}
        if self.tot_ceiling_ns is not None:
            arrays["tot_ceiling_ns"] = self.tot_ceiling_ns
        try:
            with path.open("wb") as stream:
                np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
        except OSError as error:
            raise StorageError(f"cannot be written: {error.strerror}", where=str(path)) from error
        return path

    def apply(self, recipe: Recipe, path: str | Path) -> Recipe:
        """The recipe with the file of pixels that `save` wrote to `path`.

        Raises
        ------
        RecipeError
            If there was nothing to judge by, or so many pixels are bad that something else is.
        """
        bad = self.n_hot + self.n_dead
        if not self.counts.any() or bad > _MOST_BAD * self.reason.size:
            raise RecipeError(
                f"{int(self.counts.sum())} hits and {bad} bad pixels are no basis for a mask",
                where="pixels",
                hint="take an exposure that lights the whole sensor; the recipe was not changed",
            )
        return revised(recipe, "geometry", pixels=FileReference.of(path).model_dump())


def hits_per_pixel(hits: Hits) -> NDArray[np.int64]:
    """Number of hits in each pixel, [y, x]."""
    place = hits.y.astype(np.int64) * SENSOR_PIXELS + hits.x
    return np.bincount(place, minlength=SENSOR_PIXELS**2).reshape(_SHAPE).astype(np.int64)


def calibrate_pixels(
    counts: NDArray[np.int64],
    exposure_s: float = 0.0,
    *,
    known: NDArray[np.uint8] | None = None,
    gap_px: int = 2,
    false_positives: float = 0.1,
    hot_ratio: float = 3.0,
    dead_ratio: float = 0.2,
) -> PixelCalibration:
    """Find pixels that fire too often or too seldom.

    A pixel is compared with the hits in the 3 × 8 pixels on each of its four sides; it is bad when
    all four say so, so neither the edge of a shadow nor a bright ring is (the one pixel in a sharp
    corner of a shadow may be). How improbable its count is, given those, is the exact (binomial)
    Poisson test of two counts.

    Parameters
    ----------
    counts
        Hits in each pixel, [y, x].
    exposure_s
        Duration in seconds, for the record.
    known
        `PixelReason` of pixels that are out already; those keep their reason and teach nothing.
    gap_px
        Gap between the chips; the pixels along it are wider and get more hits.
    false_positives
        Good pixels of the whole sensor that may be called bad by chance on average.
    hot_ratio, dead_ratio
        A bad pixel must also have more than `hot_ratio` or less than `dead_ratio` times the hits
        expected; real pixels differ a little in threshold and size.
    """
    reason = np.zeros(_SHAPE, np.uint8) if known is None else known.astype(np.uint8)
    out = reason != PixelReason.GOOD
    area = _area(gap_px)
    level = 0.5 * false_positives / counts.size
    # far more than most neighbours: taken out first, or one would hide the next
    around = median_filter(counts, size=9, mode="nearest")
    wild = counts > 10.0 * np.maximum(around, 1.0) * area + 20.0
    hot = np.zeros(_SHAPE, bool)
    for _ in range(_MOST_ROUNDS):
        found = ~out & _too_many(counts, _Sides(counts, area, out | hot | wild), level, hot_ratio)
        if np.array_equal(found, hot) and not wild.any():
            break
        hot, wild = found, np.zeros(_SHAPE, bool)
    dead = np.zeros(_SHAPE, bool)
    for _ in range(_MOST_ROUNDS):
        sides = _Sides(counts, area, out | hot | dead)
        found = ~out & ~hot & _too_few(counts, sides, level, dead_ratio)
        if np.array_equal(found, dead):
            break
        dead = found
    silent = _too_few(np.zeros_like(counts), sides, level, dead_ratio)
    reason = reason.copy()
    reason[hot], reason[dead] = PixelReason.HOT, PixelReason.DEAD
    return PixelCalibration(
        reason=reason,
        counts=counts,
        expected=sides.expected(),
        exposure_s=exposure_s,
        false_positives=false_positives,
        n_untestable=int(np.count_nonzero(~silent & ~out)),
    )


def _area(gap_px: int) -> NDArray[np.float64]:
    """Area of each pixel in units of a normal one; the gap belongs to the pixels along it."""
    width = np.ones(SENSOR_PIXELS)
    width[CHIP_PIXELS - 1 : CHIP_PIXELS + 1] += 0.5 * gap_px
    return np.outer(width, width)


class _Sides:
    """Hits and area of the good pixels on the four sides of every pixel, [side, y, x]."""

    def __init__(
        self,
        counts: NDArray[np.int64],
        area: NDArray[np.float64],
        excluded: NDArray[np.bool_],
    ) -> None:
        teaches = (~excluded).astype(np.float64)
        self.area = area
        self.hits = np.round(_strips(counts * teaches))
        self.space = _strips(area * teaches)
        self.known = self.space > 0.5

    def expected(self) -> NDArray[np.float64]:
        """Hits that all four together let expect in each pixel."""
        return self.area * self.hits.sum(axis=0) / np.maximum(self.space.sum(axis=0), 1e-9)

    def ratio(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Hits over expectation for each side; NaN where a side has no good pixel."""
        rate = np.maximum(self.hits, 0.5) / np.where(self.known, self.space, np.nan)
        return counts / (self.area * rate)


def _strips(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over the 3 × 8 pixels on the four sides of every pixel, [side, y, x]."""
    wide = 2 * _HALF_WIDTH + 1
    at = np.arange(SENSOR_PIXELS)
    sums = []
    for turned in (False, True):
        lying = image.T if turned else image
        across = uniform_filter1d(lying, wide, axis=1, mode="constant") * wide
        running = np.vstack((np.zeros(SENSOR_PIXELS), np.cumsum(across, axis=0)))
        before = running[at] - running[np.maximum(at - _REACH, 0)]
        after = running[np.minimum(at + _REACH + 1, SENSOR_PIXELS)] - running[at + 1]
        sums += [side.T if turned else side for side in (before, after)]
    return np.stack(sums)


def _too_many(
    counts: NDArray[np.int64], sides: _Sides, level: float, ratio: float
) -> NDArray[np.bool_]:
    """Pixels with improbably many hits against each of their sides."""
    found = _against_all(sides, sides.ratio(counts) > ratio)
    y, x = np.nonzero(found)
    k, n, q, known = _two_counts(counts, sides, y, x)
    # of k + n hits each is here with probability q: P(N ≥ k)
    found[y, x] = np.all((betainc(np.maximum(k, 1), n + 1.0, q) < level) | ~known, axis=0)
    return found


def _too_few(
    counts: NDArray[np.int64], sides: _Sides, level: float, ratio: float
) -> NDArray[np.bool_]:
    """Pixels with improbably few hits against each of their sides."""
    found = _against_all(sides, (sides.ratio(counts) < ratio) & (sides.hits > 0))
    y, x = np.nonzero(found)
    k, n, q, known = _two_counts(counts, sides, y, x)
    found[y, x] = np.all((betainc(np.maximum(n, 1), k + 1.0, 1.0 - q) < level) | ~known, axis=0)
    return found


def _against_all(sides: _Sides, each: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.all(each | ~sides.known, axis=0) & sides.known.any(axis=0)


def _two_counts(
    counts: NDArray[np.int64], sides: _Sides, y: NDArray[np.int64], x: NDArray[np.int64]
) -> tuple[NDArray[Any], ...]:
    """Hits in some pixels, beside them, share of the area that is theirs, and which sides exist."""
    space = np.maximum(sides.space[:, y, x], 1e-9)
    here = sides.area[y, x]
    return counts[y, x], sides.hits[:, y, x], here / (here + space), sides.known[:, y, x]

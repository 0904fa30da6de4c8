"""Railroad columns: double columns whose clock is late, found by the neighbour test.

Hits of one cluster in neighbouring columns are simultaneous up to timewalk and noise. Where the
border between two double columns lies between them, their mean time difference is the difference
of the two columns' clocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbeam.calibrate.clusters import ClusteredHits
from twinbeam.calibrate.column_chain import column_levels, fit_levels
from twinbeam.calibrate.neighbour_steps import N_DOUBLE_COLUMNS, neighbour_steps
from twinbeam.calibrate.revise import revised
from twinbeam.calibrate.robust import MedianError, robust_sigma
from twinbeam.errors import RecipeError
from twinbeam.photons import Response, walk_by_tot_ticks
from twinbeam.pipeline import Recipe
from twinbeam.tpx3 import N_CHIPS, Hits, to_chip

__all__ = [
    "ColumnCalibration",
    "ColumnRange",
    "ColumnStep",
    "calibrate_columns",
    "hit_offsets_ticks",
]

_PHASES = 16
_LEAST_NOISE = 50  # pairs inside double columns, below which their spread is not known


@dataclass(frozen=True)
class ColumnStep:
    """Time step from double column `border` to `border + 1` of a chip, median and error."""

    chip: int
    border: int
    ticks: float
    error: float
    n: int


@dataclass(frozen=True)
class ColumnRange:
    """Double columns first to last of a chip are late by `ticks`."""

    chip: int
    first: int
    last: int
    ticks: float
    error: float


@dataclass(frozen=True, eq=False)
class ColumnCalibration:
    """Steps between double columns and the late columns that explain them.

    Attributes
    ----------
    step, error
        Median step in ticks and its standard error, [chip, border]; NaN where there is no pair.
    n
        Number of pairs behind each.
    ranges
        Late columns that are significant.
    error_scale
        Factor by which the errors were widened so that borders without a step scatter by one.
    noise_ticks
        Spread of the differences inside double columns, where there is no step.
    phase_step, phase_error
        Mean step in ticks at the borders where the double column modulo 16 starts again at 0;
        about +15 if the data carried a 16-phase term that should be removed, about -15 if one was
        removed that was not there.
    other_step, other_error
        The same at all other borders.
    n_used, n_rejected
        Pairs across borders that were used, and pairs with too little charge.
    chi2, ndf
        Of the measured steps against whole quanta, before the errors were widened.
    """

    step: NDArray[np.float64]
    error: NDArray[np.float64]
    n: NDArray[np.int64]
    ranges: tuple[ColumnRange, ...]
    error_scale: float
    noise_ticks: float
    phase_step: float
    phase_error: float
    other_step: float
    other_error: float
    n_used: int
    n_rejected: int
    chi2: float
    ndf: int

    def significant_steps(self, least_sigmas: float = 5.0, least_n: int = 3) -> list[ColumnStep]:
        """Borders whose step is at least so many errors from zero, with at least so many pairs."""
        with np.errstate(invalid="ignore"):
            found = (np.abs(self.step) > least_sigmas * self.error) & (self.n >= least_n)
        return [
            ColumnStep(
                int(c), int(b), float(self.step[c, b]), float(self.error[c, b]), int(self.n[c, b])
            )
            for c, b in zip(*np.nonzero(found), strict=True)
        ]

    def offsets_ticks(self) -> NDArray[np.float64]:
        """By how many ticks each double column is late, [chip, double column]."""
        offsets = np.zeros((N_CHIPS, N_DOUBLE_COLUMNS))
        for r in self.ranges:
            offsets[r.chip, r.first : r.last + 1] = r.ticks
        return offsets

    @property
    def has_phase_term(self) -> bool:
        """Whether the steps at the 16-column borders differ from the others by over 5 ticks."""
        difference = self.phase_step - self.other_step
        return abs(difference) > max(5.0, 5.0 * float(np.hypot(self.phase_error, self.other_error)))

    def apply(self, recipe: Recipe) -> Recipe:
        """The recipe with these column offsets in place of its own.

        Raises
        ------
        RecipeError
            If the data hold too few neighbouring pairs to say anything, or carry a 16-phase term,
            which offsets of single columns would not describe.
        """
        if self.n_used < 2 * N_DOUBLE_COLUMNS:
            raise RecipeError(
                f"{self.n_used} neighbouring pairs say nothing about {N_DOUBLE_COLUMNS} columns",
                where="column offsets",
                hint="take more data; the recipe was not changed",
            )
        if self.has_phase_term:
            raise RecipeError(
                f"the times have a 16-phase term (step {self.phase_step:+.1f} ticks)",
                where="column offsets",
                hint="check the clock setting of the detector; the recipe was not changed",
            )
        offsets = tuple(
            {"chip": r.chip, "first": r.first, "last": r.last, "ticks": round(r.ticks)}
            for r in self.ranges
        )
        return revised(recipe, "response", column_offsets=offsets)


def hit_offsets_ticks(hits: Hits, response: Response) -> NDArray[np.float64]:
    """By how many ticks the time of each hit is late, as a response has its column offsets."""
    table = np.zeros((N_CHIPS, N_DOUBLE_COLUMNS))
    for offset in response.column_offsets:
        table[offset.chip, offset.first : offset.last + 1] = offset.ticks
    chip, column, _ = to_chip(hits.x, hits.y)
    return table[chip, column // 2]


def calibrate_columns(
    clustered: ClusteredHits,
    response: Response | None = None,
    *,
    least_tot_ns: float = 100.0,
    quantum_ticks: float = 16.0,
    least_sigmas: float = 5.0,
) -> ColumnCalibration:
    """Find late double columns in the clusters of any data.

    Parameters
    ----------
    clustered
        Clusters of one or more acquisitions, times as the detector sent them.
    response
        Its timewalk is taken off first; an error in it widens the steps and does not move them.
    least_tot_ns
        Hits with less charge walk too much to help.
    quantum_ticks
        Size of a step of the column clock: one period of 25 ns.
    least_sigmas
        How many errors a late range must be from zero.

    Raises
    ------
    RecipeError
        If there are too few neighbouring pairs to know their spread.
    """
    found = neighbour_steps(clustered, walk_by_tot_ticks(response or Response()), least_tot_ns)
    inside = found.ticks[~found.crosses]
    if inside.size < _LEAST_NOISE:
        raise RecipeError(
            f"only {inside.size} neighbouring hits share a double column, {_LEAST_NOISE} are asked",
            where="column offsets",
            hint="take more data with photons over the whole sensor",
        )
    sigma = max(robust_sigma(inside), 1.0)
    median_error = MedianError(inside)
    shape = (N_CHIPS, N_DOUBLE_COLUMNS - 1)
    across = found.crosses
    chip, border, ticks = found.chip[across], found.border[across], found.ticks[across]
    groups = _by_border(chip, border, ticks)
    n = np.array([[g.size for g in row] for row in groups])
    step = np.array([[np.median(g) if g.size else np.nan for g in row] for row in groups])
    error = median_error(n)
    levels = [column_levels(row, sigma, quantum_ticks) for row in groups]
    left = step - np.diff(np.stack(levels) * quantum_ticks, axis=1)
    known = np.isfinite(left)
    chi2 = float(np.sum((left[known] / error[known]) ** 2))
    # pairs of one long track are not independent; the spread of the borders without a step says so
    scale = max(1.0, robust_sigma((left / error)[known]))
    error = error * scale
    ranges = tuple(
        ColumnRange(c, first, last, value, err)
        for c in range(N_CHIPS)
        for first, last, value, err in fit_levels(levels[c], step[c], error[c])
        if abs(value) > least_sigmas * err and round(value)
    )
    phase = np.broadcast_to((np.arange(shape[1]) + 1) % _PHASES == 0, shape)
    return ColumnCalibration(
        step=step,
        error=error,
        n=n,
        ranges=ranges,
        error_scale=scale,
        noise_ticks=sigma,
        **_mean("phase", step[known & phase], error[known & phase]),
        **_mean("other", step[known & ~phase], error[known & ~phase]),
        n_used=int(ticks.size),
        n_rejected=found.rejected,
        chi2=chi2,
        ndf=int(np.count_nonzero(known)) - len(ranges),
    )


def _by_border(
    chip: NDArray[np.uint8], border: NDArray[np.int64], ticks: NDArray[np.float64]
) -> list[list[NDArray[np.float64]]]:
    """Steps of each border of each chip."""
    n = N_DOUBLE_COLUMNS - 1
    key = chip.astype(np.int64) * n + border
    order = np.argsort(key, kind="stable")
    cuts = np.searchsorted(key[order], np.arange(1, N_CHIPS * n))
    parts = np.split(ticks[order], cuts)
    return [parts[c * n : (c + 1) * n] for c in range(N_CHIPS)]


def _mean(name: str, value: NDArray[np.float64], error: NDArray[np.float64]) -> dict[str, float]:
    """Weighted mean of medians, robust against single wild ones, and its error."""
    if not value.size:
        return {f"{name}_step": float("nan"), f"{name}_error": float("nan")}
    weight = 1.0 / error**2
    for _ in range(10):
        mean = np.sum(weight * value) / np.sum(weight)
        pull = np.abs(value - mean) / error
        weight = np.minimum(1.0, 2.0 / np.maximum(pull, 1e-9)) / error**2
    spread = max(1.0, robust_sigma((value - mean) / error) if value.size > 4 else 1.0)
    return {f"{name}_step": float(mean), f"{name}_error": float(spread / np.sqrt(weight.sum()))}

"""The axis of the ring from pairs: the point through which their lines go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twinbeam.calibrate.revise import revised
from twinbeam.errors import RecipeError
from twinbeam.pairs import Pairs
from twinbeam.pipeline import Recipe

__all__ = ["CentreCalibration", "centre_by_contrast", "centre_by_lines"]

_WHERE = "centre"
_MOST_ROUNDS = 50
_LEAST_PAIRS = 20.0
_START_SIGMA_PX = 2.0
_FLOOR_PX = 10.0  # accidentals have no preferred distance: counted wide, where there are more
_PIXEL_PX = 0.02  # places in the double-size pixels along the gap are not known better


@dataclass(frozen=True, eq=False)
class CentreCalibration:
    """The axis on the 514 grid.

    Attributes
    ----------
    method
        ``lines``: least squares of the distances of the pairs' lines; ``contrast``: largest
        A √(peak/floor) of the Δt peak.
    centre_px, errors_px
        x and y and their standard errors.
    correlation
        Of x and y.
    dp_sigma_px, dp_cut_px
        Spread of the distances, and the cut on them at the end.
    n_net, n_used, n_rejected
        Pairs minus accidentals within the cut, prompt pairs within it, and prompt pairs outside.
    scan_px, scan
        For the method ``contrast``: the offsets tried along x and y, and the contrast, [y, x].
    """

    method: Literal["lines", "contrast"]
    centre_px: tuple[float, float]
    errors_px: tuple[float, float]
    correlation: float
    dp_sigma_px: float
    dp_cut_px: float
    n_net: float
    n_used: int
    n_rejected: int
    scan_px: NDArray[np.float64] | None = None
    scan: NDArray[np.float64] | None = None

    def apply(self, recipe: Recipe, largest_error_px: float = 1.0) -> Recipe:
        """The recipe with this centre.

        Raises
        ------
        RecipeError
            If an error is larger than `largest_error_px`.
        """
        worst = max(self.errors_px)
        if not worst <= largest_error_px:
            raise RecipeError(
                f"known to {worst:.2g} px only, {largest_error_px:g} px are asked",
                where=_WHERE,
                hint="collect more pairs; the recipe was not changed",
            )
        return revised(recipe, "geometry", centre_px=self.centre_px)


def centre_by_lines(
    pairs: Pairs, replicas: int, start_px: tuple[float, float], pool_px: float
) -> CentreCalibration:
    """The point nearest to the lines of all true pairs.

    Starts with every pair of the pool, moves to the best point, and narrows the cut around it in
    steps, so that the cut follows the centre and not the centre the cut. Accidentals have no
    preferred distance; they are subtracted with their weight.

    Parameters
    ----------
    pairs
        Prompt pairs and replica pairs with distances up to `pool_px` from the start.
    replicas
        Number of replicas among them.
    start_px
        Centre with which the pairs were found.
    pool_px
        Largest distance from it among the pairs.

    Raises
    ------
    RecipeError
        If there are too few pairs, their lines are nearly parallel, or the centre is so far from
        the start that the pool does not hold all pairs around it.
    """
    weight = np.where(pairs.replica == 0, 1.0, -1.0 / replicas)
    nx, ny, offset = _lines(pairs)
    x, y = start_px
    cut, sigma = pool_px, pool_px
    for _ in range(_MOST_ROUNDS):
        distance = nx * x + ny * y - offset
        inside = np.abs(distance) < cut
        dx, dy, covariance = _step(nx, ny, distance, weight, inside)
        x, y = x + dx, y + dy
        left = distance + nx * dx + ny * dy
        sigma = _core_sigma(left[inside], weight[inside])
        narrower = max(4.0 * sigma, 2.0)
        moved = float(np.hypot(dx, dy))
        if moved < 1e-3 and cut <= narrower * 1.05:
            break
        cut = max(narrower, min(0.7 * cut, pool_px))
    away = float(np.hypot(x - start_px[0], y - start_px[1]))
    if away + cut > pool_px:
        raise RecipeError(
            f"{away:.1f} px from the start, more than a pool of {pool_px:g} px can show",
            where=_WHERE,
            hint=f"start again at {x:.1f}, {y:.1f}",
        )
    prompt = pairs.replica == 0
    covariance = covariance + _PIXEL_PX**2 * np.eye(2)
    errors = np.sqrt(np.diag(covariance))
    return CentreCalibration(
        method="lines",
        centre_px=(float(x), float(y)),
        errors_px=(float(errors[0]), float(errors[1])),
        correlation=float(covariance[0, 1] / (errors[0] * errors[1])),
        dp_sigma_px=sigma,
        dp_cut_px=cut,
        n_net=float(weight[inside].sum()),
        n_used=int(np.count_nonzero(inside & prompt)),
        n_rejected=int(np.count_nonzero(~inside & prompt)),
    )


def centre_by_contrast(
    pairs: Pairs,
    replicas: int,
    start_px: tuple[float, float],
    *,
    peak_ns: float = 40.0,
    reach_px: float = 3.0,
    n_resamples: int = 40,
) -> CentreCalibration:
    """The point that makes A √(peak/floor) of the Δt peak largest, as the group's notebooks do.

    A and peak are the net pairs within ±`peak_ns`, the floor the accidentals; the distance cut is
    the one with the best contrast. Resampled pairs give the error. The scan moves on while the best
    point is at its border, and narrows with the cut.

    Raises
    ------
    RecipeError
        If there are too few pairs or the contrast has no maximum.
    """
    near = np.abs(pairs.dt_ns) <= peak_ns
    prompt = pairs.replica[near] == 0
    lines = tuple(column[near] for column in _lines(pairs))
    one = np.ones((1, prompt.size))
    x, y = start_px
    cut = 2.0 * _START_SIGMA_PX
    grid = np.linspace(-1.0, 1.0, 13)
    for _ in range(_MOST_ROUNDS):
        offsets = grid * min(reach_px, 1.5 * cut)
        scan = _contrast(lines, prompt, replicas, (x, y), offsets, cut, one)[0]
        row, column = (int(k) for k in np.unravel_index(int(np.argmax(scan)), scan.shape))
        edge = bool({0, offsets.size - 1} & {row, column})
        dx, dy = (float(offsets[column]), float(offsets[row])) if edge else _summit(offsets, scan)
        x, y = x + dx, y + dy
        best_cut = _best_cut(lines, prompt, replicas, (x, y))
        done = not edge and np.hypot(dx, dy) < 0.05 * cut and abs(best_cut - cut) < 0.3
        # a cut that closed before the centre is there would shut the pairs out
        cut = best_cut if done or best_cut > cut else max(best_cut, 0.7 * cut)
        if done:
            break
    net = _net(lines, prompt, replicas, (x, y), cut)
    if net < _LEAST_PAIRS or edge:
        raise RecipeError(
            f"no maximum of the contrast with {net:.0f} net pairs",
            where=_WHERE,
            hint="collect more pairs; the recipe was not changed",
        )
    rng = np.random.default_rng(0)
    drawn = rng.poisson(1.0, (n_resamples, prompt.size)).astype(np.float64)
    scans = _contrast(lines, prompt, replicas, (x, y), offsets, cut, drawn)
    places = np.array([_summit(offsets, scan) for scan in scans])
    covariance = np.cov(places.T) + _PIXEL_PX**2 * np.eye(2)
    errors = np.sqrt(np.diag(covariance))
    distance = lines[0] * x + lines[1] * y - lines[2]
    weight = np.where(prompt, 1.0, -1.0 / replicas)
    inside = np.abs(distance) < cut
    wide = np.linspace(-reach_px, reach_px, 25)
    return CentreCalibration(
        method="contrast",
        centre_px=(float(x), float(y)),
        errors_px=(float(errors[0]), float(errors[1])),
        correlation=float(covariance[0, 1] / (errors[0] * errors[1])),
        dp_sigma_px=_core_sigma(distance, weight),
        dp_cut_px=cut,
        n_net=net,
        n_used=int(np.count_nonzero(inside & prompt)),
        n_rejected=int(np.count_nonzero(pairs.replica == 0) - np.count_nonzero(inside & prompt)),
        scan_px=wide,
        scan=_contrast(lines, prompt, replicas, (x, y), wide, cut, one)[0],
    )


def _lines(pairs: Pairs) -> tuple[NDArray[np.float64], ...]:
    """Unit normal and distance from the origin of the line through both photons."""
    dx, dy = pairs.x2 - pairs.x1, pairs.y2 - pairs.y1
    length = np.maximum(np.hypot(dx, dy), 1e-9)
    nx, ny = -dy / length, dx / length
    return nx, ny, nx * pairs.x1 + ny * pairs.y1


def _step(
    nx: NDArray[np.float64],
    ny: NDArray[np.float64],
    distance: NDArray[np.float64],
    weight: NDArray[np.float64],
    inside: NDArray[np.bool_],
) -> tuple[float, float, NDArray[np.float64]]:
    """Move to the least squares of the distances, and its covariance from their own scatter."""
    w = weight[inside]
    if w.sum() < _LEAST_PAIRS:
        raise RecipeError(
            f"{max(w.sum(), 0.0):.0f} net pairs near the centre, {_LEAST_PAIRS:g} are asked",
            where=_WHERE,
            hint="collect more pairs; the recipe was not changed",
        )
    normal = np.stack((nx[inside], ny[inside]), axis=1)
    matrix = (normal * w[:, None]).T @ normal
    if np.linalg.cond(matrix) > 1e6:
        raise RecipeError(
            "the lines of the pairs are nearly parallel",
            where=_WHERE,
            hint="collect pairs all around the ring",
        )
    inverse = np.linalg.inv(matrix)
    dx, dy = -inverse @ (normal.T @ (w * distance[inside]))
    left = distance[inside] + normal @ np.array([dx, dy])
    scatter = normal * (w * left)[:, None]
    return float(dx), float(dy), inverse @ (scatter.T @ scatter) @ inverse


def _core_sigma(distance: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Spread of the distances of true pairs: 68 % of the net weight are nearer."""
    away = np.abs(distance)
    order = np.argsort(away)
    total = np.cumsum(weight[order])
    # beyond the true pairs the net sum is level but for noise
    share = np.searchsorted(np.maximum.accumulate(total), 0.6827 * max(total[-1], 1.0))
    return max(float(away[order][min(int(share), away.size - 1)]), 0.05)


def _contrast(
    lines: tuple[NDArray[np.float64], ...],
    prompt: NDArray[np.bool_],
    replicas: int,
    centre: tuple[float, float],
    offsets: NDArray[np.float64],
    cut: float,
    drawn: NDArray[np.float64],
) -> NDArray[np.float64]:
    """A √(peak/floor) around a centre for each set of weights, [set, y, x]."""
    nx, ny, at = lines
    distance = nx * centre[0] + ny * centre[1] - at
    candidates = np.abs(distance) < _FLOOR_PX + 1.5 * float(np.abs(offsets).max())
    nx, ny, distance, prompt = (
        nx[candidates],
        ny[candidates],
        distance[candidates],
        prompt[candidates],
    )
    weight = drawn[:, candidates].T
    scan = np.empty((drawn.shape[0], offsets.size, offsets.size))
    for row, dy in enumerate(offsets):
        moved = distance[None, :] + ny * dy + np.outer(offsets, nx)
        inside = (np.abs(moved) < cut).astype(np.float64)
        found = (inside * prompt) @ weight
        floor = ((np.abs(moved) < _FLOOR_PX) * ~prompt @ weight + 1.0) * cut / _FLOOR_PX / replicas
        net = np.maximum(found - floor, 0.0)
        scan[:, row, :] = (net * np.sqrt(net / floor)).T
    return scan


def _summit(offsets: NDArray[np.float64], scan: NDArray[np.float64]) -> tuple[float, float]:
    """Place of the maximum of a paraboloid through the upper part of the scan."""
    y, x = np.meshgrid(offsets, offsets, indexing="ij")
    upper = scan > 0.7 * scan.max()
    if np.count_nonzero(upper) < 9:
        row, column = np.unravel_index(int(np.argmax(scan)), scan.shape)
        step = 1.5 * float(offsets[1] - offsets[0])
        upper = (np.abs(x - offsets[column]) < step) & (np.abs(y - offsets[row]) < step)
    u, v = x[upper], y[upper]
    terms = np.stack((np.ones_like(u), u, v, u * u, u * v, v * v), axis=1)
    p = np.linalg.lstsq(terms, scan[upper], rcond=None)[0]
    bend = np.array([[2.0 * p[3], p[4]], [p[4], 2.0 * p[5]]])
    if np.linalg.det(bend) <= 0.0 or p[3] >= 0.0:
        row, column = np.unravel_index(int(np.argmax(scan)), scan.shape)
        return float(offsets[column]), float(offsets[row])
    dx, dy = np.linalg.solve(bend, -p[1:3])
    reach = float(np.abs(offsets).max())
    return float(np.clip(dx, -reach, reach)), float(np.clip(dy, -reach, reach))


def _net(
    lines: tuple[NDArray[np.float64], ...],
    prompt: NDArray[np.bool_],
    replicas: int,
    centre: tuple[float, float],
    cut: float,
) -> float:
    nx, ny, at = lines
    inside = np.abs(nx * centre[0] + ny * centre[1] - at) < cut
    return float(np.sum(inside & prompt) - np.sum(inside & ~prompt) / replicas)


def _best_cut(
    lines: tuple[NDArray[np.float64], ...],
    prompt: NDArray[np.bool_],
    replicas: int,
    centre: tuple[float, float],
) -> float:
    """The cut with the best contrast: near 1.6 standard deviations of the distances."""
    nx, ny, at = lines
    distance = np.abs(nx * centre[0] + ny * centre[1] - at)
    cuts = np.arange(0.5, 10.01, 0.25)
    found = np.searchsorted(np.sort(distance[prompt]), cuts)
    accidental = np.count_nonzero(distance[~prompt] < _FLOOR_PX) + 1.0
    floor = accidental * cuts / _FLOOR_PX / replicas
    net = np.maximum(found - floor, 0.0)
    return float(cuts[int(np.argmax(net * np.sqrt(net / floor)))])

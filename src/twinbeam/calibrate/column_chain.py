"""Which double columns of a chip are late, from the steps at their borders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["column_levels", "fit_levels"]

_TAIL = 3.0  # degrees of freedom of the noise: half way between a Gaussian and a Lorentzian
_CHANGE = 8.0  # a change of level at a border is believed at odds of e^8
_AWAY = 0.05  # a column away from zero costs this much, so that a level returns where it may
_MOST_LEVELS = 2


def _log_likelihood(ticks: NDArray[np.float64], jump: float, sigma: float) -> float:
    """Of the steps at one border, up to a constant, for a true step of `jump`."""
    pull = (ticks - jump) / sigma
    return float(-0.5 * (_TAIL + 1.0) * np.sum(np.log1p(pull * pull / _TAIL)))


def column_levels(
    steps: list[NDArray[np.float64]], sigma: float, quantum_ticks: float
) -> NDArray[np.int64]:
    """Most probable offsets of a chain of double columns in units of the quantum.

    The clock of a column is late by a whole number of quanta; most columns are not. The best chain
    of levels is found exactly by dynamic programming.

    Parameters
    ----------
    steps
        Time steps in ticks seen at each border, one array a border.
    sigma
        Noise of a step in ticks.
    """
    levels = np.arange(-_MOST_LEVELS, _MOST_LEVELS + 1)
    n, m = len(steps) + 1, levels.size
    away = _AWAY * np.abs(levels)
    score = -away - _CHANGE * (levels != 0)  # the first column counts as a border to zero
    came_from = np.zeros((n, m), dtype=np.int64)
    for border, ticks in enumerate(steps):
        jumps = {
            int(j): _log_likelihood(ticks, j * quantum_ticks, sigma) - _CHANGE * abs(np.sign(j))
            for j in range(-2 * _MOST_LEVELS, 2 * _MOST_LEVELS + 1)
        }
        gain = np.array([[jumps[int(to - frm)] for frm in levels] for to in levels])
        total = gain + score[None, :]
        came_from[border + 1] = np.argmax(total, axis=1)
        score = total.max(axis=1) - away
    best = np.empty(n, dtype=np.int64)
    best[-1] = int(np.argmax(score))
    for column in range(n - 1, 0, -1):
        best[column - 1] = came_from[column, best[column]]
    return levels[best]


def fit_levels(
    levels: NDArray[np.int64], step: NDArray[np.float64], error: NDArray[np.float64]
) -> list[tuple[int, int, float, float]]:
    """Ranges of late columns with offset and error in ticks, by weighted least squares.

    Columns of level zero define the zero; a range is tied to its neighbours by the measured steps
    at its two borders. Returns first and last double column, offset and standard error.
    """
    starts = np.flatnonzero(np.diff(levels, prepend=levels[0] + 1))
    stops = np.append(starts[1:], levels.size) - 1
    late = [k for k in range(starts.size) if levels[starts[k]] != 0]
    if not late:
        return []
    number = {k: i for i, k in enumerate(late)}
    matrix = np.zeros((len(late), len(late)))
    vector = np.zeros(len(late))
    for k in range(starts.size - 1):
        border = int(stops[k])
        if not np.isfinite(error[border]):
            continue
        row = np.zeros(len(late))
        if k in number:
            row[number[k]] = -1.0
        if k + 1 in number:
            row[number[k + 1]] = 1.0
        weight = 1.0 / error[border] ** 2
        matrix += weight * np.outer(row, row)
        vector += weight * row * step[border]
    if np.linalg.matrix_rank(matrix) < len(late):
        return []
    covariance = np.linalg.inv(matrix)
    value = covariance @ vector
    return [
        (int(starts[k]), int(stops[k]), float(value[i]), float(np.sqrt(covariance[i, i])))
        for k, i in number.items()
    ]

"""Rates against time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.live.showcase import Moment
from twinbeam.pipeline import Result
from twinbeam.tpx3 import TICK_NS

__all__ = ["pair_rate", "rates"]

_STEP_S = 1.0  # shorter ones would show how results are cut, not how photons come
_MOST_POINTS = 240


def rates(moments: Sequence[Moment]) -> dict[str, dict[str, NDArray[Any]]]:
    """Rates between moments of a run that are a second apart or more, in Hz.

    Parameters
    ----------
    moments
        How the counts grew, in order.
    """
    if len(moments) < 2:
        return {}
    seconds = np.array([moment.seconds for moment in moments])
    step = max(_STEP_S, float(seconds[-1] - seconds[0]) / _MOST_POINTS)
    chosen = [0]
    for at, second in enumerate(seconds):
        if second - seconds[chosen[-1]] >= step:
            chosen.append(at)
    if len(chosen) < 2:
        return {}
    counts = np.array(
        [[moments[at].hits, moments[at].photons, moments[at].net] for at in chosen], dtype=float
    )
    at_s = seconds[chosen]
    per_s = np.diff(counts, axis=0) / np.diff(at_s)[:, None]
    middle = 0.5 * (at_s[1:] + at_s[:-1])
    names = ("hits", "photons", "pairs")
    return {name: _above_zero(middle, per_s[:, k]) for k, name in enumerate(names)}


def pair_rate(result: Result) -> dict[str, dict[str, NDArray[Any]]]:
    """Pairs per second without accidentals from the times of a finished result.

    Empty when its pairs have several clocks.
    """
    pairs = result.pairs
    if result.acquisitions != 1 or len(pairs) < 2:
        return {}
    t = pairs.t * TICK_NS * 1e-9
    t = t - t.min()
    length = float(t.max())
    if length <= 0.0:
        return {}
    edges = np.linspace(0.0, length, max(1, min(_MOST_POINTS, int(length / _STEP_S))) + 1)
    weight = np.where(pairs.replica == 0, 1.0, -1.0 / result.estimate.replicas)
    counts, _ = np.histogram(t, edges, weights=weight)
    middle = 0.5 * (edges[1:] + edges[:-1])
    return {"pairs": _above_zero(middle, counts / np.diff(edges))}


def _above_zero(x: NDArray[np.float64], y: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Points that a logarithmic axis can show; a gap where it cannot."""
    return {"x": x, "y": np.where(y > 0.0, y, np.nan)}

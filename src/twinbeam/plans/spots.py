"""Places on the crystal: grids, spirals and the neighbourhood of a good place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pattern", "Spot", "around", "spots"]

Spot = tuple[float, float]
Pattern = Literal["grid", "spiral"]


def spots(pattern: Pattern, centre: Spot, half_x: float, half_y: float, pitch: float) -> list[Spot]:
    """Places of a map, in an order with short ways.

    Parameters
    ----------
    pattern
        ``grid``: lines along x that go back and forth; ``spiral``: from the centre outwards, with
        the best known place first.
    centre, half_x, half_y
        Middle of the map and half its sides.
    pitch
        Distance of neighbours, at most.
    """
    x, y = (_axis(half, pitch) for half in (half_x, half_y))
    if pattern == "grid":
        rows = [[(a, b) for a in (x if k % 2 == 0 else x[::-1])] for k, b in enumerate(y)]
        places = [place for row in rows for place in row]
    else:
        step_x = x[1] - x[0] if x.size > 1 else pitch
        step_y = y[1] - y[0] if y.size > 1 else pitch

        def turn(place: tuple[float, float]) -> tuple[float, float]:
            u, v = place[0] / step_x, place[1] / step_y
            return round(max(abs(u), abs(v)), 6), math.atan2(v, u)

        places = sorted(product(x.tolist(), y.tolist()), key=turn)
    return [(float(centre[0] + a), float(centre[1] + b)) for a, b in places]


def around(
    best: Spot, pitch_x: float, pitch_y: float, known: Sequence[Spot], low: Spot, high: Spot
) -> list[Spot]:
    """The eight neighbours of a place that are inside the limits and not known yet."""
    ring = [(-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0)]
    places = [(best[0] + a * pitch_x, best[1] + b * pitch_y) for a, b in ring]

    def new(place: Spot) -> bool:
        inside = all(low[axis] - 1e-9 <= place[axis] <= high[axis] + 1e-9 for axis in range(2))
        near = any(
            abs(place[0] - x) < 0.2 * pitch_x and abs(place[1] - y) < 0.2 * pitch_y
            for x, y in known
        )
        return inside and not near

    return [place for place in places if new(place)]


def _axis(half: float, pitch: float) -> NDArray[np.float64]:
    number = math.ceil(2.0 * half / pitch - 1e-9) + 1
    return np.linspace(-half, half, number) if number > 1 else np.zeros(1)

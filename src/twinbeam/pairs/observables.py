"""What a pair tells: radii, detuning, distance of its line from the axis."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.pairs.pairs import Pairs
from twinbeam.photons import Photons
from twinbeam.physics import Geometry
from twinbeam.tpx3 import TICK_NS

__all__ = ["measure_pairs", "pair_table"]


@nb.njit(cache=True, nogil=True)
def _geometry(
    x1: NDArray[np.float64],
    y1: NDArray[np.float64],
    x2: NDArray[np.float64],
    y2: NDArray[np.float64],
    cx: float,
    cy: float,
    scale: float,
    degrees_per_product: float,
) -> tuple[NDArray[np.float64], ...]:
    """Radii, detuning (Eq. 1) and distance of the axis from the joining segment.

    Scalar functions of the C library, so that a value does not depend on its neighbours.
    """
    n = x1.size
    r1, r2 = np.empty(n), np.empty(n)
    detuning, dp = np.empty(n), np.empty(n)
    for i in range(n):
        ax, ay = x1[i] - cx, y1[i] - cy
        bx, by = x2[i] - cx, y2[i] - cy
        r1[i] = math.sqrt(ax * ax + ay * ay)
        r2[i] = math.sqrt(bx * bx + by * by)
        product = math.atan(r1[i] * scale) * math.atan(r2[i] * scale)
        detuning[i] = product * degrees_per_product
        dx, dy = bx - ax, by - ay
        length = dx * dx + dy * dy
        along = -(ax * dx + ay * dy) / length if length > 0.0 else 0.0
        along = min(max(along, 0.0), 1.0)
        px, py = ax + along * dx, ay + along * dy
        dp[i] = math.sqrt(px * px + py * py)
    return r1, r2, detuning, dp


def pair_table(
    signal: Photons,
    idler: Photons,
    dt_ns: NDArray[np.float64],
    replica: NDArray[np.int32],
    geometry: Geometry,
) -> Pairs:
    """The pair table of photons that stand row by row beside each other.

    Parameters
    ----------
    dt_ns
        Time of the idler, after the shift of its replica, minus time of the signal.
    replica
        Turns of the shift, 0 for prompt pairs.
    """
    x1, y1 = signal.x.astype(np.float64), signal.y.astype(np.float64)
    x2, y2 = idler.x.astype(np.float64), idler.y.astype(np.float64)
    r1, r2, detuning, dp = _geometry(
        x1,
        y1,
        x2,
        y2,
        geometry.centre_px[0],
        geometry.centre_px[1],
        geometry.pixel_um * 1e-6 / geometry.distance_m,
        math.degrees(1.0 / (2.0 * math.sin(2.0 * math.radians(geometry.bragg_deg)))),
    )
    return Pairs(
        t=signal.t,
        dt_ns=dt_ns,
        x1=x1,
        y1=y1,
        e1=signal.energy_kev.astype(np.float64),
        tot1=signal.tot_ns,
        x2=x2,
        y2=y2,
        e2=idler.energy_kev.astype(np.float64),
        tot2=idler.tot_ns,
        r1=r1,
        r2=r2,
        detuning_deg=detuning,
        dp_px=dp,
        replica=replica,
    )


def measure_pairs(
    signal: Photons,
    idler: Photons,
    index: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]],
    turns: NDArray[np.int32],
    shifts: NDArray[np.float64],
    geometry: Geometry,
) -> Pairs:
    """The pair table of coincidences found by `search.coincidences`."""
    s, i, k = index
    one, two = signal[s], idler[i]
    dt_ns = (two.t + shifts[k] - one.t) * TICK_NS
    return pair_table(one, two, dt_ns, turns[k], geometry)

"""Time, place and energy of clustered hits."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.photons.parameters import Response
from twinbeam.photons.photons import PhotonFlag
from twinbeam.physics import energy_from_tot_kev, timewalk_ns
from twinbeam.tpx3 import CHIP_PIXELS, TICK_NS, TOT_STEP_NS

__all__ = ["TIME_STEPS_PER_TICK", "energy_by_tot_kev", "measure_clusters", "walk_by_tot_ticks"]

TIME_STEPS_PER_TICK = 16
_TOT_VALUES = 1024
_LEAST_KEV = 1e-3
_SATURATED_NS = 1022 * TOT_STEP_NS
_TOUCHES_GAP = int(PhotonFlag.TOUCHES_GAP)
_SATURATED = int(PhotonFlag.SATURATED)


def energy_by_tot_kev(response: Response) -> NDArray[np.float64]:
    """Energy in keV of each of the 1024 ToT values of 25 ns.

    At least 1 eV: every hit has a weight in the centroid, also where a linear response gives none.
    """
    tot = np.arange(_TOT_VALUES) * TOT_STEP_NS
    energy = energy_from_tot_kev(
        tot, response.a_ns_per_kev, response.b_ns, response.c_ns_kev, response.t_kev
    )
    return np.maximum(energy, _LEAST_KEV)


def walk_by_tot_ticks(response: Response) -> NDArray[np.float64]:
    """Timewalk of each of the 1024 ToT values, in ticks rounded to the time grid of photons."""
    tot = np.arange(_TOT_VALUES) * TOT_STEP_NS
    ticks = timewalk_ns(tot, response.timewalk_ns, response.timewalk_decay_per_ns) / TICK_NS
    return np.round(ticks * TIME_STEPS_PER_TICK) / TIME_STEPS_PER_TICK


@nb.njit(cache=True, nogil=True)
def measure_clusters(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    tot_ns: NDArray[np.uint16],
    label: NDArray[np.int32],
    open_after: int,
    energy: NDArray[np.float64],
    walk: NDArray[np.float64],
    gap_px: int,
) -> tuple[NDArray[Any], ...]:
    """Photons of the clusters that are complete.

    A cluster is complete when its last hit is before `open_after`. Sums run over the hits in their
    order, so a photon does not depend on how the stream was cut.

    Returns
    -------
    tuple of arrays
        Columns of the complete photons (t, x, y, energy, tot, n_hits, flags) in order of their
        first hits, then a mask of the hits that stay open.
    """
    n = t.size
    last = np.empty(n, np.int64)
    for i in range(n):
        last[label[i]] = t[i]
    slot = np.empty(n, np.int32)
    still_open = np.zeros(n, np.bool_)
    m = 0
    for i in range(n):
        root = label[i]
        if last[root] >= open_after:
            still_open[i] = True
        elif root == i:
            slot[i] = m
            m += 1
    time = np.empty(m, np.float64)
    sum_x = np.zeros(m, np.float64)
    sum_y = np.zeros(m, np.float64)
    sum_e = np.zeros(m, np.float64)
    sum_tot = np.zeros(m, np.int32)
    n_hits = np.zeros(m, np.int32)
    flags = np.zeros(m, np.uint8)
    largest = np.full(m, -1.0)
    border = CHIP_PIXELS
    for i in range(n):
        if still_open[i]:
            continue
        k = slot[label[i]]
        step = min(tot_ns[i] // TOT_STEP_NS, 1023)
        e = energy[step]
        px, py = np.int64(x[i]), np.int64(y[i])
        sum_x[k] += e * (px + gap_px if px >= border else px)
        sum_y[k] += e * (py + gap_px if py >= border else py)
        sum_e[k] += e
        sum_tot[k] += tot_ns[i]
        n_hits[k] += 1
        if px == border - 1 or px == border or py == border - 1 or py == border:
            flags[k] |= _TOUCHES_GAP
        if tot_ns[i] >= _SATURATED_NS:
            flags[k] |= _SATURATED
        if e > largest[k]:
            largest[k] = e
            time[k] = t[i] - walk[step]
    for k in range(m):
        sum_x[k] /= sum_e[k]
        sum_y[k] /= sum_e[k]
    return time, sum_x, sum_y, sum_e, sum_tot, n_hits, flags, still_open

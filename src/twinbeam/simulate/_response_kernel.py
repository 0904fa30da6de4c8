"""Charge sharing, response, timewalk and dead time of the pixels, photon by photon. Compiled."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import CHIP_PIXELS, SENSOR_PIXELS, TICK_NS, TOT_STEP_NS

GAP_PX = 2  # the chips are two pixels apart; their border pixels are twice as wide
MOST_HITS = 9  # of one photon
HOT = 255  # the kind of a row that is a hit of a hot pixel and no photon

LONGEST_STEPS = 1022
# The error function and the cosine are continued from the nearest row of a table by their Taylor
# series, to some 1e-13: libm takes a third of all time otherwise.
_ERF_ROWS = 512  # a unit
_ERF_END = 4
_COS_ROWS = 1024  # a turn


def _erf_table() -> NDArray[np.float64]:
    """The function and its first three Taylor coefficients from -4 to 4."""
    z = np.arange(-_ERF_END * _ERF_ROWS, _ERF_END * _ERF_ROWS + 1) / _ERF_ROWS
    value = np.array([math.erf(each) for each in z])
    slope = 2.0 / math.sqrt(math.pi) * np.exp(-z * z)
    return np.stack([value, slope, -z * slope, (2.0 * z * z - 1.0) / 3.0 * slope], axis=1)


def _cos_table() -> NDArray[np.float64]:
    """Cosine and sine over a turn."""
    angle = np.arange(_COS_ROWS + 1) * (2.0 * math.pi / _COS_ROWS)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


_ERF = _erf_table()
_COS = _cos_table()
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


@nb.njit(cache=True, nogil=True)
def uniform(key: np.uint64, draw: int) -> float:
    """A number in (0, 1) that belongs to a photon's key (SplitMix64), whatever came before."""
    z = key + np.uint64(draw + 1) * _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _MIX1
    z = (z ^ (z >> np.uint64(27))) * _MIX2
    z = z ^ (z >> np.uint64(31))
    return (float(z >> np.uint64(11)) + 0.5) * 2.0**-53


@nb.njit(cache=True, nogil=True)
def _normal(key: np.uint64, draw: int) -> float:
    radius = math.sqrt(-2.0 * math.log(uniform(key, 3 * draw)))
    turn = _COS_ROWS * uniform(key, 3 * draw + 1)
    nearest = int(turn + 0.5)
    d = (turn - nearest) * (2.0 * math.pi / _COS_ROWS)
    dd = d * d
    cosine = _COS[nearest, 0] * (1.0 - dd * (0.5 - dd * (1.0 / 24.0)))
    return radius * (cosine - _COS[nearest, 1] * d * (1.0 - dd * (1.0 / 6.0 - dd / 120.0)))


@nb.njit(cache=True, nogil=True)
def _pixel(place: float) -> int:
    """Pixel on the 512 grid that holds a place on the 514 grid."""
    middle = CHIP_PIXELS + 0.5 * GAP_PX - 0.5
    if place < middle:
        pixel = min(math.floor(place + 0.5), CHIP_PIXELS - 1)
    else:
        pixel = max(math.floor(place + 0.5) - GAP_PX, CHIP_PIXELS)
    return min(max(int(pixel), 0), SENSOR_PIXELS - 1)


@nb.njit(cache=True, nogil=True)
def _border(pixel: int) -> float:
    """Place on the 514 grid where a pixel of the 512 grid begins."""
    pixel = min(max(pixel, 0), SENSOR_PIXELS)
    if pixel < CHIP_PIXELS:
        return pixel - 0.5
    if pixel == CHIP_PIXELS:
        return pixel + 0.5 * GAP_PX - 0.5
    return pixel + GAP_PX - 0.5


@nb.njit(cache=True, nogil=True)
def _erf(z: float) -> float:
    """The error function, cut off where nothing is left."""
    if z > _ERF_END:
        return 1.0
    if z < -_ERF_END:
        return -1.0
    place = (z + _ERF_END) * _ERF_ROWS
    nearest = int(place + 0.5)
    d = (place - nearest) * (1.0 / _ERF_ROWS)
    return _ERF[nearest, 0] + d * (_ERF[nearest, 1] + d * (_ERF[nearest, 2] + d * _ERF[nearest, 3]))


@nb.njit(cache=True, nogil=True)
def _share(place: float, pixel: int, scale: float, share: NDArray[np.float64]) -> None:
    """Share of the charge in the pixel before, at and after `pixel` along one axis."""
    before = _erf((_border(pixel - 1) - place) * scale)
    for i in range(3):
        after = _erf((_border(pixel + i) - place) * scale)
        share[i] = 0.5 * (after - before)
        before = after


@nb.njit(cache=True, nogil=True)
def respond(
    t_ns: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    energy: NDArray[np.float64],
    kind: NDArray[np.uint8],
    converts: NDArray[np.bool_],
    key: NDArray[np.uint64],
    abct: NDArray[np.float32],
    gain: NDArray[np.float32],
    late: NDArray[np.int16],
    busy: NDArray[np.int64],
    cloud_px: float,
    resolution_kev: float,
    threshold: NDArray[np.float64],
    shift: NDArray[np.float64],
    walk_ns: NDArray[np.float64],
    dead_ticks: int,
    delay_ticks: float,
    start: int,
    n_hits: NDArray[np.uint8],
    row: NDArray[np.int64],
    leaves: NDArray[np.int64],
    t: NDArray[np.int64],
    px: NDArray[np.int64],
    py: NDArray[np.int64],
    tot_ns: NDArray[np.int64],
) -> tuple[int, int]:
    """Write the hits of photons in order of time; their number, and that lost to busy pixels.

    Times are relative to the opening of the shutter, which is tick `start` of the clock; `t` of the
    hits is on the clock, `leaves` and `busy` are not. Maps are indexed [y, x]; `abct` is one for
    all when it holds one pixel; a `gain` of 0 is a pixel that is off. `walk_ns` is indexed by the
    ToT in steps. `threshold` and `shift`, both in keV, are indexed [upper half, right half]; a
    response is that of the energy less the shift. `busy` is updated in place.
    """
    scale = 1.0 / (cloud_px * math.sqrt(2.0))
    share_x, share_y = np.empty(3), np.empty(3)
    each = 1 if abct.shape[0] > 1 else 0
    least_kev = 0.5 * threshold.min()
    n, lost = 0, 0
    for photon in range(t_ns.size):
        n_hits[photon] = 0
        if not converts[photon]:
            continue
        hot = kind[photon] == HOT
        if hot:
            share_x[:], share_y[:] = 0.0, 0.0
            share_x[1], share_y[1] = 1.0, 1.0
            column, line = int(x[photon]), int(y[photon])
        else:
            column, line = _pixel(x[photon]), _pixel(y[photon])
            _share(x[photon], column, scale, share_x)
            _share(y[photon], line, scale, share_y)
        for i in range(3):
            if not hot and energy[photon] * share_x[i] <= least_kev:
                continue
            cx = column + i - 1
            for j in range(3):
                cy = line + j - 1
                charge = energy[photon] * share_x[i] * share_y[j]
                if charge <= 0.0 or (not hot and charge <= least_kev):
                    continue
                if cx < 0 or cx >= SENSOR_PIXELS or cy < 0 or cy >= SENSOR_PIXELS:
                    continue
                if gain[cy, cx] == 0.0:
                    continue
                if hot:
                    steps = int(energy[photon])
                else:
                    noise = resolution_kev * math.sqrt(charge / 7.5)
                    seen = charge * gain[cy, cx] + noise * _normal(key[photon], 3 * i + j)
                    upper, right = int(cy >= CHIP_PIXELS), int(cx >= CHIP_PIXELS)
                    if seen <= threshold[upper, right]:
                        continue
                    seen -= shift[upper, right]
                    above = seen - abct[each * cy, each * cx, 3]
                    if above <= 0.0:
                        continue
                    response = abct[each * cy, each * cx, 0] * seen + abct[each * cy, each * cx, 1]
                    response -= abct[each * cy, each * cx, 2] / above
                    # a response describes counted ToT, so counting adds a spread and no shift
                    steps = min(math.floor(response / TOT_STEP_NS + 0.5), LONGEST_STEPS)
                    if steps <= 0:
                        continue
                tot = steps * TOT_STEP_NS
                walk = 0.0 if hot else walk_ns[steps]
                tick = max(math.floor((t_ns[photon] + walk) / TICK_NS), 0)
                over = tick + math.ceil(tot / TICK_NS)
                if tick < busy[cy, cx]:
                    lost += 1
                    continue
                busy[cy, cx] = over + dead_ticks
                if delay_ticks > 0.0:
                    over += int(-delay_ticks * math.log(uniform(key[photon], 9 * i + 3 * j + 2)))
                row[n] = photon
                leaves[n] = over
                t[n] = start + tick + late[cy, cx]
                px[n] = cx
                py[n] = cy
                tot_ns[n] = tot
                n_hits[photon] += 1
                n += 1
    return n, lost

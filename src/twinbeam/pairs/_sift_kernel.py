"""The walk over coincidences of tried photons. Compiled, releases the GIL."""

# mypy: disable-error-code="arg-type, assignment, return-value"

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.pairs._reach_kernel import LANES, ROWS, first_in_reach, make_rows, note_partners
from twinbeam.pairs._tried_kernel import ENERGY, T, X, Y
from twinbeam.tpx3 import TICK_NS

# quantities that cuts can be judged by without the table
QUANTITIES = ("dt_ns", "energy_sum_kev", "dp_px", "detuning_deg", "r1", "r2", "e1", "e2")
_DT, _SUM, _DP, _DETUNING, _R1, _R2, _E1, _E2 = range(8)
UNKNOWN = -1
# of a verdict: two cuts fail or more, the first of all does, the candidate is prompt
_BIT, _SUM_BIT, _PROMPT_BIT = np.uint64(1), np.uint64(1), np.uint64(2)
_HALF_WORD, _LOWER = np.uint64(32), np.uint64(0xFFFF_FFFF)
_ROUNDING = 1.000001


@nb.njit(cache=True, nogil=True)
def _value(
    quantity: int,
    dt_ns: float,
    ax: float,
    ay: float,
    e1: float,
    bx: float,
    by: float,
    e2: float,
    scale: float,
    degrees_per_product: float,
) -> float:
    """One quantity of a candidate, computed as `observables` does; places are from the axis."""
    if quantity == _SUM:
        return e1 + e2
    if quantity == _DT:
        return dt_ns
    if quantity == _E1:
        return e1
    if quantity == _E2:
        return e2
    if quantity == _DP:
        dx, dy = bx - ax, by - ay
        length = dx * dx + dy * dy
        along = -(ax * dx + ay * dy) / length if length > 0.0 else 0.0
        along = min(max(along, 0.0), 1.0)
        px, py = ax + along * dx, ay + along * dy
        return math.sqrt(px * px + py * py)
    r1 = math.sqrt(ax * ax + ay * ay)
    if quantity == _R1:
        return r1
    r2 = math.sqrt(bx * bx + by * by)
    if quantity == _R2:
        return r2
    return math.atan(r1 * scale) * math.atan(r2 * scale) * degrees_per_product


@nb.njit(cache=True, nogil=True)
def _first_cuts(
    partners: NDArray[np.uint64],
    m: int,
    t: NDArray[np.float64],
    number: NDArray[np.uint32],
    signal: NDArray[np.float64],
    idler: NDArray[np.float64],
    idler_t: NDArray[np.float64],
    turn_ticks: float,
    most_turns: float,
    axis: tuple[float, float],
    energy_sum: tuple[float, float],
    farthest: float,
    dt_ns: tuple[float, float],
    values: NDArray[np.float64],
    verdicts: NDArray[np.uint64],
) -> None:
    """Judge candidates by the cuts on energy sum, distance from the axis, and time.

    The numbers are gathered first, then computed with many in one instruction. Verdicts have the
    lowest bit for two cuts that fail or more, then `_SUM_BIT` and `_PROMPT_BIT`.
    """
    ax, ay, bx, by, total, later = values[0], values[1], values[2], values[3], values[4], values[5]
    for p in range(m):
        k, j = np.uintp(partners[p] >> _HALF_WORD), np.uintp(partners[p] & _LOWER)
        i = np.uintp(number[k])
        ax[p], ay[p] = signal[i, X], signal[i, Y]
        bx[p], by[p] = idler[j, X], idler[j, Y]
        total[p] = signal[i, ENERGY] + idler[j, ENERGY]
        later[p] = idler_t[j] - t[k]
    per_tick = 1.0 / turn_ticks
    for p in range(m):
        x, y = ax[p] - axis[0], ay[p] - axis[1]
        dx, dy = bx[p] - axis[0] - x, by[p] - axis[1] - y
        cross = x * dy - y * dx
        turn = min(max(np.floor(0.5 - later[p] * per_tick), -most_turns), most_turns)
        dt = (later[p] + np.rint(turn * turn_ticks)) * TICK_NS
        outside = not ((total[p] >= energy_sum[0]) & (total[p] <= energy_sum[1]))
        # no part of a line is nearer to the axis than the line; saves the root
        far = cross * cross > farthest * farthest * (dx * dx + dy * dy) * _ROUNDING
        apart = not ((dt >= dt_ns[0]) & (dt <= dt_ns[1]))
        gone = np.uint64((outside & far) | (outside & apart) | (far & apart))
        prompt = np.uint64(turn == 0.0)
        verdicts[p] = gone | (np.uint64(outside) << _SUM_BIT) | (prompt << _PROMPT_BIT)


@nb.njit(cache=True, nogil=True)
def _remove_gone(
    partners: NDArray[np.uint64],
    m: int,
    verdicts: NDArray[np.uint64],
    candidates: NDArray[np.int64],
    dropped: NDArray[np.int64],
) -> int:
    """Count and take out the candidates that are gone; the number of those that are left."""
    n_gone, n_by_sum, n_prompt, n_prompt_by_sum = 0, 0, 0, 0
    kept = np.uintp(0)
    for p in range(m):
        verdict = verdicts[p]
        gone, prompt = verdict & _BIT, verdict >> _PROMPT_BIT
        by_sum = gone & (verdict >> _SUM_BIT)
        n_gone += np.int64(gone)
        n_by_sum += np.int64(by_sum)
        n_prompt += np.int64(gone & prompt)
        n_prompt_by_sum += np.int64(by_sum & prompt)
        partners[kept] = partners[p]
        kept += _BIT - gone
    candidates[0] += n_prompt
    candidates[1] += n_gone - n_prompt
    dropped[0, 0] += n_prompt_by_sum
    dropped[1, 0] += n_by_sum - n_prompt_by_sum
    dropped[0, 1] += n_prompt - n_prompt_by_sum
    dropped[1, 1] += n_gone - n_by_sum - (n_prompt - n_prompt_by_sum)
    return np.int64(kept)


@nb.njit(cache=True, nogil=True)
def _first_failures(
    quantities: NDArray[np.int64],
    lows: NDArray[np.float64],
    highs: NDArray[np.float64],
    first_unknown: int,
    dt_ns: float,
    a: tuple[float, float, float],
    b: tuple[float, float, float],
    scale: float,
    degrees_per_product: float,
) -> tuple[int, bool]:
    """The first cut that a candidate fails, -1 for none, and whether it fails another as well.

    Behind a cut that needs the table nothing is known of others.
    """
    failed = -1
    ax, ay, e1 = a
    bx, by, e2 = b
    for c in range(quantities.size):
        quantity = quantities[c]
        if quantity == UNKNOWN:
            continue
        fails = False
        if quantity == _DP:
            dx, dy = bx - ax, by - ay
            cross = ax * dy - ay * dx
            far = highs[c] * highs[c] * (dx * dx + dy * dy)
            fails = highs[c] >= 0.0 and cross * cross > far * _ROUNDING
        if not fails:
            value = _value(quantity, dt_ns, ax, ay, e1, bx, by, e2, scale, degrees_per_product)
            if value >= lows[c] and value <= highs[c]:
                continue
        if failed >= 0:
            return failed, True
        if c > first_unknown:
            break
        failed = c
    return failed, False


@nb.njit(cache=True, nogil=True)
def _put(found: NDArray[np.int32], n: int, i: int, j: int, copy: int) -> None:
    """Write row `n`, the rows of a signal photon in order of the copy."""
    place = n
    while place > 0 and found[place - 1, 0] == i and found[place - 1, 2] > copy:
        for column in range(3):
            found[place, column] = found[place - 1, column]
        place -= 1
    found[place, 0], found[place, 1], found[place, 2] = i, j, copy


@nb.njit(cache=True, nogil=True)
def sift(
    signal: NDArray[np.float64],
    n_ready: int,
    idler: NDArray[np.float64],
    idler_t: NDArray[np.float64],
    turn_ticks: float,
    shift_by_turn: NDArray[np.float64],
    column_by_turn: NDArray[np.int64],
    window: float,
    crowded: NDArray[np.bool_],
    quantities: NDArray[np.int64],
    lows: NDArray[np.float64],
    highs: NDArray[np.float64],
    geometry: tuple[float, float, float, float],
    candidates: NDArray[np.int64],
    dropped: NDArray[np.int64],
    place: NDArray[np.int64],
    found: NDArray[np.int32],
) -> tuple[int, bool]:
    """Walk over the coincidences of the first `n_ready` signal rows, in all copies at once.

    All idlers within reach of the furthest copy are looked at; how many turns away one is says in
    which copy it can be a partner. Candidates that fail two cuts or more are counted by the first
    one; all others are written, in order of signal row, copy and idler row.

    Parameters
    ----------
    signal, idler
        Rows in order of time.
    idler_t
        Times of the idler rows, with `PADDING`.
    turn_ticks
        Distance of the copies; more than twice the window.
    shift_by_turn, column_by_turn
        Shift of the idlers' time and number of the copy, for -n to n turns.
    quantities
        Cuts in order, `UNKNOWN` where the table is needed; candidates are written then.
    geometry
        Axis x and y, scale from pixels to tangent, degrees of detuning for a product of angles.
    candidates
        Prompt and replica candidates, added to.
    dropped
        By prompt or replica and cut, added to.
    place
        Signal photon that is not crowded and idler to go on with; -1 at first.
    found
        Room for (signal, idler, copy) of more than `ROWS` times `LANES` candidates.

    Returns
    -------
    int
        Number of rows in `found`.
    bool
        Whether all is done; otherwise call again when `found` was emptied.
    """
    cx, cy, scale, degrees_per_product = geometry
    n_cuts = quantities.size
    n_turns = shift_by_turn.size // 2
    most_turns = float(n_turns)
    reach = (n_turns + 0.5) * turn_ticks
    first_unknown = n_cuts
    for c in range(n_cuts - 1, -1, -1):
        if quantities[c] == UNKNOWN:
            first_unknown = c
    usual = n_cuts > 1 and quantities[0] == _SUM and quantities[1] == _DP and highs[1] >= 0.0
    dt_low, dt_high = -np.inf, np.inf
    for c in range(2, n_cuts):
        if quantities[c] == _DT:
            dt_low, dt_high = lows[c], highs[c]
    t, number = np.empty(n_ready, np.float64), np.empty(n_ready, np.uint32)
    n_signal = np.uintp(0)
    for row in range(n_ready):
        number[n_signal] = row
        t[n_signal] = signal[row, T]
        n_signal += np.uintp(not crowded[row])
    first = np.empty(n_ready + 1, np.uint32)
    first_in_reach(t, n_signal, idler_t, reach, first)
    room = ROWS * LANES
    row_signal, row_idler = np.empty(ROWS, np.uint32), np.empty(ROWS, np.uint32)
    later, ok = np.empty(room, np.float64), np.empty(room, np.uint64)
    values, verdicts = np.empty((6, room), np.float64), np.empty(room, np.uint64)
    partners = np.empty(room + 1, np.uint64)
    k, q = place[0], place[1]
    if k < 0:
        k, q = 0, np.int64(first[0])
    n = 0
    while k < n_signal and n + room <= found.shape[0]:
        rows, k, q = make_rows(t, n_signal, k, q, idler_t, first, reach, row_signal, row_idler)
        m = note_partners(
            t,
            idler_t,
            rows,
            row_signal,
            row_idler,
            turn_ticks,
            most_turns,
            window,
            later,
            ok,
            partners,
        )
        if usual:
            _first_cuts(
                partners,
                m,
                t,
                number,
                signal,
                idler,
                idler_t,
                turn_ticks,
                most_turns,
                (cx, cy),
                (lows[0], highs[0]),
                highs[1],
                (dt_low, dt_high),
                values,
                verdicts,
            )
            m = _remove_gone(partners, m, verdicts, candidates, dropped)
        for p in range(m):
            i = np.int64(number[np.uintp(partners[p] >> _HALF_WORD)])
            j = np.int64(partners[p] & _LOWER)
            dt = idler_t[j] - signal[i, T]
            nearest = np.floor(0.5 - dt * (1.0 / turn_ticks))
            turn = n_turns + np.int64(min(max(nearest, -most_turns), most_turns))
            kind = 0 if turn == n_turns else 1
            candidates[kind] += 1
            failed, drop = _first_failures(
                quantities,
                lows,
                highs,
                first_unknown,
                (dt + shift_by_turn[turn]) * TICK_NS,
                (signal[i, X] - cx, signal[i, Y] - cy, signal[i, ENERGY]),
                (idler[j, X] - cx, idler[j, Y] - cy, idler[j, ENERGY]),
                scale,
                degrees_per_product,
            )
            if drop:
                dropped[kind, failed] += 1
            else:
                _put(found, n, i, j, column_by_turn[turn])
                n += 1
    place[0], place[1] = k, q
    return n, k >= n_signal

"""The walk over coincidences of tried photons. Compiled, releases the GIL."""

# mypy: disable-error-code="arg-type, assignment"

from __future__ import annotations

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.pairs._tried_kernel import ENERGY, T, X, Y
from twinbeam.tpx3 import TICK_NS

# quantities that cuts can be judged by without the table
QUANTITIES = ("dt_ns", "energy_sum_kev", "dp_px", "detuning_deg", "r1", "r2", "e1", "e2")
_DT, _SUM, _DP, _DETUNING, _R1, _R2, _E1, _E2 = range(8)
UNKNOWN = -1


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
def judge_partners(
    idler_t: NDArray[np.float64],
    t: float,
    turn_ticks: float,
    most_turns: float,
    window: float,
    turns: NDArray[np.float64],
    ok: NDArray[np.int64],
) -> None:
    """In which copy each idler can be a partner of the signal photon at `t`, and whether it is.

    The shift of a copy is computed as `replica_shifts` does, in floating point throughout, so that
    many idlers are judged in one instruction.
    """
    per_tick = 1.0 / turn_ticks
    for q in range(idler_t.size):
        later = idler_t[q] - t
        turn = min(max(np.floor(0.5 - later * per_tick), -most_turns), most_turns)
        dt = later + np.rint(turn * turn_ticks)
        turns[q] = turn
        ok[q] = np.int64((dt <= window) & (dt >= -window))


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
    one; all others are written.

    Parameters
    ----------
    signal, idler
        Rows in order of time.
    idler_t
        Times of the idler rows.
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
        Signal row, first idler within reach, and idler to go on with; zeros at first.
    found
        Room for (signal, idler, copy) of the candidates.

    Returns
    -------
    int
        Number of rows in `found`.
    bool
        Whether all is done; otherwise call again when `found` was emptied.
    """
    n = 0
    room = found.shape[0]
    cx, cy, scale, degrees_per_product = geometry
    n_cuts = quantities.size
    n_idler = idler_t.size
    n_turns = shift_by_turn.size // 2
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
    n_gone, n_gone_by_sum = 0, 0
    n_gone_prompt, n_gone_prompt_by_sum = 0, 0
    n_prompt = 0
    n_replica = 0
    i, begin, resumed = place[0], place[1], place[2]
    partners = np.empty(n_idler + 1, np.int32)
    partner_turns = np.empty(n_idler + 1, np.int32)
    turns = np.empty(n_idler, np.float64)
    ok = np.empty(n_idler, np.int64)
    end = begin
    done = True
    j = 0
    while i < n_ready and done:
        t = signal[i, T]
        while begin < n_idler and idler_t[begin] < t - reach:
            begin += 1
        if crowded[i]:
            i += 1
            continue
        while end < n_idler and idler_t[end] - t <= reach:
            end += 1
        # Which idlers are partners cannot be predicted: first they are judged, many in one
        # instruction, then written down without branches.
        first = max(begin, resumed)
        resumed = 0
        judge_partners(idler_t[first:end], t, turn_ticks, float(n_turns), window, turns, ok)
        m = 0
        for q in range(end - first):
            partners[m] = first + q
            partner_turns[m] = n_turns + np.int32(turns[q])
            m += ok[q]
        ax, ay, e1 = signal[i, X] - cx, signal[i, Y] - cy, signal[i, ENERGY]
        if usual and n + m <= room:
            # the first two cuts and that on time, without branches; most candidates fail two
            kept = 0
            for p in range(m):
                j = partners[p]
                turn = partner_turns[p]
                total = e1 + idler[j, ENERGY]
                dx, dy = idler[j, X] - cx - ax, idler[j, Y] - cy - ay
                cross = ax * dy - ay * dx
                outside = not ((total >= lows[0]) & (total <= highs[0]))
                far = cross * cross > highs[1] * highs[1] * (dx * dx + dy * dy) * 1.000001
                dt_ns = (idler_t[j] - t + shift_by_turn[turn]) * TICK_NS
                apart = not ((dt_ns >= dt_low) & (dt_ns <= dt_high))
                gone = np.int64((outside & far) | (outside & apart) | (far & apart))
                by_sum = gone & np.int64(outside)
                prompt = np.int64(turn == n_turns)
                n_gone += gone
                n_gone_by_sum += by_sum
                n_gone_prompt += gone & prompt
                n_gone_prompt_by_sum += by_sum & prompt
                partners[kept] = j
                partner_turns[kept] = turn
                kept += 1 - gone
            m = kept
        for p in range(m):
            j = partners[p]
            turn = partner_turns[p]
            dt = idler_t[j] - t + shift_by_turn[turn]
            if n == room:
                done = False
                break
            kind = 0 if turn == n_turns else 1
            n_prompt += 1 - kind
            n_replica += kind
            bx, by, e2 = idler[j, X] - cx, idler[j, Y] - cy, idler[j, ENERGY]
            dt_ns = dt * TICK_NS
            failed = -1
            drop = False
            for c in range(n_cuts):
                quantity = quantities[c]
                if quantity == UNKNOWN:
                    continue
                if quantity == _DP:
                    # no part of a line is nearer to the axis than the line; saves the root
                    dx, dy = bx - ax, by - ay
                    cross = ax * dy - ay * dx
                    far = highs[c] * highs[c] * (dx * dx + dy * dy)
                    fails = highs[c] >= 0.0 and cross * cross > far * 1.000001
                else:
                    fails = False
                if not fails:
                    value = _value(
                        quantity, dt_ns, ax, ay, e1, bx, by, e2, scale, degrees_per_product
                    )
                    if value >= lows[c] and value <= highs[c]:
                        continue
                if failed >= 0:
                    drop = True
                    break
                if c > first_unknown:
                    break
                failed = c
            if drop:
                dropped[kind, failed] += 1
            else:
                found[n, 0] = i
                found[n, 1] = j
                found[n, 2] = column_by_turn[turn]
                n += 1
        if done:
            i += 1
    place[0], place[1], place[2] = i, begin, j if not done else 0
    candidates[0] += n_prompt + n_gone_prompt
    candidates[1] += n_replica + n_gone - n_gone_prompt
    if usual:
        dropped[0, 0] += n_gone_prompt_by_sum
        dropped[1, 0] += n_gone_by_sum - n_gone_prompt_by_sum
        dropped[0, 1] += n_gone_prompt - n_gone_prompt_by_sum
        dropped[1, 1] += n_gone - n_gone_prompt - (n_gone_by_sum - n_gone_prompt_by_sum)
    return n, done

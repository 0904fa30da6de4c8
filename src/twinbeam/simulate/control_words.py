"""Words of a quad that are no hits: global time, heartbeats, shutter, TDC, command echoes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from twinbeam.columns import Columns
from twinbeam.simulate.effects import TdcSignal
from twinbeam.simulate.parameters import SimulationParameters
from twinbeam.tpx3 import N_CHIPS, TICK_NS, global_time_words, shutter_word
from twinbeam.tpx3.packets import TICKS_PER_GLOBAL

__all__ = ["Words", "closing_words", "opening_words", "regular_words"]

# chips give their time one after another; as in a recorded file of Serval 4.3
_STAGGER_TICKS = int(0.27e6 / TICK_NS)
_TDC_STEP_NS = 3.125 / 12
_TDC_RISE = {"1": 0xF, "2": 0xE}
_TDC_FALL = {"1": 0xA, "2": 0xB}
_END_OF_READOUT = 0xB0
# what leaves first when several words are due at one tick
_SHUTTER, _TIME, _HEARTBEAT, _TDC, _LAST = range(5)


@dataclass(frozen=True, eq=False)
class Words(Columns):
    """Words in the order in which they leave.

    Attributes
    ----------
    leaves
        Tick since the shutter opened.
    rank
        What leaves first when ticks are equal.
    chip
        Chip that sends the word.
    word
        The word.
    """

    leaves: NDArray[np.int64]
    rank: NDArray[np.int64]
    chip: NDArray[np.uint8]
    word: NDArray[np.uint64]

    DTYPES: ClassVar = {
        "leaves": np.dtype(np.int64),
        "rank": np.dtype(np.int64),
        "chip": np.dtype(np.uint8),
        "word": np.dtype(np.uint64),
    }

    def split(self, limit: int) -> tuple[Words, Words]:
        """Words that leave before a tick, in their order, and the others."""
        if not len(self):
            return self, self
        before = self.leaves < limit
        ready = self[before]
        return ready[np.lexsort((ready.rank, ready.leaves))], self[~before]


def _words(rows: list[tuple[int, int, int, int]]) -> Words:
    if not rows:
        return Words.empty()
    columns = [list(column) for column in zip(*rows, strict=True)]
    leaves, rank, chip = (np.array(column, dtype=np.int64) for column in columns[:3])
    return Words(leaves, rank, chip.astype(np.uint8), np.array(columns[3], dtype=np.uint64))


def opening_words(p: SimulationParameters, start: int) -> Words:
    """First words of an acquisition whose shutter opens at tick `start` of the clock."""
    rows = []
    for chip in range(N_CHIPS):
        if p.stale_clock_s is not None:
            stale = round(p.stale_clock_s * 1e9 / TICK_NS)
            rows += [(0, _SHUTTER, chip, int(word)) for word in global_time_words(stale)]
        if p.serval != "2":
            rows.append((0, _SHUTTER, chip, int(shutter_word(start, opened=True)[0])))
    return _words(rows)


def closing_words(p: SimulationParameters, start: int, now: int, leaves: int) -> Words:
    """Last words, after the shutter closed at tick `now` since it opened."""
    rows = []
    for chip in range(N_CHIPS):
        if p.serval == "4.3":
            rows.append((leaves, _LAST, chip, int(shutter_word(start + now, opened=False)[0])))
        elif p.serval == "2":
            rows.append((leaves, _LAST, chip, _control(0x71, _END_OF_READOUT, chip, start + now)))
    return _words(rows)


def regular_words(p: SimulationParameters, start: int, from_ps: int, to_ps: int) -> Words:
    """Words whose time is in [from, to) in ps since the shutter opened at tick `start`."""
    rows = []
    for tick in _beats(p.global_time_s, from_ps, to_ps):
        for chip in range(N_CHIPS):
            rows += _reading(start, tick + chip * _STAGGER_TICKS, chip)
    if p.serval != "2":
        for tick in _beats(p.heartbeat_s, from_ps, to_ps):
            word = (0x5C << 56) | (((start + tick) // TICKS_PER_GLOBAL % (1 << 34)) << 12)
            rows += [(tick, _HEARTBEAT, chip, word) for chip in range(N_CHIPS) if tick > 0]
    parts = [_words(rows)]
    if p.tdc.rate_hz:
        chips = (0,) if p.serval == "2" else range(N_CHIPS)
        edges = _tdc_edges(p.tdc, start, from_ps, to_ps)
        parts += [Words(*edges[:2], np.full(edges[2].size, chip), edges[2]) for chip in chips]
    return Words.concatenate(parts)


def _beats(interval_s: float, from_ps: int, to_ps: int) -> list[int]:
    """Ticks of the whole multiples of an interval in [from, to)."""
    interval_ps = max(round(interval_s * 1e12), 1)
    first, last = -(-from_ps // interval_ps), -(-to_ps // interval_ps)
    return [int(k * interval_ps / (1e3 * TICK_NS)) for k in range(first, last)]


def _reading(start: int, tick: int, reader: int) -> list[tuple[int, int, int, int]]:
    """The two halves of a chip's time, each acknowledged, and its echoes on the other chips."""
    rows = []
    for half, word in zip((0x44, 0x45), global_time_words(start + tick), strict=True):
        rows.append((tick, _TIME, reader, int(word)))
        rows.append((tick, _TIME, reader, _control(0x71, half, reader, start + tick)))
        for chip in range(N_CHIPS):
            if chip != reader:
                rows += [(tick, _TIME, chip, _control(0x72, 0, chip, start + tick))] * 2
    return rows


def _control(kind: int, command: int, chip: int, tick: int) -> int:
    spidr = (tick // TICKS_PER_GLOBAL >> 14) & 0xFFFF
    return (kind << 56) | (command << 48) | ((0x4F80 + chip) << 16) | spidr


def _tdc_edges(
    signal: TdcSignal, start: int, from_ps: int, to_ps: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]]:
    """Leaving ticks, ranks and words of the edges whose time is in [from, to) ps."""
    period_ps = 1e12 / signal.rate_hz
    width_ps = signal.width_us * 1e6
    each = 2 if signal.width_us else 1
    first = max(0, math.floor((from_ps - width_ps) / period_ps) - 1)
    pulse = np.arange(first, math.ceil(to_ps / period_ps) + 1)
    # the first pulse comes half a period after the shutter opens
    rise_ps = (pulse + 0.5) * period_ps
    time_ps = np.stack([rise_ps, rise_ps + width_ps][:each], axis=1).ravel()
    count = (each * pulse[:, None] + np.arange(each)).ravel()
    codes = (_TDC_RISE[signal.channel], _TDC_FALL[signal.channel])[:each]
    code = np.broadcast_to(codes, (pulse.size, each)).ravel()
    now = (time_ps >= from_ps) & (time_ps < to_ps)
    time_ps, count, code = time_ps[now], count[now], code[now]
    # counted from the shutter and then moved by its tick, so that no precision is lost
    fine = np.round(time_ps / (1e3 * _TDC_STEP_NS)).astype(np.int64) + 6 * start
    coarse = (fine // 12) % (1 << 35)
    words = (
        (np.uint64(0x6) << np.uint64(60))
        | (code.astype(np.uint64) << np.uint64(56))
        | (((count + 1) % 4096).astype(np.uint64) << np.uint64(44))
        | (coarse.astype(np.uint64) << np.uint64(9))
        | ((fine % 12 + 1).astype(np.uint64) << np.uint64(5))
    )
    leaves = (time_ps / (1e3 * TICK_NS)).astype(np.int64)
    return leaves, np.full(leaves.size, _TDC), words

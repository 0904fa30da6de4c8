"""Everything that decides what a decoder will make of the bytes to come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import _places as p
from twinbeam.tpx3._clock_kernel import is_stale

__all__ = ["DecoderState", "shift_places"]

_STREAM_TIMES = (p.CLOCK_LAST, p.NEWEST, p.ANCHOR_TIME, p.RESET_TIME)
_CHIP_TIMES = (p.LAST, p.DOUBTED, p.ANCHOR)
_OFFSETS = ((p.OFFSET, p.WIDTH), (p.OLD_OFFSET, p.OLD_WIDTH))
_COUNTERS = (p.POSITION, p.FIRST_BAD, p.FIRST_TICK, p.LAST_TICK, p.HAVE_TICKS)


def shift_places(
    stream: NDArray[np.int64], clock: NDArray[np.int64], slots: NDArray[np.int64], ticks: int
) -> None:
    """Add `ticks` to all absolute times of a decoder's arrays, in place."""
    for at in _STREAM_TIMES:
        stream[at] += ticks
    for at, width in _OFFSETS:
        stream[at] = (int(stream[at]) + ticks) % (1 << int(stream[width])) if stream[width] else 0
    clock[:, _CHIP_TIMES] += ticks
    stream[p.TDC_FLOOR] += p.TDC_STEPS * ticks
    slots[:, 0] += p.TDC_STEPS * ticks


@dataclass(frozen=True)
class DecoderState:
    """What a decoder remembers, without its counters; equal states have equal futures.

    What cannot matter any more is set to zero, so a decoder that began in the middle of a stream
    comes to the state of one that read it from the start, up to a shift by whole turns of the
    pixels' counter.

    Attributes
    ----------
    carry
        Bytes of the word that is not complete yet.
    stream, chips, slots
        The decoder's arrays.
    """

    carry: bytes
    stream: tuple[int, ...]
    chips: tuple[tuple[int, ...], ...]
    slots: tuple[tuple[int, int, int], ...]

    @classmethod
    def of(
        cls,
        carry: bytes,
        n_hits: int,
        stream: NDArray[np.int64],
        clock: NDArray[np.int64],
        slots: NDArray[np.int64],
    ) -> DecoderState:
        """State of a decoder with these arrays, which are left as they are."""
        stream, clock = stream.copy(), clock.copy()
        _normalise_anchors(stream, clock, n_hits)
        _normalise_chips(stream, clock)
        _normalise_stream(stream, clock, n_hits)
        used = np.flatnonzero((slots[:, 1] >= 0) & (slots[:, 0] >= stream[p.TDC_FLOOR]))
        return cls(
            carry,
            tuple(stream.tolist()),
            tuple(tuple(row) for row in clock.tolist()),
            tuple((int(i), int(slots[i, 0]), int(slots[i, 1])) for i in used),
        )

    @property
    def time(self) -> int | None:
        """The time at which the stream is, in ticks; None before any."""
        return self.stream[p.CLOCK_LAST] if self.stream[p.CLOCK_STARTED] else None


def _normalise_anchors(stream: NDArray[np.int64], clock: NDArray[np.int64], n_hits: int) -> None:
    most = p.FORGET_SHUTTER_HITS if stream[p.WIDTH] == p.SHUTTER_WIDTH else p.FORGET_HITS
    if stream[p.WIDTH] > p.HIT_WIDTH and n_hits - stream[p.HITS_AT_ANCHOR] > most:
        stream[p.WIDTH] = p.HIT_WIDTH
        clock[:, [p.HAVE_ANCHOR, p.OLD, p.HAVE_LOW]] = 0
    if stream[p.WIDTH] == p.HIT_WIDTH:
        stream[[p.OFFSET, p.OFFSET_SEEN, p.HAVE_ANCHOR_TIME, p.HAVE_DOUBT]] = 0


def _normalise_chips(stream: NDArray[np.int64], clock: NDArray[np.int64]) -> None:
    for chip, mine in enumerate(clock):
        if mine[p.HAVE_LAST] and is_stale(chip, clock, stream):
            mine[[p.HAVE_LAST, p.HAVE_DOUBTED, p.OLD]] = 0
        silent = min(stream[p.STEADY] - mine[p.SEEN_AT], p.SMALL_STEP + 1)
        mine[p.SEEN_AT] = silent if mine[p.HAVE_LAST] else 0
        if not mine[p.HAVE_LOW]:
            mine[[p.LOW, p.LOW_SPIDR]] = 0


def _normalise_stream(stream: NDArray[np.int64], clock: NDArray[np.int64], n_hits: int) -> None:
    stream[list(_COUNTERS)] = 0
    without = min(stream[p.STEADY] - stream[p.STEADY_AT_ANCHOR], p.ANCHORS_LAST + 1)
    stream[p.STEADY_AT_ANCHOR] = without
    stream[p.STEADY] = 0
    stream[p.UNKNOWNS] = min(stream[p.UNKNOWNS], p.DAMAGED_AFTER)
    if not stream[p.REMAINING]:
        stream[[p.CHIP, p.UNKNOWNS]] = 0
    stream[p.HITS_AT_ANCHOR] = n_hits - stream[p.HITS_AT_ANCHOR]
    _zero_unset(stream, clock)


def _zero_unset(stream: NDArray[np.int64], clock: NDArray[np.int64]) -> None:
    """Zero what a flag says is not there."""
    if not stream[p.CLOCK_STARTED]:
        stream[[p.CLOCK_LAST, p.NEWEST]] = 0
    if not stream[p.HAVE_ANCHOR_TIME]:
        stream[[p.ANCHOR_TIME, p.HITS_AT_ANCHOR, p.STEADY_AT_ANCHOR]] = 0
    if not stream[p.HAVE_DOUBT]:
        stream[[p.DOUBT_COUNTER, p.DOUBT_WIDTH, p.DOUBT_CHIP, p.DOUBT_AT]] = 0
    if not stream[p.HAVE_TDC_FLOOR]:
        stream[p.TDC_FLOOR] = 0
    if stream[p.WIDTH] == p.HIT_WIDTH:
        stream[p.OFFSET] = 0
    if not clock[:, p.OLD].any():
        stream[[p.OLD_OFFSET, p.OLD_WIDTH, p.RESET_TIME]] = 0
    for have, what in (
        (p.HAVE_LAST, p.LAST),
        (p.HAVE_DOUBTED, p.DOUBTED),
        (p.HAVE_ANCHOR, p.ANCHOR),
    ):
        clock[clock[:, have] == 0, what] = 0

"""The pass over the bytes: framing, word kinds, clock, pixels. Compiled, releases the GIL."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3.layout import X_ORIGIN, X_SIGN, Y_ORIGIN, Y_SIGN
from twinbeam.tpx3.packets import MAGIC, WordKind

HEADER = int(WordKind.HEADER)
PIXEL = int(WordKind.PIXEL)
COUNT_FB_PIXEL = int(WordKind.COUNT_FB_PIXEL)
TDC = int(WordKind.TDC)
GLOBAL_TIME_LOW = int(WordKind.GLOBAL_TIME_LOW)
GLOBAL_TIME_HIGH = int(WordKind.GLOBAL_TIME_HIGH)
PACKET_ID = int(WordKind.PACKET_ID)
SHUTTER_OPEN = int(WordKind.SHUTTER_OPEN)
SHUTTER_CLOSE = int(WordKind.SHUTTER_CLOSE)
HEARTBEAT = int(WordKind.HEARTBEAT)
EXTRA_TIMESTAMP = int(WordKind.EXTRA_TIMESTAMP)
CONTROL = int(WordKind.CONTROL)
UNKNOWN = int(WordKind.UNKNOWN)

# places in the framing state
REMAINING, CHIP, IN_SYNC, CLOCK_STARTED, CLOCK_LAST, POSITION, FIRST_BAD, UNKNOWNS = range(8)
N_STATE = 8
# places in the damage counters
RESYNC_BYTES, RESYNCS, CUT_CHUNKS, CUT_BYTES, BAD_CHIP_WORDS, ID_GAPS, IDS_LOST = range(7)
N_DAMAGE = 7
# places in the per-chip clock
LAST, HAVE_LAST, DOUBTED, HAVE_DOUBTED, ANCHOR, ANCHOR_LOW, HAVE_ANCHOR = range(7)
ANCHOR_DOUBTED, HIGHEST_ID, SEEN_IDS = range(7, 10)
N_CLOCK = 10

HIT_PERIOD = 1 << 34  # ticks after which the pixel counters roll over, 26.8 s
LARGE_STEP = HIT_PERIOD // 4  # ticks by which one pixel alone does not move the clock
GLOBAL_PERIOD = 1 << 36  # ticks after which the low word of the global time rolls over, 107 s
ALL_SEEN = (1 << 62) - 1
MOST_LOST = 1 << 20  # packets; a larger jump is a damaged or restarted counter
DAMAGED_AFTER = 3  # unknown words in a chunk; no real chunk has any
SMALL_STEP = 640_000_000  # ticks, 1 s: more than any disorder, less than a damaged word's error
ANCHOR_TOLERANCE = 16  # steps of 409.6 µs; the two readings in real words differ by 0 or 1


@nb.njit(cache=True, nogil=True, inline="always")
def _word(data: NDArray[np.uint8], at: int) -> np.uint64:
    value = np.uint64(0)
    for i in range(8):
        value |= np.uint64(data[at + i]) << np.uint64(8 * i)
    return value


@nb.njit(cache=True, nogil=True, inline="always")
def _nearest(raw: int, last: int, period: int) -> int:
    """The time congruent to `raw` that is nearest to `last`; exact half turns go back."""
    return last + (raw - last + period // 2) % period - period // 2


@nb.njit(cache=True, nogil=True)
def _doubt(
    raw: int, time: int, chip: int, clock: NDArray[np.int64], state: NDArray[np.int64]
) -> tuple[int, bool]:
    """Time of a pixel's counter that is a large step off, and whether the clock follows it.

    It does when the chip's pixel before was a large step off as well: one wrong word must not shift
    all that follow by a turn.
    """
    if not clock[chip, HAVE_LAST]:
        return (_nearest(raw, state[CLOCK_LAST], HIT_PERIOD) if state[CLOCK_STARTED] else raw), True
    if clock[chip, HAVE_DOUBTED]:
        return _nearest(raw, clock[chip, DOUBTED], HIT_PERIOD), True
    return time, False


@nb.njit(cache=True, nogil=True, inline="always")
def _set_clock(time: int, chip: int, clock: NDArray[np.int64], state: NDArray[np.int64]) -> None:
    clock[chip, LAST] = time
    clock[chip, HAVE_LAST] = 1
    clock[chip, HAVE_DOUBTED] = 0
    state[CLOCK_LAST] = time
    state[CLOCK_STARTED] = 1


@nb.njit(cache=True, nogil=True)
def _take_global_time(
    low: int, chip: int, clock: NDArray[np.int64], state: NDArray[np.int64]
) -> None:
    """Anchor a chip's clock; a step back is believed only when the next one is no step forward."""
    if clock[chip, HAVE_ANCHOR]:
        step = _nearest(low, clock[chip, ANCHOR_LOW], GLOBAL_PERIOD) - clock[chip, ANCHOR_LOW]
        if step < -SMALL_STEP and not clock[chip, ANCHOR_DOUBTED]:
            clock[chip, ANCHOR_DOUBTED] = 1
            return
        time = clock[chip, ANCHOR] + step
    elif clock[chip, HAVE_LAST]:
        time = _nearest(low, clock[chip, LAST], HIT_PERIOD)
    elif state[CLOCK_STARTED]:
        time = _nearest(low, state[CLOCK_LAST], HIT_PERIOD)
    else:
        time = low
    clock[chip, ANCHOR] = time
    clock[chip, ANCHOR_LOW] = low
    clock[chip, HAVE_ANCHOR] = 1
    clock[chip, ANCHOR_DOUBTED] = 0
    _set_clock(time, chip, clock, state)


@nb.njit(cache=True, nogil=True, inline="always")
def _is_sound_global_time(word: np.uint64) -> bool:
    """Whether the bits that must be zero are, and the two readings of the counter agree."""
    if word & np.uint64(0x00FF000000000000):
        return False
    counter = np.int64((word >> np.uint64(30)) & np.uint64(0xFFFF))
    spidr = np.int64(word & np.uint64(0xFFFF))
    return abs(_nearest(counter, spidr, 1 << 16) - spidr) <= ANCHOR_TOLERANCE


@nb.njit(cache=True, nogil=True)
def _count_packet(
    packet: int, chip: int, clock: NDArray[np.int64], damage: NDArray[np.int64]
) -> None:
    """Count the ids a packet skips; take it off again when it is one that was skipped before.

    Neighbouring packets of a chip come swapped in real files. The last 62 ids are remembered as
    bits, the highest one first; an id far from them means that the counter was restarted.
    """
    seen = clock[chip, SEEN_IDS]
    behind = clock[chip, HIGHEST_ID] - packet
    if seen == 0 or behind >= 62 or behind < -MOST_LOST:
        clock[chip, HIGHEST_ID] = packet
        clock[chip, SEEN_IDS] = ALL_SEEN
    elif behind < 0:
        if behind < -1:
            damage[ID_GAPS] += 1
            damage[IDS_LOST] += -behind - 1
        clock[chip, HIGHEST_ID] = packet
        clock[chip, SEEN_IDS] = ((seen << -behind) & ALL_SEEN if behind > -62 else 0) | 1
    elif (seen >> behind) & 1 == 0:
        damage[IDS_LOST] -= 1
        clock[chip, SEEN_IDS] = seen | (1 << behind)


@nb.njit(cache=True, nogil=True)
def word_kind(word: np.uint64) -> int:
    """Kind of a word inside a chunk."""
    nibble = word >> np.uint64(60)
    if nibble == 0xB:
        return PIXEL
    if nibble == 0x6:
        return TDC
    if nibble == 0xA:
        return COUNT_FB_PIXEL
    byte = word >> np.uint64(56)
    if byte == 0x44:
        return GLOBAL_TIME_LOW
    if byte == 0x45:
        return GLOBAL_TIME_HIGH
    if byte == 0x50:
        return PACKET_ID
    if byte == 0x5F:
        return SHUTTER_OPEN
    if byte == 0x5A:
        return SHUTTER_CLOSE
    if byte == 0x5C:
        return HEARTBEAT
    if byte == 0x51 or byte == 0x21:
        return EXTRA_TIMESTAMP
    if byte == 0x71 or byte == 0x72:
        return CONTROL
    return UNKNOWN


@nb.njit(cache=True, nogil=True)
def decode_block(
    data: NDArray[np.uint8],
    state: NDArray[np.int64],
    clock: NDArray[np.int64],
    counts: NDArray[np.int64],
    damage: NDArray[np.int64],
    chip_hits: NDArray[np.int64],
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    tot: NDArray[np.uint16],
    chips: NDArray[np.uint8],
) -> tuple[int, int]:
    """Decode as many whole words of `data` as there are.

    Writes hits into `t, x, y, tot, chips`, updates state, clock and counters in place, and returns
    the number of hits and the number of bytes consumed; fewer than 8 bytes are left over.
    """
    n = data.size
    at = 0
    n_hits = 0
    n_chips = clock.shape[0]
    while n - at >= 8:
        word = _word(data, at)
        is_magic = (word & np.uint64(0xFFFFFFFF)) == MAGIC
        size = np.int64(word >> np.uint64(48))
        if state[REMAINING] == 0:
            chip = np.int64((word >> np.uint64(32)) & np.uint64(0xFF))
            mode = (word >> np.uint64(40)) & np.uint64(0xFF)
            if is_magic and size % 8 == 0 and (chip < n_chips or mode == 0):
                counts[HEADER] += 1
                state[REMAINING] = size
                state[CHIP] = chip
                state[IN_SYNC] = 1
                state[UNKNOWNS] = 0
                at += 8
            else:
                # look for the next header at any byte offset
                if state[IN_SYNC] == 1:
                    state[IN_SYNC] = 0
                    damage[RESYNCS] += 1
                    if state[FIRST_BAD] < 0:
                        state[FIRST_BAD] = state[POSITION] + at
                damage[RESYNC_BYTES] += 1
                at += 1
            continue
        kind = word_kind(word)
        if (
            is_magic
            and size % 8 == 0
            and (kind == UNKNOWN or (word >> np.uint64(32)) & np.uint64(0xFFFF) < n_chips)
        ):
            # Words of the chunk were lost: its size reaches into the next chunk. Sizes such as
            # 0xB000 look like other words; then the unused mode and a chip of the quad tell.
            damage[CUT_CHUNKS] += 1
            damage[CUT_BYTES] += state[REMAINING]
            if state[FIRST_BAD] < 0:
                state[FIRST_BAD] = state[POSITION] + at
            state[REMAINING] = 0
            continue
        at += 8
        state[REMAINING] -= 8
        chip = state[CHIP]
        if chip >= n_chips:
            damage[BAD_CHIP_WORDS] += 1
            continue
        counts[kind] += 1
        if kind == PIXEL:
            coarse = ((word & np.uint64(0xFFFF)) << np.uint64(14)) | (
                (word >> np.uint64(30)) & np.uint64(0x3FFF)
            )
            fine = np.int64((word >> np.uint64(16)) & np.uint64(0xF))
            raw = (np.int64(coarse) << 4) - fine
            last = clock[chip, LAST]
            time = _nearest(raw, last, HIT_PERIOD)
            believed = True
            if not clock[chip, HAVE_LAST] or time - last > LARGE_STEP or last - time > SMALL_STEP:
                time, believed = _doubt(raw, time, chip, clock, state)
            if (
                state[UNKNOWNS] >= DAMAGED_AFTER
                and state[CLOCK_STARTED]
                and abs(time - state[CLOCK_LAST]) >= SMALL_STEP
            ):
                # a random word, which would make the clock wander by whole turns
                counts[PIXEL] -= 1
                counts[UNKNOWN] += 1
                continue
            if believed:
                _set_clock(time, chip, clock, state)
            else:
                clock[chip, DOUBTED] = time
                clock[chip, HAVE_DOUBTED] = 1
            address = np.int64((word >> np.uint64(44)) & np.uint64(0xFFFF))
            column = ((address & 0xFE00) >> 8) | ((address >> 2) & 1)
            row = ((address & 0x01F8) >> 1) | (address & 3)
            t[n_hits] = time
            x[n_hits] = X_SIGN[chip] * column + X_ORIGIN[chip]
            y[n_hits] = Y_SIGN[chip] * row + Y_ORIGIN[chip]
            tot[n_hits] = np.int64((word >> np.uint64(20)) & np.uint64(0x3FF)) * 25
            chips[n_hits] = chip
            chip_hits[chip] += 1
            n_hits += 1
        elif kind == GLOBAL_TIME_LOW and _is_sound_global_time(word):
            low = np.int64((word >> np.uint64(16)) & np.uint64(0xFFFFFFFF)) << 4
            _take_global_time(low, chip, clock, state)
        elif kind == UNKNOWN:
            state[UNKNOWNS] += 1
        elif kind == PACKET_ID and state[UNKNOWNS] == 0:
            _count_packet(np.int64(word & np.uint64(0xFFFFFFFFFFFF)), chip, clock, damage)
    state[POSITION] += at
    return n_hits, at

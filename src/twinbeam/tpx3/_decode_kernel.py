"""The pass over the bytes: framing and word kinds. Compiled, releases the GIL."""

# mypy: disable-error-code="arg-type, assignment, call-overload, return-value"

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import _places as p
from twinbeam.tpx3._anchor_kernel import take_anchor
from twinbeam.tpx3._clock_kernel import (
    is_stale,
    move_clock,
    move_stream,
    nearest,
    note,
    note_span,
    pixel_time,
)
from twinbeam.tpx3._run_kernel import decode_run, run_length, skim_run
from twinbeam.tpx3._tdc_kernel import take_tdc
from twinbeam.tpx3.layout import X_ORIGIN, Y_ORIGIN
from twinbeam.tpx3.notes import Note
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

SHORTEST_RUN = 8  # pixel words for which the short way is shorter

NOTE_UNKNOWN_WORD = int(Note.UNKNOWN_WORD)
NOTE_ALIEN_CHIP = int(Note.ALIEN_CHIP)
NOTE_RESYNC = int(Note.RESYNC)
NOTE_CUT_CHUNK = int(Note.CUT_CHUNK)
NOTE_PACKET_GAP = int(Note.PACKET_GAP)
NOTE_HIT_OFF_CLOCK = int(Note.HIT_OFF_CLOCK)
NOTE_INVALID_TDC = int(Note.INVALID_TDC)
NOTE_SHUTTER_OPEN = int(Note.SHUTTER_OPEN)
NOTE_SHUTTER_CLOSE = int(Note.SHUTTER_CLOSE)


@nb.njit(cache=True, nogil=True, inline="always")
def _word(words: NDArray[np.uint64], at: int) -> np.uint64:
    """The word at a byte offset; needs a word of padding at the end."""
    place = np.uintp(at >> 3)
    phase = np.uint64((at & 7) << 3)
    if phase == 0:
        return words[place]
    return (words[place] >> phase) | (words[place + np.uintp(1)] << (np.uint64(64) - phase))


@nb.njit(cache=True, nogil=True)
def _count_packet(packet: int, mine: NDArray[np.int64], damage: NDArray[np.int64]) -> int:
    """Count the ids a packet skips; take it off again when it is one that was skipped before.

    Neighbouring packets of a chip come swapped in real files. The last 62 ids are remembered as
    bits, the highest one first; an id far from them means that the counter was restarted. Returns
    the number of ids skipped here.
    """
    seen = mine[p.SEEN_IDS]
    behind = mine[p.HIGHEST_ID] - packet
    skipped = 0
    if seen == 0 or behind >= 62 or behind < -p.MOST_LOST:
        mine[p.HIGHEST_ID] = packet
        mine[p.SEEN_IDS] = p.ALL_SEEN
    elif behind < 0:
        skipped = -behind - 1
        mine[p.HIGHEST_ID] = packet
        mine[p.SEEN_IDS] = ((seen << -behind) & p.ALL_SEEN if behind > -62 else 0) | 1
    elif (seen >> behind) & 1 == 0:
        damage[p.IDS_LOST] -= 1
        mine[p.SEEN_IDS] = seen | (1 << behind)
    return skipped


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
def _time_word(
    word: np.uint64,
    kind: int,
    chip: int,
    at: int,
    n_hits: int,
    clock: NDArray[np.int64],
    state: NDArray[np.int64],
    notes: NDArray[np.int64],
    n_notes: NDArray[np.int64],
) -> None:
    """Anchor the clock by a word that carries a longer counter, if its bits are sound."""
    mine = clock[chip]
    back = p.ANCHOR_BACK
    spidr = np.int64(word & np.uint64(0xFFFF))
    if kind == GLOBAL_TIME_LOW:
        low = np.int64((word >> np.uint64(16)) & np.uint64(0xFFFFFFFF)) << 4
        # bits that must be zero are, and the two readings of the counter agree
        if (word >> np.uint64(48)) & np.uint64(0xFF) == 0 and (
            abs(nearest((low >> p.SPIDR_BITS) & (p.SPIDR_STEPS - 1), spidr, 16) - spidr)
            <= p.ANCHOR_TOLERANCE
        ):
            mine[p.LOW] = low
            mine[p.LOW_SPIDR] = spidr
            mine[p.HAVE_LOW] = 1
            take_anchor(
                low, p.GLOBAL_WIDTH, back, True, chip, at, n_hits, clock, state, notes, n_notes
            )
    elif kind == GLOBAL_TIME_HIGH:
        between = (spidr - mine[p.LOW_SPIDR]) & (p.SPIDR_STEPS - 1)
        # the halves are read one after the other: the low one must not roll over in between
        rolls = mine[p.LOW] + ((between + 2) << p.SPIDR_BITS) >= 1 << p.GLOBAL_WIDTH
        if (
            mine[p.HAVE_LOW]
            and (word >> np.uint64(32)) & np.uint64(0xFFFFFF) == 0
            and between < p.MOST_BETWEEN_HALVES
            and not rolls
        ):
            high = np.int64((word >> np.uint64(16)) & np.uint64(0xFFFF))
            counter = (high << p.GLOBAL_WIDTH) | mine[p.LOW]
            take_anchor(
                counter, p.FULL_WIDTH, back, True, chip, at, n_hits, clock, state, notes, n_notes
            )
        mine[p.HAVE_LOW] = 0
    elif kind == EXTRA_TIMESTAMP:
        # 54 bits of ticks, and two bits above that say error and overflow; the oldest hit of the
        # chunk may be far behind the time of sending
        if word >> np.uint64(54) == np.uint64(0x51 << 2) and state[p.UNKNOWNS] == 0:
            counter = np.int64(word & np.uint64((1 << p.FULL_WIDTH) - 1))
            take_anchor(
                counter,
                p.FULL_WIDTH,
                p.SMALL_STEP,
                False,
                chip,
                at,
                n_hits,
                clock,
                state,
                notes,
                n_notes,
            )
    elif (word >> np.uint64(46)) & np.uint64(0x3FF) == 0 and word & np.uint64(0xFFF) == 0:
        counter = np.int64(word >> np.uint64(12) & np.uint64((1 << 34) - 1)) << 4
        time = take_anchor(
            counter, p.SHUTTER_WIDTH, back, False, chip, at, n_hits, clock, state, notes, n_notes
        )
        if kind == SHUTTER_OPEN:
            note(NOTE_SHUTTER_OPEN, at, time, notes, n_notes)
        elif kind == SHUTTER_CLOSE:
            note(NOTE_SHUTTER_CLOSE, at, time, notes, n_notes)


@nb.njit(cache=True, nogil=True)
def decode_block(
    words: NDArray[np.uint64],
    n: int,
    n_hits: int,
    state: NDArray[np.int64],
    clock: NDArray[np.int64],
    counts: NDArray[np.int64],
    damage: NDArray[np.int64],
    chip_hits: NDArray[np.int64],
    tdc_counts: NDArray[np.int64],
    tdc_slots: NDArray[np.int64],
    notes: NDArray[np.int64],
    n_notes: NDArray[np.int64],
    tdc: NDArray[np.int64],
    skims: bool,
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    tot: NDArray[np.uint16],
    chips: NDArray[np.uint8],
) -> tuple[int, int, int]:
    """Decode as many whole words of the first `n` bytes of `words` as there are.

    Writes hits into `t, x, y, tot, chips` from place `n_hits` and TDC edges into the rows of
    `tdc` (none when it has no rows), updates state, clocks and counters in place, and returns the
    number of hits so far, of TDC edges, and of bytes consumed; fewer than 8 bytes are left over.
    Runs of pixels at whole words take the short way as long as their clock makes no large step;
    everything else goes word by word. With `skims` the hits are not wanted: what is written in
    their columns means nothing then.
    """
    at = 0
    n_tdc = 0
    careful_until = 0
    n_chips = clock.shape[0]
    while n - at >= 8:
        chip = state[p.CHIP]
        if (
            state[p.REMAINING] > 0
            and at & 7 == 0
            and at >= careful_until
            and state[p.UNKNOWNS] < p.DAMAGED_AFTER
            and chip < n_chips
            and clock[chip, p.HAVE_LAST]
            and not clock[chip, p.HAVE_DOUBTED]
            and not is_stale(chip, clock, state)
        ):
            first = at >> 3
            run = run_length(words, first, min(n, at + state[p.REMAINING]) >> 3)
            stop = n_hits + run
            good, low, high = False, 0, 0
            if run >= SHORTEST_RUN and skims:
                good, low, high = skim_run(
                    words[first : first + run], clock[chip, p.LAST], t[n_hits:stop]
                )
            elif run >= SHORTEST_RUN:
                good, low, high = decode_run(
                    words[first : first + run],
                    clock[chip, p.LAST],
                    chip,
                    t[n_hits:stop],
                    x[n_hits:stop],
                    y[n_hits:stop],
                    tot[n_hits:stop],
                    chips[n_hits:stop],
                )
            if good:
                move_stream(t[n_hits], high, state)
                move_clock(t[stop - 1], chip, clock, state)
                note_span(low, high, state)
                counts[PIXEL] += run
                chip_hits[chip] += run
                n_hits = stop
                at += run << 3
                state[p.REMAINING] -= run << 3
                continue
            careful_until = at + (max(run, 1) << 3)
        word = _word(words, at)
        here = state[p.POSITION] + at
        is_magic = (word & np.uint64(0xFFFFFFFF)) == MAGIC
        size = np.int64(word >> np.uint64(48))
        if state[p.REMAINING] == 0:
            chip = np.int64((word >> np.uint64(32)) & np.uint64(0xFF))
            mode = (word >> np.uint64(40)) & np.uint64(0xFF)
            if is_magic and size % 8 == 0 and (chip < n_chips or mode == 0):
                counts[HEADER] += 1
                state[p.REMAINING] = size
                state[p.CHIP] = chip
                state[p.IN_SYNC] = 1
                state[p.UNKNOWNS] = 0
                if chip >= n_chips:
                    note(NOTE_ALIEN_CHIP, here, chip, notes, n_notes)
                at += 8
            else:
                # look for the next header at any byte offset
                if state[p.IN_SYNC] == 1:
                    state[p.IN_SYNC] = 0
                    damage[p.RESYNCS] += 1
                    note(NOTE_RESYNC, here, 0, notes, n_notes)
                    if state[p.FIRST_BAD] < 0:
                        state[p.FIRST_BAD] = here
                damage[p.RESYNC_BYTES] += 1
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
            damage[p.CUT_CHUNKS] += 1
            damage[p.CUT_BYTES] += state[p.REMAINING]
            note(NOTE_CUT_CHUNK, here, state[p.REMAINING], notes, n_notes)
            if state[p.FIRST_BAD] < 0:
                state[p.FIRST_BAD] = here
            state[p.REMAINING] = 0
            continue
        at += 8
        state[p.REMAINING] -= 8
        chip = state[p.CHIP]
        if chip >= n_chips:
            damage[p.BAD_CHIP_WORDS] += 1
            continue
        counts[kind] += 1
        if kind == PIXEL:
            coarse = ((word & np.uint64(0xFFFF)) << np.uint64(14)) | (
                (word >> np.uint64(30)) & np.uint64(0x3FFF)
            )
            fine = np.int64((word >> np.uint64(16)) & np.uint64(0xF))
            raw = (np.int64(coarse) << 4) - fine
            doubted, was_doubted = clock[chip, p.DOUBTED], clock[chip, p.HAVE_DOUBTED]
            last = clock[chip, p.LAST]
            time = nearest(raw, last, p.HIT_WIDTH)
            believed = True
            if (
                not clock[chip, p.HAVE_LAST]
                or not -p.SMALL_STEP <= time - last <= p.LARGE_STEP
                or is_stale(chip, clock, state)
            ):
                time, believed = pixel_time(raw, chip, clock, state)
            if (
                state[p.UNKNOWNS] >= p.DAMAGED_AFTER
                and state[p.CLOCK_STARTED]
                and abs(time - state[p.CLOCK_LAST]) >= p.SMALL_STEP
            ):
                # a random word, which would make the clock wander by whole turns
                counts[PIXEL] -= 1
                counts[UNKNOWN] += 1
                note(NOTE_UNKNOWN_WORD, here, np.int64(word), notes, n_notes)
                continue
            if believed:
                if was_doubted and abs(time - doubted) < p.SMALL_STEP:
                    note_span(doubted, doubted, state)
                move_clock(time, chip, clock, state)
                note_span(time, time, state)
            else:
                clock[chip, p.DOUBTED] = time
                clock[chip, p.HAVE_DOUBTED] = 1
                note(NOTE_HIT_OFF_CLOCK, here, time, notes, n_notes)
            address = np.int64((word >> np.uint64(44)) & np.uint64(0xFFFF))
            column = ((address & 0xFE00) >> 8) | ((address >> 2) & 1)
            row = ((address & 0x01F8) >> 1) | (address & 3)
            t[n_hits] = time
            x[n_hits] = column ^ X_ORIGIN[chip]
            y[n_hits] = row ^ Y_ORIGIN[chip]
            tot[n_hits] = np.int64((word >> np.uint64(20)) & np.uint64(0x3FF)) * 25
            chips[n_hits] = chip
            chip_hits[chip] += 1
            n_hits += 1
        elif kind == TDC:
            outcome, edge_t, edge_count = take_tdc(
                word, chip, counts[PIXEL], clock, state, tdc_slots
            )
            tdc_counts[outcome] += 1
            if outcome > p.N_TDC_EDGES:
                note(NOTE_INVALID_TDC, here, outcome - p.N_TDC_EDGES - 1, notes, n_notes)
            elif outcome < p.N_TDC_EDGES and n_tdc < tdc.shape[0]:
                tdc[n_tdc, 0] = edge_t
                tdc[n_tdc, 1] = outcome
                tdc[n_tdc, 2] = edge_count
                n_tdc += 1
        elif kind == UNKNOWN:
            state[p.UNKNOWNS] += 1
            note(NOTE_UNKNOWN_WORD, here, np.int64(word), notes, n_notes)
        elif kind == PACKET_ID:
            if state[p.UNKNOWNS] == 0:
                skipped = _count_packet(
                    np.int64(word & np.uint64(0xFFFFFFFFFFFF)), clock[chip], damage
                )
                if skipped:
                    damage[p.ID_GAPS] += 1
                    damage[p.IDS_LOST] += skipped
                    note(NOTE_PACKET_GAP, here, skipped, notes, n_notes)
        elif kind not in (COUNT_FB_PIXEL, CONTROL) and state[p.UNKNOWNS] < p.DAMAGED_AFTER:
            _time_word(word, kind, chip, here, counts[PIXEL], clock, state, notes, n_notes)
    state[p.POSITION] += at
    return n_hits, n_tdc, at

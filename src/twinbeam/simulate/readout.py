"""Hits → raw bytes in the order a quad sends them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import (
    N_CHIPS,
    TICK_NS,
    chunk,
    global_time_words,
    packet_id_word,
    pixel_words,
    shutter_word,
)
from twinbeam.tpx3.packets import MAGIC

__all__ = ["Readout"]

_SLOT_TICKS = int(0.5e6 / TICK_NS)  # chips are read in turns of half a millisecond
_LATEST_TICKS = int(30e3 / TICK_NS)  # the longest ToT keeps a hit back by 25.55 µs
_MAX_PIXEL_WORDS = 4000


class Readout:
    """Keeps hits until they leave the chips and frames them into chunks.

    A hit leaves when its ToT is over; the chips take turns, so a stream is disordered by some
    hundred nanoseconds within a chip and by up to half a millisecond between chips.
    """

    def __init__(self, global_time_s: float) -> None:
        self._beat_slots = max(1, round(global_time_s * 1e9 / TICK_NS / _SLOT_TICKS))
        self._packets = [0] * N_CHIPS
        self._slot = 0
        self._pending: list[NDArray[np.int64]] = []

    def open_shutter(self) -> bytes:
        """Words that begin an acquisition."""
        return b"".join(self._small_chunk(chip, shutter_word(0, opened=True)) for chip in range(4))

    def close_shutter(self, t: int) -> bytes:
        """Words that end an acquisition at tick `t`."""
        return b"".join(
            self._small_chunk(chip, shutter_word(t, opened=False)) for chip in range(N_CHIPS)
        )

    def add(
        self,
        t: NDArray[np.int64],
        x: NDArray[np.int64],
        y: NDArray[np.int64],
        tot_ns: NDArray[np.int64],
    ) -> None:
        """Take hits that happened; they come out when their ToT is over."""
        leaves = t + np.ceil(tot_ns / TICK_NS).astype(np.int64)
        self._pending.append(np.stack([leaves, t, x, y, tot_ns]))

    def until(self, now: int) -> bytes:
        """Bytes of all complete read-out turns before tick `now`, given no later hit is earlier."""
        return self._release((now - _LATEST_TICKS) // _SLOT_TICKS)

    def rest(self, now: int) -> bytes:
        """Bytes of everything still held at the end, tick `now`."""
        return self._release((now + 2 * _LATEST_TICKS) // _SLOT_TICKS + 1)

    def _release(self, stop: int) -> bytes:
        if stop <= self._slot:
            return b""
        held = np.concatenate(self._pending, axis=1) if self._pending else np.empty((5, 0), int)
        slots = held[0] // _SLOT_TICKS
        ready = slots < stop
        self._pending = [held[:, ~ready]]
        hits, slots = held[:, ready], np.maximum(slots[ready], self._slot)
        out: list[bytes] = []
        beat = -(-self._slot // self._beat_slots) * self._beat_slots
        at = self._slot
        while at < stop:
            if at == beat:
                out.extend(
                    self._small_chunk(chip, global_time_words(at * _SLOT_TICKS))
                    for chip in range(N_CHIPS)
                )
                beat += self._beat_slots
            upto = min(beat, stop)
            inside = (slots >= at) & (slots < upto)
            if inside.any():
                out.append(self._chunks(hits[:, inside], slots[inside]))
            at = upto
        self._slot = stop
        return b"".join(out)

    def _small_chunk(self, chip: int, words: NDArray[np.uint64]) -> bytes:
        packet = packet_id_word(self._packets[chip])
        self._packets[chip] += 1
        return chunk(chip, np.concatenate((packet, words)))

    def _chunks(self, hits: NDArray[np.int64], slots: NDArray[np.int64]) -> bytes:
        """One chunk a turn and chip, each a header, a packet id and the hits in leaving order."""
        leaves, t, x, y, tot = hits
        words, chip = pixel_words(t, x, y, tot)
        order = np.lexsort((leaves, chip, slots))
        words, chip, slots = words[order], chip[order].astype(np.int64), slots[order]
        key = slots * N_CHIPS + chip
        first = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
        within = np.arange(key.size) - np.repeat(first, np.diff(np.append(first, key.size)))
        starts = np.flatnonzero((within % _MAX_PIXEL_WORDS) == 0)
        sizes = np.diff(np.append(starts, key.size))
        group = np.repeat(np.arange(starts.size), sizes)
        out = np.empty(words.size + 2 * starts.size, dtype="<u8")
        out[np.arange(words.size) + 2 * (group + 1)] = words
        heads = starts + 2 * np.arange(starts.size)
        chips = chip[starts]
        size_bytes = ((sizes + 1) * 8).astype(np.uint64)
        out[heads] = (
            (size_bytes << np.uint64(48)) | (chips.astype(np.uint64) << np.uint64(32)) | MAGIC
        )
        for number in range(N_CHIPS):
            mine = np.flatnonzero(chips == number)
            ids = self._packets[number] + np.arange(mine.size)
            out[heads[mine] + 1] = (np.uint64(0x50) << np.uint64(56)) | ids.astype(np.uint64)
            self._packets[number] += int(mine.size)
        return out.tobytes()

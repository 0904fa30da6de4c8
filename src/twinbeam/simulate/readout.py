"""Words → raw bytes in the order a quad sends them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbeam.simulate._word_kernel import hit_words
from twinbeam.simulate.control_words import Words
from twinbeam.simulate.hit_truth import HitTruth
from twinbeam.simulate.parameters import SimulationParameters
from twinbeam.simulate.sensor import SensorHits
from twinbeam.tpx3 import N_CHIPS, TICK_NS
from twinbeam.tpx3.packets import MAGIC

__all__ = ["Readout"]

_INDEX_BITS = 27
_LONGEST_TOT_NS = 25_550.0


class Readout:
    """Keeps words until they leave the chips and frames them into chunks.

    A hit leaves when its ToT is over; the chips take turns, so a stream is disordered by some
    hundred nanoseconds within a chip and by up to two turns between chips. Times are ticks since
    the shutter opened.
    """

    def __init__(self, parameters: SimulationParameters, *, keep_hits: bool = False) -> None:
        p = parameters
        self._turn_ticks = round(p.chip_turn_us * 1e3 / TICK_NS)
        # hits of a photon leave at the earliest a jitter before it and at the latest this after it
        latest_ns = _LONGEST_TOT_NS + 10.0 * p.jitter_ns + p.timewalk_ns + 50.0 * p.readout_delay_ns
        self._latest_ticks = round(latest_ns / TICK_NS) + 1
        self._earliest_ticks = round(10.0 * p.jitter_ns / TICK_NS) + 1
        self._has_ids = p.serval != "2"
        self._chunk_words = p.chunk_words - self._has_ids
        self._packets = [0] * N_CHIPS
        self._turn = 0
        self._control = Words.empty()
        self._leaves = np.empty(0, dtype=np.int64)
        self._words = np.empty(0, dtype=np.uint64)
        self._chips = np.empty(0, dtype=np.uint8)
        self._keep_hits = keep_hits
        self._hits = HitTruth.empty()
        self._sent_hits: list[HitTruth] = []

    def share_packets(self, other: Readout) -> None:
        """Let another read-out of the same chips count their packets on."""
        other._packets = self._packets

    def take_hits(self) -> HitTruth:
        """Hits of the bytes given out since the last call, if they are kept."""
        hits, self._sent_hits = HitTruth.concatenate(self._sent_hits), []
        return hits

    def add_words(self, words: Words) -> None:
        """Take words other than hits; at the same tick they leave before hits, by their rank."""
        self._control = Words.concatenate((self._control, words))

    def add_hits(self, hits: SensorHits, photon: NDArray[np.int64]) -> None:
        """Take hits of photons in order of time, with the number of the photon of each."""
        words = np.empty(hits.t.size, dtype=np.uint64)
        chips = np.empty(hits.t.size, dtype=np.uint8)
        hit_words(hits.t, hits.x, hits.y, hits.tot_ns, words, chips)
        self._leaves = np.concatenate((self._leaves, hits.leaves))
        self._words = np.concatenate((self._words, words))
        self._chips = np.concatenate((self._chips, chips))
        if self._keep_hits:
            new = HitTruth(
                photon,
                hits.t,
                hits.x.astype(np.uint16),
                hits.y.astype(np.uint16),
                hits.tot_ns.astype(np.uint16),
                chips,
            )
            self._hits = HitTruth.concatenate((self._hits, new))

    def until(self, now: int) -> bytes:
        """Bytes of all complete turns before tick `now`, given that no later photon is earlier."""
        return self._release((now - self._earliest_ticks) // self._turn_ticks)

    def rest(self, now: int) -> bytes:
        """Bytes of everything still held at the end, tick `now`."""
        last = max(
            now + self._latest_ticks,
            int(self._control.leaves.max(initial=0)),
            int(self._leaves.max(initial=0)),
        )
        return self._release(last // self._turn_ticks + 1)

    def _release(self, stop: int) -> bytes:
        if stop <= self._turn:
            return b""
        limit = stop * self._turn_ticks
        gone, self._control = self._control.split(limit)
        ready = self._leaves < limit
        leaves = np.concatenate((gone.leaves, self._leaves[ready]))
        words = np.concatenate((gone.word, self._words[ready]))
        chips = np.concatenate((gone.chip, self._chips[ready]))
        hits = self._hits[ready] if self._keep_hits else self._hits
        if self._keep_hits:
            self._hits = self._hits[~ready]
        self._leaves = self._leaves[~ready]
        self._words = self._words[~ready]
        self._chips = self._chips[~ready]
        first_turn, self._turn = self._turn, stop
        if not words.size:
            return b""
        leaves = np.maximum(leaves, first_turn * self._turn_ticks)
        turns = leaves // self._turn_ticks
        # which chip sends first changes from turn to turn
        place = (turns - first_turn) * N_CHIPS + (chips ^ _shuffle(turns))
        key = place * self._turn_ticks + leaves % self._turn_ticks
        order = np.sort((key << _INDEX_BITS) | np.arange(key.size)) & ((1 << _INDEX_BITS) - 1)
        if self._keep_hits:
            of_hits = order[order >= len(gone)] - len(gone)
            self._sent_hits.append(hits[of_hits])
        return self._frame(words[order], chips[order], place[order])

    def _frame(
        self, words: NDArray[np.uint64], chips: NDArray[np.uint8], place: NDArray[np.int64]
    ) -> bytes:
        """Chunks of words that are in order; a chunk is of one chip and one of its turns."""
        extra = 1 + self._has_ids
        first = np.flatnonzero(np.concatenate(([True], place[1:] != place[:-1])))
        within = np.arange(place.size) - np.repeat(first, np.diff(np.append(first, place.size)))
        starts = np.flatnonzero(within % self._chunk_words == 0)
        sizes = np.diff(np.append(starts, place.size))
        chunk = np.repeat(np.arange(starts.size), sizes)
        out = np.empty(words.size + extra * starts.size, dtype="<u8")
        out[np.arange(words.size) + extra * (chunk + 1)] = words
        heads = starts + extra * np.arange(starts.size)
        chip = chips[starts].astype(np.uint64)
        size_bytes = ((sizes + self._has_ids) * 8).astype(np.uint64)
        out[heads] = (size_bytes << np.uint64(48)) | (chip << np.uint64(32)) | np.uint64(MAGIC)
        if self._has_ids:
            for number in range(N_CHIPS):
                mine = np.flatnonzero(chip == number)
                ids = np.arange(self._packets[number], self._packets[number] + mine.size)
                out[heads[mine] + 1] = (np.uint64(0x50) << np.uint64(56)) | ids.astype(np.uint64)
                self._packets[number] += int(mine.size)
        return out.tobytes()


def _shuffle(turns: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number from 0 to 3 that belongs to a turn."""
    return (turns * 2_654_435_761 >> 16) & 3

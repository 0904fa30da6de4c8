"""Raw bytes → hits, for any cutting of the stream."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import _decode_kernel as kernel
from twinbeam.tpx3.census import Census
from twinbeam.tpx3.hits import Hits
from twinbeam.tpx3.layout import N_CHIPS
from twinbeam.tpx3.packets import WordKind

__all__ = ["Decoder"]


class Decoder:
    """Turns the bytes of one acquisition into hits, however they are cut.

    Words are framed by chunk size; after damage the next header is searched at any byte offset.
    Each chip's clock is unwrapped to the representative nearest to that chip's last time, and
    re-anchored by its sound global-time words, so gaps of up to 53 s are bridged where those words
    are present and 10 s where they are not. A step of more than 6.7 s moves a chip's clock only
    when its next pixel agrees.
    """

    def __init__(self) -> None:
        self._carry = b""
        self._bytes = 0
        self._state = np.zeros(kernel.N_STATE, dtype=np.int64)
        self._state[kernel.FIRST_BAD] = -1
        self._state[kernel.IN_SYNC] = 1
        self._clock = np.zeros((N_CHIPS, kernel.N_CLOCK), dtype=np.int64)
        self._counts = np.zeros(len(WordKind), dtype=np.int64)
        self._damage = np.zeros(kernel.N_DAMAGE, dtype=np.int64)
        self._chip_hits = np.zeros(N_CHIPS, dtype=np.int64)
        self._first_tick: int | None = None
        self._last_tick: int | None = None

    def feed(self, chunk: bytes | bytearray | memoryview) -> Hits:
        """Decode the next bytes of the stream; hits come in the order of the stream."""
        self._bytes += len(chunk)
        joined = self._carry + bytes(chunk) if self._carry else chunk
        data = np.frombuffer(joined, dtype=np.uint8)
        data.flags.writeable = False  # one kernel serves all kinds of buffers
        room = data.size // 8
        t = np.empty(room, np.int64)
        x = np.empty(room, np.uint16)
        y = np.empty(room, np.uint16)
        tot = np.empty(room, np.uint16)
        chip = np.empty(room, np.uint8)
        n, used = kernel.decode_block(
            data,
            self._state,
            self._clock,
            self._counts,
            self._damage,
            self._chip_hits,
            t,
            x,
            y,
            tot,
            chip,
        )
        self._carry = bytes(data[used:])
        hits = Hits(t[:n], x[:n], y[:n], tot[:n], chip[:n])
        self._note_span(hits.t)
        return hits

    def _note_span(self, t: NDArray[np.int64]) -> None:
        if t.size:
            low, high = int(t.min()), int(t.max())
            self._first_tick = low if self._first_tick is None else min(self._first_tick, low)
            self._last_tick = high if self._last_tick is None else max(self._last_tick, high)

    def census(self) -> Census:
        """What the stream has held so far; bytes of an unfinished word count as truncated."""
        return Census(
            n_bytes=self._bytes,
            words=tuple(int(n) for n in self._counts),
            truncated_bytes=len(self._carry),
            resync_bytes=int(self._damage[kernel.RESYNC_BYTES]),
            resyncs=int(self._damage[kernel.RESYNCS]),
            cut_chunks=int(self._damage[kernel.CUT_CHUNKS]),
            cut_bytes=int(self._damage[kernel.CUT_BYTES]),
            missing_bytes=int(self._state[kernel.REMAINING]),
            bad_chip_words=int(self._damage[kernel.BAD_CHIP_WORDS]),
            packet_id_gaps=int(self._damage[kernel.ID_GAPS]),
            packet_ids_lost=int(self._damage[kernel.IDS_LOST]),
            hits_by_chip=tuple(int(n) for n in self._chip_hits),
            first_tick=self._first_tick,
            last_tick=self._last_tick,
            first_damage_at=None
            if self._state[kernel.FIRST_BAD] < 0
            else int(self._state[kernel.FIRST_BAD]),
        )

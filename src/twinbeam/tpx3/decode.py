"""Raw bytes → hits, for any cutting of the stream."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import _decode_kernel as kernel
from twinbeam.tpx3 import _places as p
from twinbeam.tpx3.census import Census
from twinbeam.tpx3.decoder_state import DecoderState, shift_places
from twinbeam.tpx3.hits import Hits
from twinbeam.tpx3.layout import N_CHIPS
from twinbeam.tpx3.notes import Note, Noted
from twinbeam.tpx3.packets import WordKind
from twinbeam.tpx3.tdc import TdcEdges

__all__ = ["Decoder"]

_BUFFER_BYTES = 1 << 19  # of the own copy of the bytes; with the columns it stays in the cache


class Decoder:
    """Turns the bytes of one acquisition into hits, however they are cut.

    Words are framed by chunk size; after damage the next header is searched at any byte offset.

    All times are on one clock, congruent to the detector's counter modulo 26.8 s. Each chip is
    unwrapped to the time nearest to its last one; a step of more than 6.7 s (or 1 s back) moves
    the clock only when the chip's next pixel agrees, and a chip that was silent while the stream
    went on takes the turn of the stream. Global time, heartbeats, shutter words and extra
    timestamps tell the turn over any gap. One of them alone bridges up to 53 s (global time) or
    6.7 s (the others); a longer step or one of whole turns needs a second one that agrees.

    Two anchors in agreement that are behind the clock are a **T0 reset**: the clock goes on in the
    first turn in which the reset counter is not in the past, so there is a fictitious gap of less
    than 26.9 s and times never go back. All chips get the same offset, each when its own anchor (or
    a pixel that only fits the new clock) shows that it was reset. Hits between the reset and that
    anchor are on the new counter but may be one turn off, or, when the old counter was less than
    13.4 s into its turn, overlap its hits.

    Parameters
    ----------
    first_byte
        Offset of the first byte in its stream, added to all reported byte offsets.
    tdc
        Whether `take_tdc` will be called; edges are kept until it is.
    """

    def __init__(self, first_byte: int = 0, *, tdc: bool = False) -> None:
        # a word of padding, because words at odd bytes are put together from two
        self._words = np.zeros(_BUFFER_BYTES // 8 + 2, dtype=np.uint64)
        self._buffer = self._words.view(np.uint8)
        self._n_carry = 0
        self._bytes = 0
        self._state = np.zeros(p.N_STATE, dtype=np.int64)
        self._state[p.FIRST_BAD] = -1
        self._state[p.IN_SYNC] = 1
        self._state[p.POSITION] = first_byte
        self._state[p.WIDTH] = p.HIT_WIDTH
        self._clock = np.zeros((N_CHIPS, p.N_CLOCK), dtype=np.int64)
        self._counts = np.zeros(len(WordKind), dtype=np.int64)
        self._damage = np.zeros(p.N_DAMAGE, dtype=np.int64)
        self._chip_hits = np.zeros(N_CHIPS, dtype=np.int64)
        self._tdc_counts = np.zeros(p.N_TDC_COUNTS, dtype=np.int64)
        self._tdc_slots = np.full((p.N_TDC_EDGES * p.TDC_SLOTS, 2), -1, dtype=np.int64)
        self._notes = np.zeros((len(Note), max(n.most for n in Note), 2), dtype=np.int64)
        self._n_notes = np.zeros(len(Note), dtype=np.int64)
        self._tdc_rows = np.empty((self._words.size if tdc else 0, 3), dtype=np.int64)
        self._tdc: list[NDArray[np.int64]] = []
        self._unread: Sequence[NDArray[Any]] | None = None

    def feed(self, chunk: bytes | bytearray | memoryview) -> Hits:
        """Decode the next bytes of the stream; hits come in the order of the stream."""
        data = np.frombuffer(chunk, dtype=np.uint8)
        columns = _columns((self._n_carry + data.size) // 8)
        n_hits = 0
        for at in range(0, data.size, _BUFFER_BYTES):
            n_hits = self._decode(data[at : at + _BUFFER_BYTES], n_hits, columns)
        return Hits(*(column[:n_hits] for column in columns))

    def skim(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take the next bytes for the clock and the census only; their hits are not kept."""
        data = np.frombuffer(chunk, dtype=np.uint8)
        if self._unread is None:
            self._unread = _columns(self._words.size)
        for at in range(0, data.size, _BUFFER_BYTES):
            self._decode(data[at : at + _BUFFER_BYTES], 0, self._unread, skims=True)

    def _decode(
        self,
        piece: NDArray[np.uint8],
        n_hits: int,
        columns: Sequence[NDArray[Any]],
        *,
        skims: bool = False,
    ) -> int:
        size = self._n_carry + piece.size
        self._buffer[self._n_carry : size] = piece
        n_hits, n_tdc, used = kernel.decode_block(
            self._words,
            size,
            n_hits,
            self._state,
            self._clock,
            self._counts,
            self._damage,
            self._chip_hits,
            self._tdc_counts,
            self._tdc_slots,
            self._notes,
            self._n_notes,
            self._tdc_rows,
            skims,
            *columns,
        )
        if n_tdc:
            self._tdc.append(self._tdc_rows[:n_tdc].copy())
        self._n_carry = size - used
        self._buffer[: self._n_carry] = self._buffer[used:size].copy()
        self._bytes += piece.size
        return int(n_hits)

    def take_tdc(self) -> TdcEdges:
        """TDC edges since the last call, in the order of the stream.

        Raises
        ------
        RuntimeError
            If the decoder was made without `tdc=True`.
        """
        if not self._tdc_rows.size:
            raise RuntimeError("make the decoder with tdc=True to have the TDC edges kept")
        rows, self._tdc = self._tdc, []
        return TdcEdges.from_rows(np.concatenate([np.empty((0, 3), np.int64), *rows]))

    def fork(self) -> Decoder:
        """Another decoder that goes on from here, with the same counters."""
        other = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                setattr(other, name, value.copy())
        other._buffer = other._words.view(np.uint8)  # not a copy: the two are the same memory
        other._tdc = list(self._tdc)
        other._unread = None
        return other

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._buffer = self._words.view(np.uint8)  # the two are the same memory

    def state(self) -> DecoderState:
        """Everything that decides what the bytes to come will be decoded to."""
        carry = self._buffer[: self._n_carry].tobytes()
        n_hits = int(self._counts[WordKind.PIXEL])
        return DecoderState.of(carry, n_hits, self._state, self._clock, self._tdc_slots)

    def shift_clock(self, ticks: int) -> None:
        """Make all times later by a multiple of 2^34 ticks, past ones in the census as well.

        Raises
        ------
        ValueError
            If `ticks` is no such multiple.
        """
        if ticks % p.HIT_PERIOD:
            raise ValueError(f"clocks are shifted by multiples of 2**34 ticks, not by {ticks}")
        shift_places(self._state, self._clock, self._tdc_slots, ticks)
        self._state[[p.FIRST_TICK, p.LAST_TICK]] += ticks
        for kind in Note:
            if kind.is_time:
                self._notes[kind, : min(self._n_notes[kind], kind.most), 1] += ticks
        for rows in self._tdc:
            rows[:, 0] += p.TDC_STEPS * ticks

    def restart_span(self) -> None:
        """Let the span of the census cover only the hits still to come."""
        self._state[p.HAVE_TICKS] = 0

    def census(self) -> Census:
        """What the stream has held so far; bytes of an unfinished word count as truncated."""
        have_ticks = bool(self._state[p.HAVE_TICKS])
        first_bad = int(self._state[p.FIRST_BAD])
        damage = [int(n) for n in self._damage]
        return Census(
            n_bytes=self._bytes,
            words=tuple(int(n) for n in self._counts),
            truncated_bytes=self._n_carry,
            resync_bytes=damage[p.RESYNC_BYTES],
            resyncs=damage[p.RESYNCS],
            cut_chunks=damage[p.CUT_CHUNKS],
            cut_bytes=damage[p.CUT_BYTES],
            missing_bytes=int(self._state[p.REMAINING]),
            bad_chip_words=damage[p.BAD_CHIP_WORDS],
            packet_id_gaps=damage[p.ID_GAPS],
            packet_ids_lost=damage[p.IDS_LOST],
            hits_by_chip=tuple(int(n) for n in self._chip_hits),
            first_tick=int(self._state[p.FIRST_TICK]) if have_ticks else None,
            last_tick=int(self._state[p.LAST_TICK]) if have_ticks else None,
            first_damage_at=None if first_bad < 0 else first_bad,
            tdc_edges=tuple(int(n) for n in self._tdc_counts[: p.N_TDC_EDGES]),
            tdc_repeats=int(self._tdc_counts[p.N_TDC_EDGES]),
            tdc_invalid=tuple(int(n) for n in self._tdc_counts[p.N_TDC_EDGES + 1 :]),
            notes=tuple(self._noted(kind) for kind in Note),
        )

    def _noted(self, kind: Note) -> Noted:
        n = int(self._n_notes[kind])
        if not n:
            return Noted()
        places = self._notes[kind, : min(n, kind.most)]
        values = places[:, 1].tolist()
        if kind is Note.UNKNOWN_WORD:
            values = [v % (1 << 64) for v in values]
        return Noted(n, tuple(places[:, 0].tolist()), tuple(values))


def _columns(n: int) -> Sequence[NDArray[Any]]:
    return [np.empty(n, dtype) for dtype in Hits.DTYPES.values()]

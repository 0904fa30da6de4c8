"""A recorded raw file as the source of a measurement, once or in a loop whose clock goes on."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import pairwise
from pathlib import Path

import numpy as np

from sim_iocs.serval._word_kernel import anchor_span
from sim_iocs.serval.chunks import TURN_S, Rewriter, chunk_ends
from twinbeam.errors import RawDataError
from twinbeam.simulate import Truth
from twinbeam.tpx3 import TICK_NS, Decoder, Note, check_raw_file
from twinbeam.tpx3.packets import MAGIC, TICKS_PER_GLOBAL

__all__ = ["Recording"]

_TICKS_A_TURN = round(TURN_S * 1e9 / TICK_NS)
_HALF_TURN = 1 << 33


class Recording:
    """Gives out a recorded file chunk by chunk, in proportion to the time that passes.

    In a loop every word that holds a time is moved by the length of the recording, in steps of
    409.6 µs, and packet numbers are counted on: a reader sees one long acquisition. The beam does
    not act on a recording.

    Parameters
    ----------
    path
        The file.
    loop
        Whether it begins anew when it is over; otherwise the detector is silent then.

    Raises
    ------
    RawDataError
        If the file is no raw file, or cannot be looped because its clock was reset on the way.
    """

    def __init__(self, path: str | Path, *, loop: bool = False) -> None:
        self.loop = loop
        self._data = check_raw_file(path).read_bytes()
        decoder = Decoder(tdc=True)
        decoder.feed(self._data)
        census = decoder.census()
        if loop and census.notes[Note.T0_RESET].count:
            raise RawDataError(
                "its clock was reset on the way, so its times cannot go on in a loop",
                where=str(path),
                hint="play it once",
            )
        edges = decoder.take_tdc()
        hits = [t for t in (census.first_tick, census.last_tick) if t is not None]
        tdc = [edges.t_ticks.min(), edges.t_ticks.max()] if len(edges) else []
        spans = [hits, tdc, _anchors(self._data)]
        self.clock_start_s = 1e-9 * TICK_NS * min((span[0] for span in spans if span), default=0)
        self._turns = max(-(-_length(spans) // _TICKS_A_TURN), 1)
        self.duration_s = self._turns * TURN_S if loop else max(census.span_s, 1e-3)
        self._ends = list(chunk_ends(self._data))
        self._packets = _packets_by_chip(self._data, self._ends)
        self.start()

    def start(self) -> bytes:
        """Begin from the first byte of the file."""
        self._elapsed_s = 0.0
        self._round = 0
        self._at = 0
        self._rewriter = Rewriter()
        return b""

    def advance(self, duration_s: float, detuning_deg: float = 0.0, flux: float = 1.0) -> bytes:
        """Whole chunks of the file for the next slice of time; the beam's state is ignored."""
        self._elapsed_s += duration_s
        parts = []
        while self.loop and self._elapsed_s >= (self._round + 1) * self.duration_s:
            parts.append(self._until(len(self._data)))
            self._round += 1
            self._at = 0
            self._rewriter.turns = self._round * self._turns
            self._rewriter.packets += self._packets
        share = (self._elapsed_s - self._round * self.duration_s) / self.duration_s
        parts.append(self._until(int(min(share, 1.0) * len(self._data))))
        return b"".join(parts)

    def stop(self) -> bytes:
        """End the playback; what was not reached stays in the file."""
        return b""

    def take_truth(self) -> Truth:
        """Nothing is known about a recorded file."""
        return Truth.empty()

    def _until(self, target: int) -> bytes:
        """Bytes up to the last chunk border at or before `target`."""
        which = bisect_right(self._ends, target)
        stop = self._ends[which - 1] if which else 0
        if stop <= self._at:
            return b""
        start, self._at = self._at, stop
        if self._rewriter.idle:
            return self._data[start:stop]
        return self._shifted(start, stop)

    def _shifted(self, start: int, stop: int) -> bytes:
        """Chunks with the clock of this round; bytes that are in no chunk stay as they are."""
        first = bisect_right(self._ends, start)
        borders = [start, *self._ends[first : bisect_right(self._ends, stop)]]
        parts, begin = [], start
        for low, high in pairwise(borders):
            if not self._whole(low, high):
                parts += [self._rewriter(self._data[begin:low]), self._data[low:high]]
                begin = high
        parts.append(self._rewriter(self._data[begin:stop]))
        return b"".join(parts)

    def _whole(self, start: int, stop: int) -> bool:
        """Whether bytes are one chunk of whole words."""
        size = int.from_bytes(self._data[start + 6 : start + 8], "little")
        is_chunk = self._data[start : start + 4] == MAGIC.to_bytes(4, "little")
        return is_chunk and size == stop - start - 8 and size % 8 == 0


def _anchors(data: bytes) -> list[int]:
    """First and last global time of a file in ticks, if it has any."""
    least, most = anchor_span(np.frombuffer(data, "<u8", len(data) // 8))
    return [TICKS_PER_GLOBAL * least, TICKS_PER_GLOBAL * most] if most >= 0 else []


def _length(spans: list[list[float]]) -> int:
    """Ticks from the first to the last time; what is half a turn off the hits is another clock."""
    spans = [span for span in spans if span]
    if not spans:
        return 1
    near = [s for s in spans if abs(s[0] - spans[0][0]) < _HALF_TURN]
    union = max(s[1] for s in near) - min(s[0] for s in near)
    return math.ceil(max(union, *(s[1] - s[0] for s in spans))) + 1


def _packets_by_chip(data: bytes, ends: list[int]) -> np.ndarray:
    """How far the packet numbers of each chip go on during the file."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for start, stop in pairwise([0, *ends]):
        word = int.from_bytes(data[start + 8 : start + 16], "little")
        if stop - start >= 16 and word >> 56 == 0x50:
            chip = data[start + 4] & 7
            number = word & ((1 << 48) - 1)
            first.setdefault(chip, number)
            last[chip] = max(last.get(chip, number), number)
    counts = np.zeros(8, np.uint64)
    for chip, number in first.items():
        counts[chip] = max(last[chip] - number + 1, 0)
    return counts

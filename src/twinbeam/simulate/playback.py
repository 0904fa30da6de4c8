"""A recorded raw file in place of the simulation."""

from __future__ import annotations

from pathlib import Path

from twinbeam.simulate.truth import Truth
from twinbeam.tpx3 import Decoder, check_raw_file
from twinbeam.tpx3.packets import MAGIC

__all__ = ["Playback"]


class Playback:
    """Gives out a recorded file chunk by chunk, in proportion to the time that passes.

    The file is played once; afterwards the detector is silent. The beam does not act on it.
    """

    def __init__(self, path: str | Path) -> None:
        self._data = check_raw_file(path).read_bytes()
        decoder = Decoder()
        decoder.feed(self._data)
        self.duration_s = max(decoder.census().span_s, 1e-3)
        self.start()

    def start(self) -> bytes:
        """Begin from the first byte of the file."""
        self._elapsed_s = 0.0
        self._at = 0
        self._decoder = Decoder()
        return b""

    def advance(self, duration_s: float, detuning_deg: float = 0.0, flux: float = 1.0) -> bytes:
        """Whole chunks of the file for the next slice of time; the beam's state is ignored."""
        self._elapsed_s += duration_s
        share = min(self._elapsed_s / self.duration_s, 1.0)
        return self._until(int(share * len(self._data)))

    def stop(self) -> bytes:
        """End the playback; what was not reached stays in the file."""
        return b""

    @property
    def n_hits(self) -> int:
        """Hits given out since `start`."""
        return self._decoder.census().n_hits

    def truth(self) -> Truth:
        """Nothing is known about a recorded file."""
        return Truth.empty()

    def _until(self, target: int) -> bytes:
        """Bytes up to the last chunk border at or before `target`; everything at the end."""
        stop = len(self._data)
        if target < stop:
            stop = self._at
            while (follow := self._chunk_end(stop)) <= target:
                stop = follow
        piece = self._data[self._at : stop]
        self._at = stop
        self._decoder.feed(piece)
        return piece

    def _chunk_end(self, at: int) -> int:
        """End of the chunk at a byte offset; damaged data are walked to the next header."""
        magic = MAGIC.to_bytes(4, "little")
        if self._data[at : at + 4] == magic and at + 8 <= len(self._data):
            return at + 8 + int.from_bytes(self._data[at + 6 : at + 8], "little")
        found = self._data.find(magic, at + 1)
        return len(self._data) if found < 0 else found

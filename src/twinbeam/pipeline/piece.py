"""A piece of an acquisition that is processed before the piece in front of it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twinbeam.images import Singles
from twinbeam.pairs import Pairs
from twinbeam.photons import Photons
from twinbeam.pipeline.stages import Counts, Stages
from twinbeam.pipeline.tables import Tables
from twinbeam.tpx3 import BLOCK_BYTES, Census, Decoder

__all__ = ["AfterHead", "Piece"]

_HEAD_BYTES = 1 << 16
_HEAD_STEP = 1 << 15


class Piece:
    """Bytes from somewhere in an acquisition, to be joined to a pipeline by `Pipeline.join`.

    What comes before is not known: where chunks begin, the turn of the clock, hits and photons that
    wait. So the first bytes, the head, are kept and their result is not used. Joining feeds them
    to the pipeline; when its state then is the one this piece had after its head, all that followed
    is what the pipeline would have found itself, and is added to it.

    Parameters
    ----------
    first_byte
        Place of the first byte in the acquisition.
    decoder
        One that has read all bytes before that place. Without it the piece guesses where chunks
        begin, and a recording whose clock was told by rare words mostly has to be fed again.
    head_bytes
        Least length of the head; at high rates it is longer, until its hits span a time after
        which what came before can no longer matter.
    """

    def __init__(
        self,
        tables: Tables,
        *,
        first_byte: int = 0,
        keep_photons: bool = False,
        decoder: Decoder | None = None,
        head_bytes: int = _HEAD_BYTES,
    ) -> None:
        self._head_bytes = head_bytes
        self._keeps_photons = keep_photons
        self.stages = Stages(tables, ordered=keep_photons, first_byte=first_byte, decoder=decoder)
        self.singles = Singles(tables.axes)
        self._begin(first_byte)

    def _begin(self, first_byte: int) -> None:
        self.first_byte = first_byte
        self.head = bytearray()
        self.n_bytes = 0
        self.pairs: list[Pairs] = []
        self.photons: list[Photons] | None = [] if self._keeps_photons else None
        self.after_head: AfterHead | None = None

    def restart(self, first_byte: int, decoder: Decoder | None) -> None:
        """Begin again elsewhere, as if new; memory that is used again costs no time to get."""
        self.stages.restart(first_byte, decoder)
        for array in self.singles.arrays().values():
            array[...] = 0
        self._begin(first_byte)

    def feed(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take the next bytes."""
        view = memoryview(chunk)
        self.n_bytes += len(view)
        if self.after_head is None:
            view = view[self._feed_head(view) :]
        for at in range(0, len(view), BLOCK_BYTES):
            photons, pairs = self.stages.feed(view[at : at + BLOCK_BYTES])
            self.singles.add_photons(photons)
            if self.photons is not None:
                self.photons.append(photons)
            if len(pairs):
                self.pairs.append(pairs)

    def _feed_head(self, view: memoryview) -> int:
        """Feed the head as long as it lasts; return how many bytes are used up."""
        at = 0
        while at < len(view) and self.after_head is None:
            wanted = max(self._head_bytes - len(self.head), _HEAD_STEP)
            part = view[at : at + wanted]
            self.head += part
            self.stages.feed(part)
            at += len(part)
            if len(self.head) >= self._head_bytes and self.stages.settled:
                self.after_head = AfterHead.of(self.stages)
                self.stages.restart_span()
        return at


@dataclass(frozen=True)
class AfterHead:
    """Where the stages of a piece were after its head.

    Attributes
    ----------
    state
        All on which the future depends.
    turn
        Turn of the counters, by the piece's own count.
    counts, census
        What is not to be counted again.
    """

    state: tuple[Any, ...]
    turn: int
    counts: Counts
    census: Census

    @classmethod
    def of(cls, stages: Stages) -> AfterHead:
        """As the stages are now."""
        return cls(stages.state(), stages.turn, stages.counts(), stages.census())

"""The stages of one acquisition, one after the other: bytes → hits → photons → candidates."""

from __future__ import annotations

import math
from typing import Any

from twinbeam.pairs import PairFinder, Pairs
from twinbeam.photons import PackedHits, PhotonFinder, Photons
from twinbeam.pipeline.tables import Tables
from twinbeam.tpx3 import Census, Decoder

__all__ = ["TURN_TICKS", "Counts", "Stages", "add_counts"]

TURN_TICKS = 1 << 34  # after so many ticks the pixels' counters start again

Counts = dict[str, dict[str, int]]
Arranged = list[tuple[PackedHits, int]]


def add_counts(into: Counts, more: Counts, sign: int = 1) -> None:
    """Add counts of stages to others, or take them away with a `sign` of -1."""
    for stage, values in more.items():
        counts = into.setdefault(stage, {})
        for name, n in values.items():
            counts[name] = counts.get(name, 0) + sign * n


class Stages:
    """Everything that knows where in the stream of one acquisition it is.

    Parameters
    ----------
    ordered
        Whether photons are given out in order of time; see `PhotonFinder`.
    first_byte
        Place of the first byte in the acquisition.
    decoder
        One that has read all bytes before that place, when there is one; it is used up.
    """

    def __init__(
        self,
        tables: Tables,
        *,
        ordered: bool,
        first_byte: int = 0,
        decoder: Decoder | None = None,
    ) -> None:
        recipe = tables.recipe
        self._decoder = decoder or Decoder(first_byte)
        self._photons = PhotonFinder(
            recipe.clustering,
            recipe.response,
            recipe.geometry.gap_px,
            tables.rules,
            tables.response,
            ordered=ordered,
        )
        self._pairs = PairFinder(
            recipe.pairing, recipe.replicas, recipe.geometry, tables.selection, tables.regions
        )
        self._settling_ticks = 2 * self._photons.memory_ticks + self._pairs.memory_ticks
        self._cuts = [cut.quantity for cut in tables.selection.cuts]
        self.first_tick: int | None = None

    def restart(self, first_byte: int, decoder: Decoder | None) -> None:
        """Begin again, as if new; memory that is used again needs not be had from the system."""
        self._decoder = decoder or Decoder(first_byte)
        self._photons.restart()
        self._pairs.restart()
        self.first_tick = None

    def feed(self, block: bytes | bytearray | memoryview) -> tuple[Photons, Pairs]:
        """Photons and candidates that are complete with the next bytes."""
        return self.pair(self.cluster(self.arrange(block)))

    def arrange(self, block: bytes | bytearray | memoryview) -> Arranged:
        """The first step of `feed`: hits in order of time."""
        return self._photons.arrange(self._decoder.feed(block))

    def cluster(self, hits: Arranged) -> tuple[Photons, float]:
        """The second step: photons, and the tick before which no further one will come."""
        return self._photons.cluster(hits)

    def pair(self, found: tuple[Photons, float]) -> tuple[Photons, Pairs]:
        """The third step: photons and candidates."""
        photons, bound = found
        return photons, self._pairs.feed(photons, bound)

    def keep_for(self, blocks: int) -> None:
        """Let what a step gives out stay valid while it does so many more blocks.

        The steps share nothing else, so each can be at work on another block.
        """
        self._photons.keep_for(blocks)

    def finish(self) -> tuple[Photons, Pairs]:
        """The rest of them."""
        photons = self._photons.finish()
        return photons, self._pairs.feed(photons, math.inf)

    def census(self) -> Census:
        """What the bytes held."""
        return self._decoder.census()

    def decoder_behind(self) -> Decoder:
        """A decoder that has read the same bytes, to go on from here elsewhere."""
        return self._decoder.fork()

    @property
    def settled(self) -> bool:
        """Whether the hits span a time after which what was before the first no longer matters."""
        first, last = self._photons.first_tick, self._photons.last_tick
        return first is not None and last is not None and last - first >= self._settling_ticks

    @property
    def last_tick(self) -> int | None:
        """Latest tick of a hit that was not rejected for its time."""
        return self._photons.last_tick

    @property
    def earliest_tick(self) -> int | None:
        """Earliest tick of a hit that was not rejected for its time."""
        ticks = [t for t in (self.first_tick, self._photons.first_tick) if t is not None]
        return min(ticks) if ticks else None

    @property
    def held(self) -> dict[str, int]:
        """What waits: hits for earlier ones, photons for photons, signal photons for idlers."""
        return {
            "hits": self._photons.n_held,
            "photons": self._photons.n_pending + self._pairs.n_waiting,
        }

    def counts(self) -> Counts:
        """Exact counts of each stage: what came in, went on, and was rejected by reason.

        Candidates that were counted instead of returned are in those of pairs and accidentals.
        """
        photons, pairs = self._photons, self._pairs
        counts: Counts = {
            "hits": {"in": photons.n_in, "used": photons.n_used, **photons.rejected},
            "photons": {
                "in": pairs.n_in + photons.n_pending,
                "used": pairs.n_signal + pairs.n_idler - pairs.n_waiting,
                **pairs.rejected,
            },
        }
        for kind, stage in enumerate(("pairs", "accidentals")):
            dropped = pairs.dropped[kind].tolist()
            counts[stage] = {
                "in": int(pairs.candidates[kind]),
                "used": 0,
                **dict(zip(self._cuts, dropped, strict=True)),
            }
        return counts

    def restart_span(self) -> None:
        """Forget the earliest ticks; those of a piece's head may be of another turn."""
        self._decoder.restart_span()
        self._photons.restart_span()

    @property
    def turn(self) -> int:
        """The turn of the pixels' counters the latest hit is in."""
        return (self._photons.last_tick or 0) >> 34

    def shift_clock(self, turns: int) -> None:
        """Move all times by whole turns."""
        ticks = turns * TURN_TICKS
        self._decoder.shift_clock(ticks)
        self._photons.shift_clock(ticks)
        self._pairs.shift_clock(ticks)

    def state(self) -> tuple[Any, ...]:
        """All on which the future depends; stages in equal states go on alike.

        Times count from the turn of the latest hit, so that a clock that is whole turns off is no
        difference.
        """
        turns = self.turn
        self.shift_clock(-turns)
        state = (self._decoder.state(), self._photons.state(), self._pairs.state())
        self.shift_clock(turns)
        return state

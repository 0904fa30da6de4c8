"""The one data path: bytes → hits → photons → pairs → images."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twinbeam.images import Images
from twinbeam.pairs import Estimate, Pairs, SharedPhotons
from twinbeam.photons import Photons
from twinbeam.pipeline.candidates import Candidates
from twinbeam.pipeline.ledger import Ledger, Stage
from twinbeam.pipeline.piece import Piece
from twinbeam.pipeline.recipe import Recipe
from twinbeam.pipeline.relay import VALID_FOR, relay
from twinbeam.pipeline.result import Result
from twinbeam.pipeline.stages import TURN_TICKS, Arranged, Counts, Stages, add_counts
from twinbeam.pipeline.tables import Tables
from twinbeam.tpx3 import BLOCK_BYTES, TICK_NS, Census, Decoder, Note

__all__ = ["Pipeline"]


class Pipeline:
    """Takes raw bytes, cut anywhere, and keeps the result up to date.

    Live, replay and offline work feed the same class. The finished result does not depend on how
    the bytes were cut, nor on whether pieces were processed beside each other and joined. Bytes of
    one acquisition share a clock; `next_acquisition` starts another.

    Parameters
    ----------
    recipe
        All parameters; the default recipe when left out.
    masked
        512 × 512 array indexed [y, x], True for pixels that do not count.
    keep_photons
        Whether the result carries the photon table; its memory grows with the run.

    Raises
    ------
    RecipeError
        If a file the recipe names cannot be read or was changed.
    """

    def __init__(
        self,
        recipe: Recipe | None = None,
        *,
        masked: NDArray[np.bool_] | None = None,
        keep_photons: bool = False,
    ) -> None:
        self.recipe = recipe or Recipe()
        self._tables = Tables.of(self.recipe, masked)
        self._kept_photons: list[Photons] | None = [] if keep_photons else None
        self._images = Images(self._tables.axes, self.recipe.geometry)
        self._shared = SharedPhotons(self.recipe.replicas, self.recipe.pairing)
        self._ordered = keep_photons or self.recipe.images.g2 or self.recipe.images.distance
        self._candidates = Candidates(self._tables, self._images)
        self._spare_pieces: list[Piece] = []
        self._acquisitions = 0
        self._past: list[Census] = []
        self._past_ticks = 0
        self._counts: Counts = {}
        self._open()

    @property
    def joins(self) -> bool:
        """Whether pieces can be joined: reducers that compare photons need them one by one."""
        return not (self.recipe.images.g2 or self.recipe.images.distance)

    def _open(self) -> None:
        self._stages = Stages(self._tables, ordered=self._ordered)
        self._census_before: tuple[Census, Census] | None = None
        self._n_bytes = 0

    def feed(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the present acquisition, however many."""
        view = memoryview(chunk)
        self._n_bytes += len(view)
        for at in range(0, len(view), BLOCK_BYTES):
            photons, pairs = self._stages.feed(view[at : at + BLOCK_BYTES])
            self._take(photons, pairs)

    def feed_all(
        self,
        blocks: Iterable[memoryview],
        threads: int,
        on_progress: Callable[[int], object] = lambda n: None,
    ) -> None:
        """Take the next bytes block by block, with the stages at work beside each other.

        The result is that of `feed` with one block after the other. A block may be valid until the
        next is asked for.

        Parameters
        ----------
        threads
            Threads that work, this one included; more than three are of no use.
        on_progress
            Called in this thread with the number of bytes that were taken since the last call.
        """
        told = self._n_bytes

        def tell() -> None:
            nonlocal told
            if self._n_bytes != told:
                taken, told = self._n_bytes - told, self._n_bytes
                on_progress(taken)

        if threads == 1:
            for block in blocks:
                self.feed(block)
                tell()
            return
        self._stages.keep_for(VALID_FOR)
        relay(iter(blocks), (self._arrange, self._stages.cluster, self._pair), threads, tell)
        self._stages.keep_for(0)
        tell()

    def _arrange(self, block: memoryview) -> Arranged:
        self._n_bytes += len(block)
        return self._stages.arrange(block)

    def _pair(self, found: tuple[Photons, float]) -> None:
        self._take(*self._stages.pair(found))

    def piece(self, first_byte: int, decoder: Decoder | None = None) -> Piece:
        """An empty piece of the present acquisition, to be fed elsewhere and joined in order.

        Parameters
        ----------
        first_byte
            Place of the piece's first byte in the acquisition.
        decoder
            One that has read all bytes before that place; it is used up.
        """
        piece = None
        with contextlib.suppress(IndexError):
            piece = self._spare_pieces.pop()
        if piece is not None:
            piece.restart(first_byte, decoder)
            return piece
        return Piece(
            self._tables,
            first_byte=first_byte,
            keep_photons=self._kept_photons is not None,
            decoder=decoder,
        )

    def join(self, piece: Piece, again: Callable[[], Iterable[bytes | memoryview]]) -> bool:
        """Add a piece that follows what was fed so far; the piece is used up.

        Parameters
        ----------
        again
            Gives the bytes of the piece behind its head once more. They are fed one after the
            other when the piece went on from another state than this pipeline is in, so that the
            result is the same in any case.

        Returns
        -------
        bool
            Whether the piece's own results were used.

        Raises
        ------
        ValueError
            If it begins at another byte, keeps no photons where they are wanted, or the recipe asks
            for reducers that cannot be joined.
        """
        if self._kept_photons is not None and piece.photons is None:
            raise ValueError("the piece keeps no photons, the pipeline does")
        if piece.first_byte != self._n_bytes or not self.joins:
            raise ValueError(
                f"the piece begins at byte {piece.first_byte}, the pipeline is at {self._n_bytes}"
                if self.joins
                else "g2 and distance need photons one by one, pieces cannot be joined"
            )
        self.feed(piece.head)
        after = piece.after_head
        if after is None:
            return True
        if self._stages.state() != after.state:
            for chunk in again():
                self.feed(chunk)
            return False
        turns = self._stages.turn - after.turn
        piece.stages.shift_clock(turns)
        add_counts(self._counts, self._stages.counts())
        add_counts(self._counts, after.counts, -1)
        self._census_before = self._census(), after.census
        piece.stages.first_tick = self._stages.earliest_tick
        self._stages, piece.stages = piece.stages, self._stages
        self._n_bytes += piece.n_bytes - len(piece.head)
        arrays = self._images.arrays()
        for name, sums in piece.singles.arrays().items():
            arrays[name][...] += sums
        ticks = turns * TURN_TICKS
        if self._kept_photons is not None:
            self._kept_photons += [replace(p, t=p.t + ticks) for p in piece.photons or ()]
        for pairs in piece.pairs:
            self._take_pairs(replace(pairs, t=pairs.t + ticks))
        self._spare_pieces.append(piece)
        return True

    def next_acquisition(self) -> None:
        """Finish the present acquisition; the next bytes start with a new clock."""
        if not self._n_bytes:
            return
        self._take(*self._stages.finish())
        self._count_candidates()
        self._images.next_acquisition()
        self._shared.next_acquisition()
        add_counts(self._counts, self._stages.counts())
        self._past.append(self._census())
        self._past_ticks += self._ticks()
        self._acquisitions += 1
        self._open()

    def finish(self) -> Result:
        """Finish everything that was fed and return the result."""
        self.next_acquisition()
        return self.snapshot()

    def _take(self, photons: Photons, pairs: Pairs) -> None:
        self._images.add_photons(photons)
        if self._kept_photons is not None:
            self._kept_photons.append(photons)
        self._take_pairs(pairs)

    def _take_pairs(self, pairs: Pairs) -> None:
        if self._candidates.gather(pairs):
            self._count_candidates()

    def _count_candidates(self) -> None:
        self._shared.add(self._candidates.count())

    def _census(self) -> Census:
        """What the bytes of the present acquisition held."""
        census = self._stages.census()
        if self._census_before is None:
            return census
        before, not_again = self._census_before
        later = census.since(not_again)
        # the first damage a decoder remembers may be in the head of the piece
        places = [later.noted(kind).offsets[:1] for kind in (Note.RESYNC, Note.CUT_CHUNK)]
        damage = min(itertools.chain(*places), default=None)
        return before.continued_by(replace(later, first_damage_at=damage))

    def _ticks(self) -> int:
        first, last = self._stages.earliest_tick, self._stages.last_tick
        return 0 if first is None or last is None else last - first

    def _ledger(self, census: Census) -> Ledger:
        stages = {"bytes": Stage(census.n_bytes, 8 * census.n_hits, census.bytes_not_hits())}
        held = self._stages.held
        for stage, now in self._stages.counts().items():
            values = dict(now)
            for past in (self._counts, self._candidates.counts):
                for name, n in past.get(stage, {}).items():
                    values[name] += n
            stages[stage] = Stage(
                values.pop("in"), values.pop("used"), values, held=held.get(stage, 0)
            )
        return Ledger(stages)

    def snapshot(self) -> Result:
        """The result so far; what is still held back is in it as held."""
        self._count_candidates()
        census = Census.total([*self._past, self._census()])
        ledger = self._ledger(census)
        return Result(
            recipe=self.recipe,
            census=census,
            ledger=ledger,
            acquisitions=self._acquisitions + int(self._n_bytes > 0),
            duration_s=(self._past_ticks + self._ticks()) * TICK_NS * 1e-9,
            estimate=Estimate(
                n_prompt=ledger.stages["pairs"].used,
                n_replicas=ledger.stages["accidentals"].used,
                replicas=2 * self.recipe.replicas.n_turns,
                shared=self._shared.counts(),
            ),
            pairs=self._candidates.passed,
            arrays=self._images.copy_arrays(),
            axes=self._images.axes,
            photons=None if self._kept_photons is None else Photons.concatenate(self._kept_photons),
        )

"""The work on one acquisition: which tasks are next, and what they have brought."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from twinbeam.pipeline import Recipe
from twinbeam.pipeline.partial import END, START, Partial
from twinbeam.pipeline.slabs import slabs_of
from twinbeam.replay.partial_cache import PartialCache, key_of
from twinbeam.replay.tasks import CountTask, Skimmed, SkimTask, Task, stamps_of
from twinbeam.replay.workers import Outcome
from twinbeam.tpx3 import Decoder

__all__ = ["AcquisitionWork"]

Range = tuple[int, int]  # the first slab, and the one behind the last


class AcquisitionWork:
    """Cuts an acquisition into slabs, each a task, and puts the partial results in order.

    A slab can be counted when the decoder that has read all before it is there; those come from
    reading ahead for the clock, slab by slab, which takes a thirtieth of the time. Partial results
    that do not fit together, as when a slab is too short for what came before to be forgotten, are
    made again as one.

    Parameters
    ----------
    paths
        Raw files of the acquisition; together they are not empty.
    recipe
        All parameters.
    slab_bytes
        Length of a slab.
    ahead
        How many slabs are read for the clock before they are counted.
    cache
        Where partial results are kept.

    Attributes
    ----------
    from_cache
        Bytes of the slabs whose results were there already.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        recipe: Recipe,
        *,
        slab_bytes: int,
        ahead: int,
        cache: PartialCache | None = None,
    ) -> None:
        cuts = not (recipe.images.g2 or recipe.images.distance)
        self._recipe = recipe
        self._slabs = slabs_of(paths, slab_bytes if cuts else sys.maxsize)
        self._stamps = [stamps_of(slab) for slab in self._slabs]
        self._ahead = ahead
        self._cache = cache
        self._decoders: dict[int, Decoder] = {}  # that have read everything before a slab
        self._contents: list[str] = []  # digests of everything up to the end of a slab
        self._read = 0  # slabs whose clock, and content if need be, is known
        self._skimming: int | None = None
        self._waiting: deque[Range] = deque((i, i + 1) for i in range(len(self._slabs)))
        self._arrived: dict[int, tuple[int, Partial]] = {}
        self._front = 0  # the slab at which the next partial result has to begin
        self._pending: tuple[int, Partial] | None = None
        self._last: Partial | None = None
        self._told: set[int] = set()
        self._ready: list[Partial] = []
        self.from_cache = 0
        self.done = False

    def next_task(self) -> Task | None:
        """A task that can be done now; None when outcomes have to come first."""
        while True:
            task = self._skim()
            if task is not None:
                return task
            if not self._waiting or not self._is_known(self._waiting[0]):
                return None
            span = self._waiting.popleft()
            if self._load(span):
                continue
            decoder = self._decoder(span[0])
            if decoder is None and span[0]:
                self._waiting.appendleft(span)  # a decoder in the cache was damaged: read again
                self._read = 0
                continue
            first, stop = span
            following = self._slabs[stop] if stop < len(self._slabs) else None
            return CountTask(self._recipe, tuple(self._slabs[first:stop]), following, decoder)

    def take(self, task: Task, outcome: Outcome) -> int:
        """Take what a task has brought; how many bytes more are done."""
        if isinstance(task, SkimTask):
            assert isinstance(outcome, Skimmed)
            self._take_skimmed(outcome)
            return 0
        assert isinstance(outcome, Partial)
        span = self._span(task)
        if self._cache is not None:
            self._cache.save_partial(self._key(span), outcome)
        return self._arrive(span, outcome)

    def take_ready(self) -> list[Partial]:
        """Partial results that are next in order, each once."""
        ready, self._ready = self._ready, []
        return ready

    # --- reading ahead ------------------------------------------------------------------------

    def _skim(self) -> SkimTask | None:
        """The next slab to be read for the clock, when it is time."""
        while self._skimming is None and self._is_wanted(self._read):
            at = self._read
            stamps, known = self._stamps[at], at + 1 < len(self._slabs)
            if self._cache is not None:
                content = self._content(at)
                if content is not None and (
                    not known or at + 1 in self._decoders or self._cache.has_decoder(content)
                ):
                    self._read += 1
                    continue
            decoder = self._decoder(at)
            if decoder is None and at:
                self._read = 0  # as above
                continue
            self._skimming = at
            return SkimTask(self._slabs[at], decoder, stamps, digest=self._cache is not None)
        return None

    def _is_wanted(self, at: int) -> bool:
        # with a cache the last slab has to be read too, for its digest
        most = len(self._slabs) if self._cache is not None else len(self._slabs) - 1
        first = self._waiting[0][1] if self._waiting else -1
        return at < most and bool(self._waiting) and at < first + self._ahead

    def _is_known(self, span: Range) -> bool:
        needed = min(span[1] + 1, len(self._slabs)) if self._cache is not None else span[0]
        return self._read >= needed

    def _take_skimmed(self, outcome: Skimmed) -> None:
        at, self._skimming = self._skimming, None
        assert at is not None
        if at + 1 < len(self._slabs):
            self._decoders[at + 1] = outcome.decoder
        if self._cache is not None and outcome.sha256 is not None:
            self._cache.save_digest(self._digest_key(at), outcome.sha256)
            content = self._content(at)
            if content is not None and at + 1 < len(self._slabs):
                self._cache.save_decoder(content, outcome.decoder)
        self._read += at == self._read

    def _decoder(self, at: int) -> Decoder | None:
        """The decoder that has read everything before a slab; None at the start."""
        if at and at not in self._decoders and self._cache is not None:
            found = self._cache.load_decoder(self._contents[at - 1])
            if found is not None:
                self._decoders[at] = found
        return self._decoders.get(at)

    def _content(self, at: int) -> str | None:
        """What names all bytes up to the end of a slab; None when it is not known."""
        if at < len(self._contents):
            return self._contents[at]
        assert self._cache is not None
        digest = self._cache.load_digest(self._digest_key(at))
        if digest is None:
            return None
        before = self._contents[at - 1] if at else ""
        self._contents.append(key_of("content", before, self._slabs[at].n_bytes, digest))
        return self._contents[at]

    def _digest_key(self, at: int) -> str:
        parts = [(str(path.absolute()), *span) for path, *span in self._slabs[at].parts]
        return key_of("digest", parts, self._stamps[at])

    # --- partial results ----------------------------------------------------------------------

    def _span(self, task: CountTask) -> Range:
        first = next(i for i, slab in enumerate(self._slabs) if slab is task.slabs[0])
        return first, first + len(task.slabs)

    def _key(self, span: Range) -> str:
        first, stop = span
        before = self._contents[first - 1] if first else ""
        last = min(stop, len(self._slabs) - 1)
        return key_of("partial", self._recipe.hash, before, stop - first, self._contents[last])

    def _load(self, span: Range) -> bool:
        """Take a partial result from the cache, if it is there."""
        found = None if self._cache is None else self._cache.load_partial(self._key(span))
        if found is None:
            return False
        self.from_cache += self._arrive(span, found)
        return True

    def _arrive(self, span: Range, partial: Partial) -> int:
        new = set(range(*span)) - self._told
        self._told |= new
        self._arrived[span[0]] = span[1], partial
        self._put_in_order()
        return sum(self._slabs[i].n_bytes for i in new)

    def _put_in_order(self) -> None:
        """Give out what fits together; what does not is to be made again as one."""
        while self._front in self._arrived:
            first = self._front
            stop, partial = self._arrived.pop(first)
            if self._pending is not None:
                at, pending = self._pending
                if not partial.follows(pending):
                    self._pending, self._front = None, at
                    self._waiting.appendleft((at, stop))
                    return
                self._give_out(pending)
            self._pending, self._front = (first, partial), stop
        if self._pending is not None and self._pending[1].after == END:
            self._give_out(self._pending[1])
            self._pending, self.done = None, True

    def _give_out(self, partial: Partial) -> None:
        fits = partial.before == START if self._last is None else partial.follows(self._last)
        if not fits:
            raise RuntimeError(f"partial results do not join at byte {partial.first_byte}")
        self._last = partial
        self._ready.append(partial)
        for at in [at for at in self._decoders if at < (self._pending or (0,))[0]]:
            del self._decoders[at]

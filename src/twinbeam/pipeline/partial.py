"""What was counted between two places of an acquisition, to be added up elsewhere."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.images import Images
from twinbeam.pairs import Pairs
from twinbeam.photons import Photons
from twinbeam.pipeline.candidates import Candidates
from twinbeam.pipeline.slabs import Slab
from twinbeam.pipeline.stages import Counts, Stages, add_counts
from twinbeam.pipeline.tables import Tables
from twinbeam.tpx3 import Census, Decoder, Noted

__all__ = ["END", "START", "Partial", "count_range"]

START = "start"  # the state before an acquisition
END = "end"  # and behind it, with everything decided

_HEAD_BYTES = 1 << 16
_HEAD_STEP = 1 << 15


@dataclass(frozen=True, eq=False)
class Partial:
    """Counts of a range of bytes; plain arrays and values.

    It begins behind the head of its range, where what was before no longer matters, and ends behind
    the head of the range that follows. Two partials belong together when one ends where and in the
    state in which the other begins: then everything adds up to what one pass gives.

    Attributes
    ----------
    first_byte, last_byte
        Where it begins and ends, in bytes of the acquisition.
    before, after
        Digests of the states of the stages there, `START` and `END` at the ends of the acquisition;
        None when the head was too short to come to a state that does not depend on the past.
    counts
        Counts of the stages.
    census
        What its bytes held.
    first_tick, last_tick
        Earliest hit in it and latest hit up to its end; None without any.
    arrays
        Images and histograms by name that are not empty, each in the narrowest type that holds it.
    pairs
        Pairs after all cuts.
    """

    first_byte: int
    last_byte: int
    before: str | None
    after: str | None
    counts: Counts
    census: Census
    first_tick: int | None
    last_tick: int | None
    arrays: Mapping[str, NDArray[Any]]
    pairs: Pairs

    def follows(self, earlier: Partial) -> bool:
        """Whether it goes on where, and in the state in which, an earlier one ended."""
        return (
            self.before is not None
            and self.before == earlier.after
            and self.first_byte == earlier.last_byte
        )

    def as_plain(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Values fit for JSON, and arrays by name."""
        about = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("arrays", "pairs", "census")
        }
        about["census"] = dataclasses.asdict(self.census)
        arrays = {f"sum_{name}": array for name, array in self.arrays.items()}
        arrays |= {f"pair_{name}": column for name, column in self.pairs.columns().items()}
        return about, arrays

    @classmethod
    def from_plain(cls, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Partial:
        """The inverse of `as_plain`; raises LookupError, TypeError or ValueError if it is none."""
        census: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in about["census"].items()
        }
        census["notes"] = tuple(
            Noted(int(note["count"]), tuple(note["offsets"]), tuple(note["values"]))
            for note in census["notes"]
        )
        parts: dict[str, dict[str, NDArray[Any]]] = {"sum": {}, "pair": {}}
        for name, array in arrays.items():
            kind, _, rest = name.partition("_")
            parts[kind][rest] = array
        values = {**about, "census": Census(**census)}
        return cls(**values, arrays=parts["sum"], pairs=Pairs(**parts["pair"]))


def count_range(
    tables: Tables, slabs: Sequence[Slab], following: Slab | None, decoder: Decoder | None
) -> Partial:
    """Process a range of an acquisition by itself.

    Parameters
    ----------
    slabs
        The consecutive slabs of the range.
    following
        The slab behind them, None at the end of the acquisition.
    decoder
        One that has read everything before the range, None at the start; it is used up.

    Raises
    ------
    RawDataError
        If a file became unreadable or shorter.
    ValueError
        If photons have to be compared across the border of the range.
    """
    wanted = tables.recipe.images
    one_by_one = wanted.g2 or wanted.distance
    first_byte = slabs[0].first_byte
    if one_by_one and (first_byte or following is not None):
        raise ValueError("g2 and distance need photons one by one, an acquisition cannot be cut")
    stages = Stages(tables, ordered=one_by_one, first_byte=first_byte, decoder=decoder)
    n_head, before = 0, START
    if first_byte:
        head = _feed_head(stages, slabs[0])
        if head is None:
            return _unsettled(stages, first_byte)
        n_head, before = head, _digest(stages)
    counts, census = stages.counts(), stages.census()
    if first_byte:
        stages.restart_span()
    sums = _Sums(tables)
    for block in _blocks(slabs, n_head):
        sums.take(*stages.feed(block))
    last_byte, after = slabs[-1].first_byte + slabs[-1].n_bytes, None
    if following is None:
        sums.take(*stages.finish())
        after = END
    else:
        behind = Stages(
            tables, ordered=False, first_byte=last_byte, decoder=stages.decoder_behind()
        )
        n_behind = _feed_head(behind, following)
        if n_behind is not None:
            for block in _first_bytes(following, n_behind):
                sums.take(*stages.feed(block))
            last_byte, after = last_byte + n_behind, _digest(stages)
    arrays, pairs, selected = sums.finish()
    counted = stages.counts()
    add_counts(counted, counts, -1)
    add_counts(counted, selected)
    return Partial(
        first_byte=first_byte + n_head,
        last_byte=last_byte,
        before=before,
        after=after,
        counts=counted,
        census=stages.census().since(census),
        first_tick=stages.earliest_tick,
        last_tick=stages.last_tick,
        arrays=arrays,
        pairs=pairs,
    )


class _Sums:
    """What is counted of photons and candidates, as a pipeline does."""

    def __init__(self, tables: Tables) -> None:
        self._images = Images(tables.axes, tables.recipe.geometry)
        self._candidates = Candidates(tables, self._images)

    def take(self, photons: Photons, pairs: Pairs) -> None:
        self._images.add_photons(photons)
        if self._candidates.gather(pairs):
            self._candidates.count()

    def finish(self) -> tuple[dict[str, NDArray[Any]], Pairs, Counts]:
        """Arrays, pairs after all cuts, and what the cuts counted."""
        self._candidates.count()
        self._images.next_acquisition()
        arrays = self._images.arrays()
        narrow = {name: _narrow(array) for name, array in arrays.items() if array.any()}
        return narrow, self._candidates.passed, self._candidates.counts


def _unsettled(stages: Stages, first_byte: int) -> Partial:
    """Nothing that can be used: the range has to be processed together with the one before."""
    census = stages.census()
    return Partial(
        first_byte, first_byte, None, None, {}, census.since(census), None, None, {}, Pairs.empty()
    )


def _feed_head(stages: Stages, slab: Slab) -> int | None:
    """Feed the head of a slab, whose results are not used; its length, None when there is none."""
    part, n, wanted = bytearray(), 0, _HEAD_BYTES
    for block in slab.blocks():
        at = 0
        while at < len(block):
            piece = block[at : at + wanted - len(part)]
            part += piece
            at += len(piece)
            if len(part) < wanted:
                break
            stages.feed(part)
            n += len(part)
            if stages.settled:
                return n
            part, wanted = bytearray(), _HEAD_STEP
    return None


def _blocks(slabs: Sequence[Slab], skip: int) -> Iterator[memoryview]:
    """Bytes of consecutive slabs behind the first `skip`, which are in the first slab."""
    for slab in slabs:
        yield from slab.blocks(skip)
        skip = 0


def _first_bytes(slab: Slab, n: int) -> Iterator[memoryview]:
    for block in slab.blocks():
        yield block[:n]
        n -= len(block)
        if n <= 0:
            return


def _digest(stages: Stages) -> str:
    """What names the state of the stages, the turn of their clock included."""
    return hashlib.sha256(repr((stages.turn, stages.state())).encode()).hexdigest()


def _narrow(array: NDArray[Any]) -> NDArray[Any]:
    """The same counts in the narrowest unsigned type."""
    return array.astype(np.min_scalar_type(int(array.max())))

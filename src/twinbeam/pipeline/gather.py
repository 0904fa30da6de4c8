"""Partial results → the result of one pass."""

from __future__ import annotations

from twinbeam.pipeline.partial import END, START, Partial
from twinbeam.pipeline.pipeline import Pipeline
from twinbeam.pipeline.stages import add_counts
from twinbeam.tpx3 import Census

__all__ = ["Gatherer"]


class Gatherer(Pipeline):
    """A pipeline that is given partial results in place of bytes.

    The finished result is the one that the bytes would have given, bit for bit.
    """

    _last: Partial | None = None
    _gathered: Census | None = None
    _first_tick: int | None = None

    def add(self, partial: Partial) -> None:
        """Take the next partial result of the present acquisition.

        Raises
        ------
        ValueError
            If it does not follow the one before.
        """
        last = self._last
        if not (partial.before == START if last is None else partial.follows(last)):
            raise ValueError(
                f"the partial result from byte {partial.first_byte} does not follow that to byte "
                f"{last.last_byte if last else 0}"
            )
        self._last = partial
        arrays = self._images.arrays()
        for name, sums in partial.arrays.items():
            arrays[name][...] += sums
        add_counts(self._counts, partial.counts)
        before = self._gathered
        self._gathered = partial.census if before is None else before.continued_by(partial.census)
        ticks = [t for t in (self._first_tick, partial.first_tick) if t is not None]
        self._first_tick = min(ticks, default=None)
        self._candidates.keep(partial.pairs)
        self._shared.add(partial.pairs)

    def next_acquisition(self) -> None:
        """Finish the present acquisition.

        Raises
        ------
        ValueError
            If its end has not been added.
        """
        if self._last is None:
            return
        if self._last.after != END or self._gathered is None:
            raise ValueError(f"the acquisition goes on behind byte {self._last.last_byte}")
        self._images.next_acquisition()
        self._shared.next_acquisition()
        self._past.append(self._gathered)
        if self._first_tick is not None and self._last.last_tick is not None:
            self._past_ticks += self._last.last_tick - self._first_tick
        self._acquisitions += 1
        self._last = self._gathered = self._first_tick = None

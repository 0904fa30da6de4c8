"""The detector's raw stream during one run → a provisional result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from twinbeam.live.raw_stream import RawStream
from twinbeam.pipeline import Ledger, Pipeline, Recipe, Result

__all__ = ["StreamReduction"]

_CLOCKS_S = 1.0  # by which the clocks of two machines may differ
_SETTLE_S = 5.0  # the longest wait for the last bytes of a run
_LATE_S = 0.2  # bytes of a run may arrive so long after its stop document
_LOOK_S = 0.02
_STEP_BYTES = 1 << 22


class StreamReduction:
    """Feeds what the stream brings during a run to a pipeline of its own.

    Where bytes are missing, as after a drop or with a new connection, another acquisition begins:
    nothing before the gap is ever taken together with something behind it. Words that were cut are
    in the census, dropped bytes in the ledger.

    Parameters
    ----------
    stream
        The stream.
    start
        Start document of the run.
    recipe
        All parameters.

    Attributes
    ----------
    n_bytes
        Bytes that were fed.
    dropped_bytes, gaps
        Bytes of the run that were dropped, and how often some were missing or may be.
    late
        Whether the run had begun before the stream was listened to.
    """

    def __init__(self, stream: RawStream, start: Mapping[str, Any], recipe: Recipe) -> None:
        self._stream = stream
        self._begin_s = float(start.get("time", 0.0)) - _CLOCKS_S
        self.late = stream.since_s > self._begin_s + 2 * _CLOCKS_S
        self._pipeline = Pipeline(recipe)
        self._newest_s = 0.0
        self.n_bytes = self.dropped_bytes = self.gaps = 0

    @property
    def whole(self) -> bool:
        """Whether nothing is known to be missing since the run began."""
        return not self.late and not self.gaps

    @property
    def lag_s(self) -> float:
        """How long ago the newest byte that was fed arrived, in seconds."""
        return max(0.0, time.time() - self._newest_s) if self._newest_s else 0.0

    @property
    def behind_bytes(self) -> int:
        """Bytes that have arrived and were not fed."""
        return self._stream.waiting_bytes

    def interrupt(self) -> None:
        """From now on another run has the stream: it is not whole any more."""
        self.gaps += 1

    def grow(self, most_bytes: int, until_s: float) -> int:
        """Feed what has arrived; return how many bytes.

        Parameters
        ----------
        most_bytes
            About so many at most.
        until_s
            Only what arrived by then, in seconds since the epoch.
        """
        n = 0
        for block in self._stream.take(most_bytes, after_s=self._begin_s, until_s=until_s):
            if not block.follows and (self.n_bytes or block.lost_bytes):
                self.gaps += 1
                self._pipeline.next_acquisition()
            self.dropped_bytes += block.lost_bytes
            self._pipeline.feed(block.data)
            self._newest_s = block.time_s
            self.n_bytes += len(block.data)
            n += len(block.data)
        return n

    def settle(self, stop_s: float | None) -> None:
        """Feed what is still on its way after the run's stop document, for a short time."""
        asked_s = time.monotonic()
        until_s = time.time() if stop_s is None else stop_s + _CLOCKS_S + _LATE_S
        while time.monotonic() - asked_s < _SETTLE_S:
            if self.grow(_STEP_BYTES, until_s):
                continue
            if self._stream.quiet_after(asked_s) or self._stream.waiting_bytes:
                break
            time.sleep(_LOOK_S)
        while self.grow(_STEP_BYTES, until_s):
            pass

    def snapshot(self) -> Result:
        """The result so far."""
        return self._accounted(self._pipeline.snapshot())

    def finish(self) -> Result:
        """The result with everything decided."""
        return self._accounted(self._pipeline.finish())

    def _accounted(self, result: Result) -> Result:
        """The result with the bytes in its ledger that never came to the pipeline."""
        if not self.dropped_bytes:
            return result
        stages = dict(result.ledger.stages)
        before = stages["bytes"]
        stages["bytes"] = replace(
            before,
            taken=before.taken + self.dropped_bytes,
            dropped=before.dropped + self.dropped_bytes,
        )
        return replace(result, ledger=Ledger(stages))

    def about(self) -> dict[str, Any]:
        """Fields of the health that tell of it."""
        return {
            "source": "stream",
            "stream_bytes": self.n_bytes,
            "stream_dropped_bytes": self.dropped_bytes,
            "stream_gaps": self.gaps,
        }

    def problems(self) -> list[str]:
        """What keeps the result from being that of the whole run."""
        said = []
        if self.late:
            said.append("the stream: the run had begun before it was listened to")
        if self.dropped_bytes:
            n = self.dropped_bytes
            said.append(f"the stream: {n:,} bytes ({n // 8:,} words) were dropped for want of room")
        if self.gaps:
            said.append(f"the stream: bytes are or may be missing in {self.gaps} places")
        return said

"""One measurement in Serval: simulated time that passes, bytes that go out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from sim_iocs.serval.chunks import HEARTBEATS, TIMES, TURN_S, Rewriter, Seen, see
from sim_iocs.serval.config import DetectorConfig
from sim_iocs.serval.faults import Faults
from sim_iocs.serval.frames import Slice, Triggers, slices
from sim_iocs.serval.outputs import Outputs
from sim_iocs.serval.preview import HitMap
from sim_iocs.serval.source import Beam, Source
from sim_iocs.serval.truth import TruthWriter
from twinbeam.simulate import Experiment
from twinbeam.simulate.sensor_state import SensorState

__all__ = ["Measurement"]

_log = logging.getLogger("sim_iocs")

_LONGEST_SLICE_S = 0.05
_LATE_S = 1.0
# hits of before a reset that are still in the read-out keep times that are not negative
_RESET_MARGIN_TURNS = 5


class _Lost(Exception):
    """Serval or its detector is gone."""


class Measurement:
    """A run from start to stop.

    Parameters
    ----------
    config
        Configuration the run is made with.
    source
        Where the bytes come from.
    beam
        State of the beam; read once a slice.
    outputs
        Where the data go.
    executor
        Thread that computes and writes, so that answers stay quick.
    faults
        What goes wrong; read once a slice.
    triggers
        What comes to the trigger input and from software.
    masked
        Whether a pixel is off, by chip and pixel address; empty is none.
    sensor
        Thresholds and bias; asked for once a slice.
    disk_full
        Whether a channel that cares wants the run to end.
    late
        Told once, in s, when simulated time has fallen behind real time by more than a second.

    Attributes
    ----------
    lag_s, most_lag_s
        How far simulated time is behind real time, and was at most. Nothing is lost by that: the
        run takes longer.
    n_made, n_hits, n_lost
        Hits that the sensor has made, that have gone out, and that went with dropped frames and
        masked pixels. What is missing is still in the read-out; nothing is when the run has ended.
    """

    def __init__(
        self,
        config: DetectorConfig,
        source: Source,
        beam: Beam,
        outputs: Outputs,
        executor: Executor,
        *,
        faults: Faults,
        triggers: Triggers,
        masked: NDArray[np.bool_],
        sensor: Callable[[], SensorState],
        disk_full: Callable[[], bool],
        late: Callable[[float], None],
    ) -> None:
        self.config = config
        self.status = "DA_STARTING"
        self.started_s = time.time()
        self.elapsed_s = 0.0
        self.lag_s = self.most_lag_s = 0.0
        self.frames = 0
        self.dropped_frames = 0
        self.n_made = self.n_hits = self.n_lost = 0
        self.n_bytes = 0
        self.n_edges = [0, 0]
        self.problem: str | None = None
        self.hit_map = HitMap()
        self.outputs = outputs
        self.triggers = triggers
        self._source = source
        self._beam = beam
        self._executor = executor
        self._faults = faults
        self._sensor = sensor
        self._disk_full = disk_full
        self._late = late
        self._rewriter = Rewriter()
        self._rewriter.masked = masked
        self._truth = TruthWriter([writer.truth_path() for writer in outputs.writers])
        self._frame = 0
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="measurement")

    @property
    def hit_rate_hz(self) -> float:
        """Hits a second of simulated time, over the whole run."""
        return self.n_hits / self.elapsed_s if self.elapsed_s > 0 else 0.0

    def edge_rate_hz(self, channel: int) -> float:
        """Edges a second on TDC input 1 or 2, over the whole run."""
        return self.n_edges[channel - 1] / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def time_left_s(self) -> float:
        """Simulated time that the frames still to come take."""
        done = self.frames + self.dropped_frames
        return max(self.config.n_triggers - done, 0) * self.config.frame_period_s

    async def stop(self) -> None:
        """End the run after the slice that is being computed, and wait until files are closed."""
        self._stop.set()
        await asyncio.shield(self._task)

    async def _run(self) -> None:
        try:
            await self._in_thread(self._begin)
            self.status = "DA_RECORDING"
            await self._record(slices(self.config, _LONGEST_SLICE_S, self.triggers))
            self.status = "DA_STOPPING"
            await self._in_thread(self._end)
            await self.outputs.finish()
        except _Lost as lost:
            self.problem = str(lost)
        except OSError as error:
            self.problem = f"Writing failed: {error}"
        except Exception as error:
            # The run must end for the driver, whatever went wrong in it.
            _log.exception("measurement")
            self.problem = f"Measurement failed: {error}"
        finally:
            self._truth.discard()
            await self.outputs.abandon()
            self.status = "DA_IDLE"

    async def _record(self, pieces: Iterator[Slice]) -> None:
        """Let simulated time pass no faster than real time."""
        began = time.monotonic()
        for piece in pieces:
            self._obey()
            await self._in_thread(lambda piece=piece: self._advance(piece))  # type: ignore[misc]
            ahead_s = began + self.elapsed_s - time.monotonic()
            self._lags(max(-ahead_s, 0.0))
            if ahead_s > 0 and not self._stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), ahead_s)
            if self._stop.is_set():
                return
            if self._disk_full():
                self.problem = "Disk limit reached"
                return
        self._obey()

    def _lags(self, lag_s: float) -> None:
        self.lag_s = lag_s
        if lag_s > _LATE_S >= self.most_lag_s:
            self._late(lag_s)
        self.most_lag_s = max(self.most_lag_s, lag_s)

    def _obey(self) -> None:
        """Look what goes wrong now."""
        faults = self._faults
        if faults.lost_after_s is not None and self.elapsed_s >= faults.lost_after_s:
            faults.serval_down = True
        if faults.serval_down:
            raise _Lost("Serval is gone")
        if faults.detector_lost:
            raise _Lost("Detector disconnected")
        strip = TIMES | HEARTBEATS if faults.no_heartbeats else 0
        if isinstance(self._source, Experiment) and not self.config.global_time_s:
            strip |= TIMES
        self._rewriter.strip = strip
        if faults.clock_reset:
            faults.clock_reset = False
            turns = (self._clock_start_s() + self.elapsed_s) / TURN_S
            self._rewriter.turns = _RESET_MARGIN_TURNS - int(turns)

    def _clock_start_s(self) -> float:
        if isinstance(self._source, Experiment):
            return self._source.parameters.clock_start_s
        return float(getattr(self._source, "clock_start_s", 0.0))

    async def _in_thread(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._executor, work)

    # --- in the thread ----------------------------------------------------------------------

    def _begin(self) -> None:
        if isinstance(self._source, Experiment) and self.config.global_time_s:
            self._source.parameters = self._source.parameters.model_copy(
                update={"global_time_s": self.config.global_time_s}
            )
        self._pass_on(0, self._source.start())

    def _advance(self, piece: Slice) -> None:
        self._frame = piece.frame
        data = b""
        if piece.duration_s > 0.0:
            if isinstance(self._source, Experiment):
                self._source.state = self._sensor()
            flux = self._beam.flux if piece.shutter_open else 0.0
            data = self._source.advance(
                piece.duration_s, detuning_deg=self._beam.detuning_deg, flux=flux
            )
        self.elapsed_s += piece.duration_s
        every = self._faults.drop_every
        if every and (piece.frame + 1) % every == 0:
            self.dropped_frames += piece.ends_frame
            self._lose(see(data).n_hits)
            return
        self._pass_on(piece.frame, data)
        if piece.ends_frame:
            self.outputs.end_frame(piece.frame, self.elapsed_s)
        self.frames += piece.ends_frame
        self._truth.write(self._source.take_truth())

    def _end(self) -> None:
        self._pass_on(self._frame, self._source.stop())
        self.outputs.close_files()
        if isinstance(self._source, Experiment):
            self._truth.finish(self._source.take_truth())

    def _lose(self, n_hits: int) -> None:
        self.n_lost += n_hits
        self._count_made()

    def _count_made(self) -> None:
        if isinstance(self._source, Experiment):
            self.n_made = self._source.n_hits
        else:
            self.n_made = self.n_hits + self.n_lost

    def _pass_on(self, frame: int, data: bytes) -> None:
        n_before = see(data).n_hits if self._rewriter.masked.size else None
        data = self._rewriter(data)
        seen: Seen = see(data)
        self.outputs.raw(frame, data)
        self.outputs.see(seen)
        self.hit_map.add(seen)
        self.n_hits += seen.n_hits
        self._lose(0 if n_before is None else n_before - seen.n_hits)
        self.n_edges = [n + seen.n_edges(c) for c, n in enumerate(self.n_edges, start=1)]
        self.n_bytes += len(data)

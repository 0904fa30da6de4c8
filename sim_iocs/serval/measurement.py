"""One measurement in Serval: simulated time that passes, bytes that are written."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

# Imported before the first run, which must not wait for it: truth tables are written with it.
import pyarrow.parquet  # noqa: F401

from sim_iocs.detector.config import DetectorConfig, Slice, slices, waits_for_ever
from sim_iocs.detector.preview import HitMap
from sim_iocs.detector.writer import RawWriter
from twinbeam.simulate import Experiment, Truth

__all__ = ["Beam", "Measurement", "Source"]

_log = logging.getLogger("sim_iocs")

_LONGEST_SLICE_S = 0.05


class Source(Protocol):
    """Where raw bytes come from: the simulated experiment, or a recorded file."""

    @property
    def n_hits(self) -> int:
        """Pixel hits since `start`."""

    def start(self) -> bytes:
        """Begin an acquisition."""

    def advance(self, duration_s: float, detuning_deg: float = ..., flux: float = ...) -> bytes:
        """Raw bytes of the next slice of time."""

    def stop(self) -> bytes:
        """What the read-out still holds."""

    def truth(self) -> Truth:
        """Pairs since `start`."""


@dataclass
class Beam:
    """State of the beam on the crystal, as the beamline says it is."""

    detuning_deg: float = 0.0
    flux: float = 0.0


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
    writers
        Raw files to write.
    executor
        Thread that computes and writes, so that Channel Access stays quick.
    """

    def __init__(
        self,
        config: DetectorConfig,
        source: Source,
        beam: Beam,
        writers: list[RawWriter],
        executor: Executor,
    ) -> None:
        self.config = config
        self.status = "DA_STARTING"
        self.started_s = time.time()
        self.elapsed_s = 0.0
        self.frames = 0
        self.n_hits = 0
        self.n_bytes = 0
        self.problem: str | None = None
        self.hit_map = HitMap()
        self._source = source
        self._beam = beam
        self._writers = writers
        self._executor = executor
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="measurement")

    @property
    def hit_rate_hz(self) -> float:
        """Hits a second of simulated time, over the whole run."""
        return self.n_hits / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def time_left_s(self) -> float:
        """Simulated time until the last frame ends."""
        config = self.config
        return max(config.n_triggers * config.frame_period_s - self.elapsed_s, 0.0)

    async def stop(self) -> None:
        """End the run after the slice that is being computed, and wait until files are closed."""
        self._stop.set()
        await asyncio.shield(self._task)

    async def _run(self) -> None:
        try:
            await self._in_thread(self._begin)
            self.status = "DA_RECORDING"
            if waits_for_ever(self.config):
                await self._stop.wait()
            else:
                await self._record(slices(self.config, _LONGEST_SLICE_S))
            self.status = "DA_STOPPING"
            await self._in_thread(self._end)
        except OSError as error:
            self.problem = f"Writing failed: {error}"
        except Exception as error:
            # The run must end for the driver, whatever went wrong in it.
            _log.exception("measurement")
            self.problem = f"Measurement failed: {error}"
        finally:
            for writer in self._writers:
                writer.close()
            self.status = "DA_IDLE"

    async def _record(self, pieces: Iterator[Slice]) -> None:
        """Let simulated time pass no faster than real time."""
        began = time.monotonic()
        for piece in pieces:
            await self._in_thread(lambda piece=piece: self._advance(piece))  # type: ignore[misc]
            self.elapsed_s += piece.duration_s
            self.frames += piece.ends_frame
            ahead_s = began + self.elapsed_s - time.monotonic()
            if ahead_s > 0 and not self._stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), ahead_s)
            if self._stop.is_set():
                return

    async def _in_thread(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _begin(self) -> None:
        self._frame = 0
        self._keep(0, self._source.start())

    def _advance(self, piece: Slice) -> None:
        self._frame = piece.frame
        flux = self._beam.flux if piece.shutter_open else 0.0
        data = self._source.advance(
            piece.duration_s, detuning_deg=self._beam.detuning_deg, flux=flux
        )
        self._keep(piece.frame, data)

    def _end(self) -> None:
        self._keep(self._frame, self._source.stop())
        if isinstance(self._source, Experiment):
            for writer in self._writers:
                self._source.truth().write_parquet(writer.truth_path())

    def _keep(self, frame: int, data: bytes) -> None:
        for writer in self._writers:
            writer.write(frame, data)
        self.hit_map.add(data)
        self.n_hits = self._source.n_hits
        self.n_bytes += len(data)

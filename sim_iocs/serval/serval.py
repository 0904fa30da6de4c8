"""Serval, the server between driver and detector: what it holds and how it answers.

No Channel Access and no HTTP here; the driver and the HTTP server both talk to this.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import shutil
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sim_iocs.serval import reports
from sim_iocs.serval.chips import Chips
from sim_iocs.serval.chunks import see
from sim_iocs.serval.config import DetectorConfig
from sim_iocs.serval.destination import Destination, folder_of
from sim_iocs.serval.faults import Faults
from sim_iocs.serval.frames import Triggers
from sim_iocs.serval.late_experiment import LateExperiment
from sim_iocs.serval.later import Later
from sim_iocs.serval.measurement import Measurement
from sim_iocs.serval.measurement_config import default_measurement_config
from sim_iocs.serval.outputs import OutputSettings, Refused, open_outputs
from sim_iocs.serval.reply import NO_ANSWER, Reply
from sim_iocs.serval.sensor_settings import sensor_state
from sim_iocs.serval.source import Beam, Source
from sim_iocs.serval.values import Wrong
from twinbeam.simulate.sensor_state import SensorState

__all__ = ["Serval"]

_log = logging.getLogger("sim_iocs")

_MOST_NOTIFICATIONS = 100


class Serval:
    """Configuration, destination, chips and measurement.

    Every coroutine here is a request: it obeys `faults` and gives a `Reply`, whose code is 0 when
    there is no answer at all.

    Parameters
    ----------
    source
        Where raw bytes come from.
    beam
        State of the beam.
    faults
        What goes wrong.
    settings
        How channels are opened.
    edges_hz
        Pulses a second on the trigger input; 0 is none.
    disk_lower_limit_bytes
        Free space below which the disk limit is reached.
    """

    def __init__(
        self,
        source: Source,
        beam: Beam,
        faults: Faults | None = None,
        *,
        settings: OutputSettings | None = None,
        edges_hz: float = 0.0,
        disk_lower_limit_bytes: int = 100_000_000,
    ) -> None:
        self.faults = faults or Faults()
        self.settings = settings or OutputSettings()
        self.disk_lower_limit_bytes = disk_lower_limit_bytes
        self.edges_hz = edges_hz
        self._source = source
        self._beam = beam
        self._later = Later()
        self._starting = asyncio.Lock()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="serval")
        self._preparing: Future[None] | None = None
        self.measurement: Measurement | None = None
        self._forget()

    def prepare(self) -> None:
        """Have ready what the first run needs; until then it waits, and nothing else does."""
        self._preparing = self._executor.submit(_prepare, self._source)

    def _forget(self) -> None:
        """Begin as after a start of the server."""
        self._deaths = self.faults.deaths
        self.started_s = time.time()
        self.config = DetectorConfig()
        self.destination: Destination | None = None
        self.chips = Chips()
        self._bias_was_on = False
        self.orientation = "UP"
        self.measurement_config = default_measurement_config()
        self.notifications: deque[dict[str, Any]] = deque(maxlen=_MOST_NOTIFICATIONS)

    @property
    def status(self) -> str:
        """State of the measurement."""
        return self.measurement.status if self.measurement else "DA_IDLE"

    @property
    def free_bytes(self) -> int:
        """Free space where raw files go; 0 while nothing is written."""
        for channel in self.destination.raw if self.destination else ():
            folder = folder_of(channel.base)
            if folder is not None and folder.is_dir():
                return shutil.disk_usage(folder).free
        return 0

    async def answer(self, request: str) -> Reply | None:
        """Wait as long as answers take now, and give the one that a fault puts in place of any.

        Parameters
        ----------
        request
            Method and path, such as ``PUT /detector/config``.
        """
        if self.faults.slow_s > 0.0:
            await asyncio.sleep(self.faults.slow_s)
        if self.faults.serval_down:
            return NO_ANSWER
        if self._deaths != self.faults.deaths:
            if self.measurement is not None:
                await self.measurement.stop()
                self.measurement = None
            self._forget()
        return self.faults.answer(request)

    async def put_config(self, config: DetectorConfig) -> Reply:
        """Take a whole configuration, or refuse it and keep the old one."""
        if (refused := await self.answer("PUT /detector/config")) is not None:
            return refused
        if problem := config.problem():
            return Reply(400, f"Invalid detector config: {problem}")
        self.config = config
        self._bias_was_on |= config.bias_on
        return Reply(text="Successfully uploaded detector config.")

    async def put_destination(self, destination: Destination) -> Reply:
        """Take a whole destination; whether its folders exist is looked at when a run starts."""
        if (refused := await self.answer("PUT /server/destination")) is not None:
            return refused
        if problem := destination.problem():
            return Reply(400, f"Invalid destination: {problem}")
        modes = {c.mode for c in (*destination.image, *destination.preview)}
        if len(modes) > 1:
            self.notify("Warning", f"Image channels differ in mode: {', '.join(sorted(modes))}")
        self.destination = destination
        return Reply(text="Successfully uploaded destination.")

    async def start(self) -> Reply:
        """Begin a measurement; it has left DA_IDLE when this returns."""
        if (refused := await self.answer("GET /measurement/start")) is not None:
            return refused
        async with self._starting:
            if self.destination is None:
                return Reply(409, "Destination is not set.")
            if self.status != "DA_IDLE":
                return Reply(409, f"Measurement cannot start in state {self.status}.")
            self._later.bind()
            try:
                outputs = await open_outputs(
                    self.destination, self.settings, self.faults, self._later, self.orientation
                )
            except Refused as error:
                self.notify("Error", str(error))
                return Reply(400, str(error))
            self.measurement = Measurement(
                self.config,
                self._source,
                self._beam,
                outputs,
                self._executor,
                faults=self.faults,
                triggers=Triggers(self.edges_hz),
                masked=self.chips.masked,
                sensor=self._sensor,
                disk_full=self._disk_full,
                late=self._late,
            )
        return Reply(text="Measurement started.")

    async def stop(self) -> Reply:
        """End the measurement, if one runs; its files are closed afterwards."""
        if (refused := await self.answer("GET /measurement/stop")) is not None:
            return refused
        if self.measurement is not None:
            await self.measurement.stop()
        return Reply(text="Measurement stopped.")

    async def trigger(self, event: str) -> Reply:
        """Open or close the shutter by software: event is start or stop."""
        if (refused := await self.answer(f"GET /measurement/trigger/{event}")) is not None:
            return refused
        if self.measurement is None or self.status != "DA_RECORDING":
            return Reply(409, "No measurement is running.")
        if not self.measurement.config.trigger_mode.startswith("SOFTWARESTART"):
            return Reply(409, f"No software trigger in {self.measurement.config.trigger_mode}.")
        self.measurement.triggers.put(event)
        return Reply(text=f"Software trigger {event} sent.")

    async def load(self, kind: str, path: str) -> Reply:
        """Load pixelconfig or dacs from a file on this host."""
        if (refused := await self.answer("GET /config/load")) is not None:
            return refused
        try:
            return Reply(text=self.chips.load(kind, Path(path)))
        except Wrong as error:
            return Reply(400, str(error))

    def edge(self, *, rising: bool) -> None:
        """Let an edge come to the trigger input."""
        if self.measurement is not None:
            self.measurement.triggers.put("rise" if rising else "fall")

    def notify(self, kind: str, message: str) -> None:
        """Add to the notifications of the dashboard."""
        self.notifications.append(
            {
                "Type": kind,
                "Domain": "Measurement",
                "Message": message,
                "ReferenceID": len(self.notifications),
                "Timestamp": round(1e3 * time.time()),
            }
        )

    def _sensor(self) -> SensorState:
        shifts = self.chips.threshold_shifts_kev
        return sensor_state(self.config, shifts, bias_was_on=self._bias_was_on)

    def _late(self, lag_s: float) -> None:
        self.notify("Warning", f"The simulation is {lag_s:.1f} s behind real time.")

    def _disk_full(self) -> bool:
        if self.destination is None or not self.destination.stops_on_disk_limit:
            return False
        return any(each["DiskLimitReached"] for each in reports.disk_space(self))

    async def close(self) -> None:
        """Stop what runs and end the thread."""
        if self.measurement is not None:
            await self.measurement.stop()
        self._later.flush()
        # compiling cannot be broken off; a process that ends does not wait for it
        prepared = self._preparing is None or self._preparing.done()
        self._executor.shutdown(wait=prepared, cancel_futures=True)


def _prepare(source: Source) -> None:
    """Load compiled code and the library of the truth tables."""
    try:
        see(b"")
        if isinstance(source, LateExperiment):
            source.prepare()
        importlib.import_module("pyarrow.parquet")
    except Exception:
        # The run that finds the same will say so.
        _log.exception("preparation")

"""Serval, the server between driver and detector: what it holds and how it answers.

No Channel Access here; the driver in `driver.py` talks to this as it would over HTTP.
"""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sim_iocs.detector.config import DetectorConfig
from sim_iocs.detector.destination import Destination, expand_pattern, folder_of
from sim_iocs.detector.measurement import Beam, Measurement, Source
from sim_iocs.detector.writer import RawWriter

__all__ = ["Reply", "Serval"]


@dataclass(frozen=True)
class Reply:
    """Status and text of an answer; 200 is good."""

    code: int = 200
    text: str = "OK"

    @property
    def ok(self) -> bool:
        """Whether the request was accepted."""
        return self.code == 200


class Serval:
    """Configuration, destination and measurement.

    Parameters
    ----------
    source
        Where raw bytes come from.
    beam
        State of the beam.
    """

    def __init__(self, source: Source, beam: Beam) -> None:
        self.config = DetectorConfig()
        self.destination: Destination | None = None
        self.measurement: Measurement | None = None
        self._source = source
        self._beam = beam
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="serval")

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

    def put_config(self, config: DetectorConfig) -> Reply:
        """Take a whole configuration, or refuse it and keep the old one."""
        if problem := config.problem():
            return Reply(400, f"Invalid detector config: {problem}")
        self.config = config
        return Reply()

    def put_destination(self, destination: Destination) -> Reply:
        """Take a whole destination; whether its folders exist is looked at when a run starts."""
        for channel in destination.raw:
            if folder_of(channel.base) is None and not channel.streams:
                return Reply(400, f"Invalid destination: Raw base '{channel.base}'")
        self.destination = destination
        return Reply()

    def start(self) -> Reply:
        """Begin a measurement; it has left DA_IDLE when this returns."""
        if self.destination is None:
            return Reply(409, "Destination is not set.")
        if self.status != "DA_IDLE":
            return Reply(409, f"Measurement cannot start in state {self.status}.")
        writers = []
        for channel in self.destination.raw:
            if channel.streams:
                continue
            folder = folder_of(channel.base)
            if folder is None or not folder.is_dir():
                return Reply(400, f"Raw destination '{channel.base}': the folder does not exist.")
            pattern = expand_pattern(channel.pattern, time.time())
            writers.append(RawWriter(folder, pattern, channel.split_frames))
        self.measurement = Measurement(
            self.config, self._source, self._beam, writers, self._executor
        )
        return Reply()

    async def stop(self) -> Reply:
        """End the measurement, if one runs; all its files are complete afterwards."""
        if self.measurement is not None:
            await self.measurement.stop()
        return Reply()

    async def close(self) -> None:
        """Stop what runs and end the thread."""
        await self.stop()
        self._executor.shutdown()

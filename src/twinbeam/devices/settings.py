"""What an acquisition is made with, and how long the detector is waited for."""

from __future__ import annotations

import math
import re
from enum import IntEnum
from typing import Self

from pydantic import Field, field_validator

from twinbeam.parameters import Parameters

__all__ = ["LONGEST_FRAME_S", "AcquisitionSettings", "Patience", "TriggerMode"]

#: Serval takes no longer exposure.
LONGEST_FRAME_S = 10.0
_DEAD_TIME_S = 0.003
_STREAM = re.compile(r"tcp://(listen|connect)@[^@/\s:]+:(?P<port>\d{1,5})")


class TriggerMode(IntEnum):
    """Trigger modes by the driver's number; labels changed between releases, numbers did not."""

    PEXSTART_NEXSTOP = 0
    NEXSTART_PEXSTOP = 1
    PEXSTART_TIMERSTOP = 2
    NEXSTART_TIMERSTOP = 3
    AUTOTRIGSTART_TIMERSTOP = 4
    CONTINUOUS = 5
    SOFTWARESTART_TIMERSTOP = 6
    SOFTWARESTART_SOFTWARESTOP = 7


class AcquisitionSettings(Parameters):
    """One acquisition: frames that follow each other on one clock."""

    num_frames: int = Field(1, ge=1, le=1_000_000_000, description="Frames, one raw file each.")
    frame_time_s: float = Field(
        1.0, gt=0.0, le=LONGEST_FRAME_S, description="Exposure of one frame in seconds."
    )
    trigger_mode: TriggerMode = Field(
        TriggerMode.CONTINUOUS,
        description="How frames start; CONTINUOUS has no dead time between them.",
    )

    stream: str = Field(
        "",
        description="Where the second raw channel sends the same hits at the same time, such as"
        " tcp://listen@localhost:8085; empty leaves that channel alone.",
    )

    @field_validator("stream")
    @classmethod
    def _is_a_stream(cls, text: str) -> str:
        match = _STREAM.fullmatch(text)
        if text and (match is None or not 0 < int(match["port"]) < 65_536):
            raise ValueError(f"'{text}' is not tcp://listen@HOST:PORT or tcp://connect@HOST:PORT")
        return text

    @classmethod
    def of_exposure(cls, seconds: float) -> Self:
        """Settings of an exposure of any length, in as few frames as Serval's limit allows.

        Raises
        ------
        ValueError
            If it is not longer than 0.
        """
        if not (math.isfinite(seconds) and seconds > 0.0):
            raise ValueError(f"an exposure is longer than 0 s, not {seconds!r} s")
        frames = max(math.ceil(seconds / LONGEST_FRAME_S - 1e-9), 1)
        return cls(num_frames=frames, frame_time_s=min(seconds / frames, LONGEST_FRAME_S))

    @property
    def exposure_s(self) -> float:
        """Exposure of all frames together, in seconds."""
        return self.num_frames * self.frame_time_s

    @property
    def period_s(self) -> float:
        """Time from frame to frame in seconds; timer modes lose 3 ms between frames."""
        if self.trigger_mode is TriggerMode.CONTINUOUS:
            return self.frame_time_s
        return self.frame_time_s + _DEAD_TIME_S


class Patience(Parameters):
    """How long the detector may take for each step before it counts as failed."""

    write_s: float = Field(10.0, gt=0.0, le=600.0, description="One write, in seconds.")
    settings_s: float = Field(
        5.0, gt=0.0, le=600.0, description="Readbacks to follow the settings, in seconds."
    )
    start_s: float = Field(
        10.0, gt=0.0, le=600.0, description="From Acquire to the first recording, in seconds."
    )
    stall_s: float = Field(
        15.0,
        gt=0.0,
        le=86_400.0,
        description="Time without a new frame, beyond two frame periods, in seconds. External"
        " triggers may need more.",
    )
    files_s: float = Field(
        10.0, gt=0.0, le=600.0, description="A frame's file to appear and be complete, in seconds."
    )
    stop_s: float = Field(10.0, gt=0.0, le=600.0, description="A stop to take effect, in seconds.")
    settle_s: float = Field(
        0.12,
        ge=0.1,
        le=60.0,
        description="Time over which the size of a complete file stays the same, in seconds.",
    )

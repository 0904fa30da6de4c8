"""The detector configuration as Serval holds it, and the frames that follow from it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["CONTINUOUS", "DetectorConfig", "Slice", "slices", "waits_for_ever"]

CONTINUOUS = "CONTINUOUS"
AUTOMATIC = "AUTOTRIGSTART_TIMERSTOP"
# The real one takes far less; a slice of simulated time costs about as much as this.
LEAST_EXPOSURE_S = 1e-3


@dataclass(frozen=True)
class DetectorConfig:
    """Settings of `/detector/config`."""

    trigger_mode: str = CONTINUOUS
    exposure_s: float = 0.5
    period_s: float = 0.5
    n_triggers: int = 1_000_000_000
    trigger_delay_s: float = 0.0
    trigger_in: int = 0
    trigger_out: int = 0
    bias_v: int = 0
    bias_on: bool = False
    polarity: int = 0
    chain_mode: int = 0
    global_time_s: float = 0.0
    external_clock: bool = False
    log_level: int = 0
    clock_80mhz: bool = False
    tdc: tuple[str, str] = ("P0123", "P0123")

    def problem(self) -> str | None:
        """What Serval would refuse, in words, or None."""
        bounds = (
            ("ExposureTime", self.exposure_s, LEAST_EXPOSURE_S, 10.0),
            ("TriggerPeriod", self.period_s, 0.0, 50.0),
            ("TriggerDelay", self.trigger_delay_s, 0.0, 1.0),
            ("BiasVoltage", self.bias_v, 0, 140),
            ("nTriggers", self.n_triggers, 0, 2**31 - 1),
        )
        for name, value, low, high in bounds:
            if not low <= value <= high:
                return f"{name} {value:g} is outside {low:g} to {high:g}"
        if self.global_time_s and not 1e-3 <= self.global_time_s <= 1e7:
            return f"GlobalTimestampInterval {self.global_time_s:g} is neither 0 nor 0.001 to 1e7"
        return None

    @property
    def frame_period_s(self) -> float:
        """Time from frame to frame."""
        return self.exposure_s if self.trigger_mode == CONTINUOUS else self.period_s


@dataclass(frozen=True)
class Slice:
    """A piece of simulated time that belongs to one frame."""

    frame: int
    duration_s: float
    shutter_open: bool
    ends_frame: bool


def waits_for_ever(config: DetectorConfig) -> bool:
    """Whether frames need triggers from outside, which never come here."""
    return config.trigger_mode not in (CONTINUOUS, AUTOMATIC)


def slices(config: DetectorConfig, longest_s: float) -> Iterator[Slice]:
    """The whole run, in order, in equal pieces of at most `longest_s`.

    In CONTINUOUS frames follow each other without a gap; in timer modes the shutter is closed
    between the end of a frame and the next trigger.
    """
    gap_s = config.frame_period_s - config.exposure_s
    for frame in range(config.n_triggers):
        yield from _pieces(frame, config.exposure_s, longest_s, shutter_open=True)
        if gap_s > 0.0 and frame < config.n_triggers - 1:
            yield from _pieces(frame, gap_s, longest_s, shutter_open=False)


def _pieces(frame: int, lasts_s: float, longest_s: float, shutter_open: bool) -> Iterator[Slice]:
    n = max(math.ceil(lasts_s / longest_s - 1e-9), 1)
    for piece in range(n):
        last = shutter_open and piece == n - 1
        yield Slice(frame, lasts_s / n, shutter_open, ends_frame=last)

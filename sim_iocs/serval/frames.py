"""Frames of a run: when the shutter opens and closes, by timer, by edges or by software."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sim_iocs.serval.config import AUTOMATIC, CONTINUOUS, DetectorConfig

__all__ = ["Slice", "Triggers", "slices"]

# how exactly edges and commands are placed in simulated time
_WAIT_S = 0.01

# what opens and what closes the shutter; nothing is the timer
_EVENTS = {
    "PEXSTART_NEXSTOP": ("rise", "fall"),
    "NEXSTART_PEXSTOP": ("fall", "rise"),
    "PEXSTART_TIMERSTOP": ("rise", ""),
    "NEXSTART_TIMERSTOP": ("fall", ""),
    "SOFTWARESTART_TIMERSTOP": ("start", ""),
    "SOFTWARESTART_SOFTWARESTOP": ("start", "stop"),
    "FOLLOWING": ("rise", "fall"),
}


@dataclass(frozen=True)
class Slice:
    """A piece of simulated time that belongs to one frame."""

    frame: int
    duration_s: float
    shutter_open: bool
    ends_frame: bool


class Triggers:
    """What comes to the trigger input and from software during a run.

    Parameters
    ----------
    edges_hz
        Pulses a second of a generator on the trigger input, half of the time high; 0 is none.
    """

    def __init__(self, edges_hz: float = 0.0) -> None:
        self.edges_hz = edges_hz
        self._waiting: deque[str] = deque()
        self._elapsed_s = 0.0
        self._half_periods = 0

    def put(self, event: str) -> None:
        """Take one of the events rise, fall (of the input), start, stop (by software)."""
        self._waiting.append(event)

    def advance(self, duration_s: float) -> None:
        """Let the generator run for a piece of time."""
        self._elapsed_s += duration_s
        if self.edges_hz > 0.0:
            reached = math.floor(self._elapsed_s * self.edges_hz * 2.0)
            for half in range(self._half_periods, reached):
                self.put("fall" if half % 2 else "rise")
            self._half_periods = reached

    def take(self, event: str) -> bool:
        """Whether an event has come; it and those before it are used up."""
        while self._waiting:
            if self._waiting.popleft() == event:
                return True
        return False

    def forget(self) -> None:
        """Drop what came when nothing listened."""
        self._waiting.clear()


def slices(
    config: DetectorConfig, longest_s: float, triggers: Triggers | None = None
) -> Iterator[Slice]:
    """The whole run, in order, in equal pieces of at most `longest_s`.

    In CONTINUOUS frames follow each other without a gap; with the timer the shutter is closed
    between the end of a frame and the next trigger. In the other modes the shutter waits, in short
    pieces, for its events. 0 triggers are a run without end.
    """
    frames: Iterable[int] = range(config.n_triggers) if config.n_triggers else itertools.count()
    if config.trigger_mode in (CONTINUOUS, AUTOMATIC):
        return _timed(config, longest_s, frames)
    return _triggered(config, longest_s, frames, triggers or Triggers())


def _timed(config: DetectorConfig, longest_s: float, frames: Iterable[int]) -> Iterator[Slice]:
    gap_s = config.frame_period_s - config.exposure_s
    for frame in frames:
        if config.trigger_delay_s and config.trigger_mode == AUTOMATIC and not frame:
            yield from _pieces(frame, config.trigger_delay_s, longest_s, shutter_open=False)
        yield from _pieces(frame, config.exposure_s, longest_s, shutter_open=True)
        if gap_s > 0.0 and frame != config.n_triggers - 1:
            yield from _pieces(frame, gap_s, longest_s, shutter_open=False)


def _triggered(
    config: DetectorConfig, longest_s: float, frames: Iterable[int], triggers: Triggers
) -> Iterator[Slice]:
    opens, closes = _EVENTS[config.trigger_mode]
    for frame in frames:
        while not triggers.take(opens):
            triggers.advance(_WAIT_S)
            yield Slice(frame, _WAIT_S, shutter_open=False, ends_frame=False)
        if config.trigger_delay_s:
            triggers.advance(config.trigger_delay_s)
            yield from _pieces(frame, config.trigger_delay_s, longest_s, shutter_open=False)
        if closes:
            while not triggers.take(closes):
                triggers.advance(_WAIT_S)
                yield Slice(frame, _WAIT_S, shutter_open=True, ends_frame=False)
            yield Slice(frame, 0.0, shutter_open=True, ends_frame=True)
        else:
            for piece in _pieces(frame, config.exposure_s, longest_s, shutter_open=True):
                triggers.advance(piece.duration_s)
                if piece.ends_frame:  # an open shutter does not see triggers
                    triggers.forget()
                yield piece


def _pieces(frame: int, lasts_s: float, longest_s: float, shutter_open: bool) -> Iterator[Slice]:
    n = max(math.ceil(lasts_s / longest_s - 1e-9), 1)
    for piece in range(n):
        last = shutter_open and piece == n - 1
        yield Slice(frame, lasts_s / n, shutter_open, ends_frame=last)

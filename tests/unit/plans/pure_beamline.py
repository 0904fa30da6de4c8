"""A beamline without Channel Access: the simulated world behind devices that answer at once."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from unittest.mock import patch

import numpy as np
from ophyd import Signal
from ophyd.status import Status

from twinbeam.physics import rocking_curve

BRAGG_DEG = 11.576
PEAK_HZ, SCATTER_HZ, DARK_HZ = 1.0e6, 200.0, 5.0
BEST_X_MM, BEST_Y_MM = 0.6, -0.4


def done(status: Status | None = None) -> Status:
    """A status that has ended well."""
    status = status or Status(timeout=None)
    status.set_finished()
    return status


@lru_cache(maxsize=64)
def curve_table(mosaic_mdeg: float) -> tuple[np.ndarray, np.ndarray]:
    """The rocking curve's upper half, fine enough to interpolate."""
    offsets = np.concatenate((np.arange(0.0, 20.0, 0.02), np.geomspace(20.0, 2e3, 300)))
    return offsets, rocking_curve(offsets, mosaic_mdeg)


class World:
    """What is true about the beam, as in the simulated beamline."""

    def __init__(self, seed: int = 0, *, flux: float = 1.0, mosaic_mdeg: float = 2.7253) -> None:
        self.random = np.random.default_rng(seed)
        self.mosaic_mdeg = mosaic_mdeg
        self.flux = flux
        self.is_open = False
        self.theta_deg = 11.5
        self.x_mm = self.y_mm = 0.0

    @property
    def bragg_deg(self) -> float:
        """Bragg angle where the beam hits: the lattice planes are warped a little."""
        warp = math.sin(self.x_mm / 1.5) + 0.5 * math.sin(self.y_mm / 1.5)
        return BRAGG_DEG + 5e-4 * warp

    @property
    def mosaic_here_mdeg(self) -> float:
        """Mosaic spread where the beam hits; least at the best place."""

        def badness(x_mm: float, y_mm: float) -> float:
            square = (x_mm - BEST_X_MM) ** 2 + (y_mm - BEST_Y_MM) ** 2
            return 1.0 - math.exp(-square / (2.0 * 0.8**2))

        return self.mosaic_mdeg + 1.2 * (badness(self.x_mm, self.y_mm) - badness(0.0, 0.0))

    def rate_hz(self, count_s: float) -> float:
        """What the monitor counts, drawn."""
        offset_mdeg = 1e3 * (self.theta_deg - self.bragg_deg)
        mosaic_mdeg = self.mosaic_here_mdeg
        diffracted_hz = PEAK_HZ * self.mosaic_mdeg / mosaic_mdeg
        diffracted_hz *= float(np.interp(abs(offset_mdeg), *curve_table(mosaic_mdeg)))
        expected_hz = DARK_HZ + self.flux * self.is_open * (SCATTER_HZ + diffracted_hz)
        return float(self.random.poisson(expected_hz * count_s)) / count_s


class PureMotor:
    """A motor that stands at once where it is sent, in steps of a microdegree."""

    parent = None

    def __init__(self, name: str, world: World, attribute: str) -> None:
        self.name = name
        self.limits = (-5.0, 90.0)
        self.stuck = False
        self.user_readback = type("Readback", (), {"name": name})
        self._world, self._attribute = world, attribute

    @property
    def position(self) -> float:
        """Where it stands."""
        return float(getattr(self._world, self._attribute))

    def set(self, value: float) -> Status:
        """Go there."""
        status = Status(timeout=None)
        if self.stuck:
            status.set_exception(TimeoutError("did not move"))
            return status
        setattr(self._world, self._attribute, round(value, 6))
        return done(status)

    def stop(self, *, success: bool = False) -> None:
        """It does stand still."""

    def read(self) -> dict[str, Any]:
        """Where it stands."""
        return {self.name: {"value": self.position, "timestamp": time.time()}}

    def describe(self) -> dict[str, Any]:
        """A number."""
        return {self.name: {"source": "pure", "dtype": "number", "shape": []}}

    def read_configuration(self) -> dict[str, Any]:
        """None."""
        return {}

    describe_configuration = read_configuration


class PureShutter(PureMotor):
    """Opens and closes at once."""

    @property
    def status(self) -> str:
        """As the real one reads."""
        return "Open" if self._world.is_open else "Closed"

    def set(self, value: Any) -> Status:
        """Go there."""
        self._world.is_open = value == "open"
        return done()

    def read(self) -> dict[str, Any]:
        """Its state."""
        return {self.name: {"value": self.status, "timestamp": time.time()}}

    def describe(self) -> dict[str, Any]:
        """A word."""
        return {self.name: {"source": "pure", "dtype": "string", "shape": []}}


class PureMonitor:
    """Counts at once."""

    parent = None

    def __init__(self, world: World) -> None:
        self.name = "monitor"
        self.count_time = Signal(name="monitor_count_time", value=0.1)
        self.intensity = type("Intensity", (), {"name": "monitor_intensity"})
        self.staged = False
        self._world = world
        self._rate_hz = 0.0

    def stage(self) -> list[object]:
        """Begin."""
        self.staged = True
        return [self]

    def unstage(self) -> list[object]:
        """End."""
        self.staged = False
        return [self]

    def trigger(self) -> Status:
        """Count once."""
        self._rate_hz = self._world.rate_hz(float(self.count_time.get()))
        return done()

    def read(self) -> dict[str, Any]:
        """The latest count."""
        return {"monitor_intensity": {"value": self._rate_hz, "timestamp": time.time()}}

    def describe(self) -> dict[str, Any]:
        """A number."""
        return {"monitor_intensity": {"source": "pure", "dtype": "number", "shape": []}}

    def read_configuration(self) -> dict[str, Any]:
        """None."""
        return {}

    describe_configuration = read_configuration


class PureDetector:
    """An acquisition that takes no time and leaves no files."""

    parent = None

    def __init__(self) -> None:
        self.name = "tpx3"
        self.num_frames = Signal(name="tpx3_num_frames", value=1)
        self.frame_time_s = Signal(name="tpx3_frame_time_s", value=1.0)
        self.raw_uri = Signal(name="tpx3_raw_uri", value="")
        self.raw_template = Signal(name="tpx3_raw_template", value="")
        self.raw_first = Signal(name="tpx3_raw_first", value=0)
        self.raw_count = Signal(name="tpx3_raw_count", value=0)
        self.raw_bytes = Signal(name="tpx3_raw_bytes", value=0)
        self.raw_hits = Signal(name="tpx3_raw_hits", value=0)
        self.raw_dropped = Signal(name="tpx3_raw_dropped", value=0)
        self.staged = self.acquiring = False
        self.most_frames: int | None = None
        self.refusals = 0
        self._acquisitions = 0
        self._ended = Status(timeout=None)
        self._left = 0

    def stage(self) -> list[object]:
        """Begin."""
        self.staged = True
        return [self]

    def unstage(self) -> list[object]:
        """End."""
        self.stop()
        self.staged = False
        return [self]

    def stop(self, *, success: bool = False) -> None:
        """End an acquisition."""
        self.acquiring = False
        if not self._ended.done:
            self._ended.set_finished()

    def kickoff(self) -> Status:
        """Begin an acquisition."""
        assert self.staged
        if self.refusals:
            self.refusals -= 1
            status = Status(timeout=None)
            status.set_exception(RuntimeError("refused"))
            return status
        self._acquisitions += 1
        self.acquiring = True
        self._ended = Status(timeout=None)
        return done()

    def complete(self) -> Status:
        """All frames are there at once."""
        frames = min(int(self.num_frames.get()), self.most_frames or 10**9)
        self._left = frames
        self.raw_uri.put("file://localhost/pure/")
        self.raw_template.put(f"run{self._acquisitions}_{{:06d}}.tpx3")
        self.raw_count.put(frames)
        self.raw_bytes.put(16 * frames)
        self.acquiring = False
        return done(self._ended)

    def describe_collect(self) -> dict[str, Any]:
        """A number a frame."""
        return {"tpx3_raw_first": {"source": "pure", "dtype": "integer", "shape": []}}

    def collect_pages(self) -> Iterator[dict[str, Any]]:
        """What is there."""
        rows, self._left = list(range(self._left)), 0
        if rows:
            times = [time.time()] * len(rows)
            yield {
                "data": {"tpx3_raw_first": rows},
                "timestamps": {"tpx3_raw_first": times},
                "time": times,
            }

    def read_configuration(self) -> dict[str, Any]:
        """None."""
        return {}

    describe_configuration = read_configuration


class PureBeamline:
    """All of it."""

    def __init__(self, seed: int = 0, **truth: float) -> None:
        self.world = World(seed, **truth)
        self.theta = PureMotor("theta", self.world, "theta_deg")
        self.x = PureMotor("x", self.world, "x_mm")
        self.y = PureMotor("y", self.world, "y_mm")
        self.shutter = PureShutter("shutter", self.world, "is_open")
        self.monitor = PureMonitor(self.world)
        self.detector = PureDetector()

    def is_safe(self) -> bool:
        """Whether everything is as a plan should leave it."""
        return not (
            self.world.is_open
            or self.monitor.staged
            or self.detector.staged
            or self.detector.acquiring
        )


def walk(plan: Iterator[Any], *, cut_at: int | None = None) -> tuple[Any, list[str]]:
    """Go through a plan as a RunEngine would, only faster; its result, and the commands.

    Parameters
    ----------
    plan
        Its devices are those of a `PureBeamline`.
    cut_at
        Instead of doing the message with this index, throw a `KeyboardInterrupt`-like error.
    """
    # bluesky notes the stack of each stub, which takes longer than everything else together
    with patch.object(traceback, "format_stack", list):
        return _walk(plan, cut_at)


def _walk(plan: Any, cut_at: int | None) -> tuple[Any, list[str]]:
    commands: list[str] = []
    answer: Any = None
    error: Exception | None = None
    while True:
        try:
            message = plan.throw(error) if error is not None else plan.send(answer)
        except StopIteration as end:
            return end.value, commands
        answer, error = None, None
        commands.append(message.command)
        if cut_at is not None and len(commands) == cut_at + 1:
            error = Cut()
            continue
        try:
            answer = _do(message, commands)
        except Exception as problem:
            error = problem


class Cut(Exception):
    """Somebody broke the plan off."""


def _do(message: Any, commands: list[str]) -> Any:
    from bluesky.utils import FailedStatus

    device, command = message.obj, message.command
    if command == "set" and isinstance(device, Signal):
        device.put(*message.args)
        return done()
    if command in ("set", "trigger", "kickoff", "complete"):
        status = getattr(device, command)(*message.args)
        if status.done and status.exception() is not None:
            raise FailedStatus(status) from status.exception()
        return status
    if command == "read":
        return device.read()
    if command == "locate":
        return {"setpoint": device.position, "readback": device.position}
    if command in ("stage", "unstage", "stop"):
        return getattr(device, command)()
    if command == "collect":
        return list(device.collect_pages())
    if command == "open_run":
        return f"run {commands.count('open_run')}"
    known = {
        "wait", "create", "save", "drop", "checkpoint", "close_run", "sleep", "null",
        "declare_stream", "rewindable", "clear_checkpoint",
    }  # fmt: skip
    assert command in known, command
    return None


__all__ = ["BRAGG_DEG", "Cut", "PureBeamline", "walk"]

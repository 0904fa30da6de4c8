"""Every plan on a beamline without Channel Access, and a RunEngine's part in how it ends."""

from __future__ import annotations

import contextlib
import math
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import bluesky.plan_stubs as bps
import pytest
from bluesky.utils import RequestAbort
from ophyd.status import Status
from pure_beamline import BRAGG_DEG, Cut, PureBeamline, PureDetector, PureMotor, _do, done

from twinbeam import plans
from twinbeam.plans import LiveNumbers, rocking_fit

_KEYS = ("raw_uri", "raw_template", "raw_first", "raw_count", "raw_bytes")
# those that expose and analyse what came; their analysis finds no files here, and says so
_EXPOSING = (
    "calibrate_timewalk", "calibrate_tot", "classical_image", "count_pairs", "find_center",
    "find_hot_pixels", "threshold_scan",
)  # fmt: skip


def numbers(run: str, net: float = 100.0) -> LiveNumbers:
    """Live results as they might be."""
    return LiveNumbers(run, True, 10.0, 1000, 110, 10.0, 1.0, net, 11.0, 12.0, 10.0, 0.04, 1e-4)


class StillDetector(PureDetector):
    """Also makes single acquisitions at once, of which it names the files."""

    def trigger(self) -> Status:
        """Make one acquisition, unless it refuses."""
        assert self.staged
        self.acquiring = True
        if self.refusals:
            self.refusals -= 1
            status = Status(timeout=None)
            status.set_exception(RuntimeError("refused"))
            return status
        self.acquiring = False
        self._acquisitions += 1
        self.raw_uri.put("file://localhost/pure/")
        self.raw_template.put(f"run{self._acquisitions}_{{:06d}}.tpx3")
        frames = min(int(self.num_frames.get()), self.most_frames or 10**9)
        self.most_frames = None  # what ends an acquisition ends one
        self.raw_count.put(frames)
        self.raw_bytes.put(16 * frames)
        return done()

    def read(self) -> dict[str, Any]:
        """Where the files would be."""
        now_s = time.time()
        return {
            f"tpx3_{key}": {"value": getattr(self, key).get(), "timestamp": now_s} for key in _KEYS
        }

    def describe(self) -> dict[str, Any]:
        """Words and numbers."""
        kinds = ("string", "string", "integer", "integer", "integer")
        return {
            f"tpx3_{key}": {"source": "pure", "dtype": kind, "shape": []}
            for key, kind in zip(_KEYS, kinds, strict=True)
        }


class WholeBeamline(PureBeamline):
    """All that any plan takes."""

    def __init__(self, seed: int = 0, **truth: float) -> None:
        super().__init__(seed, **truth)
        self.detector = StillDetector()
        self.world.energy_kev = 15.0  # type: ignore[attr-defined]
        self.world.threshold = 3.0  # type: ignore[attr-defined]
        self.energy = PureMotor("energy", self.world, "energy_kev")
        self.threshold = PureMotor("threshold", self.world, "threshold")
        self._before = self._settings()

    def _settings(self) -> tuple[float, ...]:
        signals = (self.monitor.count_time, self.detector.num_frames, self.detector.frame_time_s)
        motors = (self.energy, self.threshold)
        return *(float(s.get()) for s in signals), *(m.position for m in motors)

    def unsafe(self) -> list[str]:
        """What is not as a plan should leave it."""
        return [
            what
            for what, wrong in {
                "the shutter is open": self.world.is_open,
                "the monitor is staged": self.monitor.staged,
                "the detector is staged": self.detector.staged,
                "the detector acquires": self.detector.acquiring,
                "settings are not restored": self._settings() != self._before,
            }.items()
            if wrong
        ]


PLANS: dict[str, Callable[[WholeBeamline], Any]] = {
    "find_bragg": lambda b: plans.find_bragg(
        b.monitor, b.theta, span_deg=0.006, centre_deg=11.575, widest_deg=0.0, shutter=b.shutter
    ),
    "rocking_curve": lambda b: plans.rocking_curve(
        b.monitor, b.theta, centre_deg=BRAGG_DEG, num=11, shutter=b.shutter
    ),
    "mosaic_map": lambda b: plans.mosaic_map(
        b.monitor,
        b.theta,
        b.x,
        b.y,
        bragg_deg=BRAGG_DEG,
        x_half=0.25,
        y_half=0.0,
        pitch=0.5,
        num=9,
        refinements=0,
        shutter=b.shutter,
    ),
    "set_detuning": lambda b: plans.set_detuning(b.theta, BRAGG_DEG, 0.04),
    "detuning_scan": lambda b: plans.detuning_scan(
        b.detector,
        b.shutter,
        b.theta,
        results=numbers,
        bragg_deg=BRAGG_DEG,
        detunings_deg=[0.02, 0.03],
        seconds=2.0,
        go=True,
    ),
    "collect_pairs": lambda b: plans.collect_pairs(
        b.detector,
        b.shutter,
        b.theta,
        seconds=4.0,
        frame_s=1.0,
        bragg_deg=BRAGG_DEG,
        monitor=b.monitor,
        recheck_s=2.0,
        flush_s=0.1,
        results=numbers,
    ),
    "calibrate_tot": lambda b: plans.calibrate_tot(
        b.detector, b.energy, b.shutter, energies_kev=[8.0, 12.0]
    ),
    "calibrate_timewalk": lambda b: plans.calibrate_timewalk(b.detector, b.shutter),
    "find_hot_pixels": lambda b: plans.find_hot_pixels(b.detector, b.shutter),
    "threshold_scan": lambda b: plans.threshold_scan(
        b.detector, b.threshold, b.shutter, thresholds=[1.0, 2.0]
    ),
    "find_center": lambda b: plans.find_center(b.detector, b.shutter, bragg_deg=BRAGG_DEG),
    "distance_from_rings": lambda b: plans.distance_from_rings(
        b.detector, b.shutter, b.theta, bragg_deg=BRAGG_DEG, detunings_deg=[0.02, 0.04]
    ),
    "classical_image": lambda b: plans.classical_image(b.detector, b.shutter, photons=10),
    "count_pairs": lambda b: plans.count_pairs(b.detector, b.shutter, bragg_deg=BRAGG_DEG),
}


@dataclass
class Walk:
    """What became of a plan."""

    commands: list[str] = field(default_factory=list)
    error: Exception | None = None
    result: Any = None
    opened: int = 0
    closed: int = 0


def walk_through(plan: Any, cuts: tuple[int, ...] = ()) -> Walk:
    """Go through a plan as a RunEngine would, and end as it does.

    In place of the messages with the indices `cuts` the plan is broken off, as by `RE.abort()`.
    In the end a RunEngine unstages what is staged, closes a run that is open, and stops motors.
    """
    said = Walk()
    staged: list[Any] = []
    # bluesky notes the stack of each stub, which takes longer than everything else together
    with patch.object(traceback, "format_stack", list):
        answer: Any = None
        error: Exception | None = None
        while True:
            try:
                message = plan.throw(error) if error is not None else plan.send(answer)
            except StopIteration as end:
                said.result = end.value
                break
            except Exception as problem:
                said.error = problem
                break
            answer, error = None, None
            said.commands.append(message.command)
            if len(said.commands) - 1 in cuts:
                error = Cut()
                continue
            try:
                answer = _do(message, said.commands)
            except Exception as problem:
                error = problem
                continue
            said.opened += message.command == "open_run"
            said.closed += message.command == "close_run"
            if message.command == "stage":
                staged.append(message.obj)
            elif message.command == "unstage" and message.obj in staged:
                staged.remove(message.obj)
    for device in staged:
        device.unstage()
    said.closed = said.opened if said.opened - said.closed in (0, 1) else said.closed
    return said


def broken_off_at(plan: Any, index: int) -> Any:
    """The same plan for a RunEngine, aborted in place of the message with this index."""
    answer: Any = None
    error: Exception | None = None
    number = 0
    while True:
        try:
            message = plan.throw(error) if error is not None else plan.send(answer)
        except StopIteration as end:
            return end.value
        answer, error = None, None
        if number == index:
            error = RequestAbort("test")
        else:
            try:
                answer = yield message
            except Exception as problem:
                error = problem
        number += 1


def _at_once(work: Callable[[], Any]) -> Iterator[Any]:
    """In place of `in_thread`, whose number of messages depends on the machine."""
    yield from bps.sleep(0.0)
    return work()


@contextlib.contextmanager
def quick_analysis() -> Iterator[None]:
    """No fits that take long, and no threads."""
    with pytest.MonkeyPatch.context() as change:
        change.setattr(rocking_fit, "_fit_darwin", lambda _: (None, math.nan, math.nan))
        for name in (*_EXPOSING, "distance_from_rings"):
            # the package's attribute of this name is the plan
            change.setattr(sys.modules[f"twinbeam.plans.{name}"], "in_thread", _at_once)
        change.setattr(
            sys.modules["twinbeam.plans.distance_from_rings"],
            "ring_of_pairs",
            lambda paths, recipe, pool_px: (
                None,
                SimpleNamespace(
                    detuning_deg=recipe.geometry.detuning_deg, error_deg=1e-4, n_net=1e3
                ),
                recipe,
            ),
        )
        yield


__all__ = [
    "PLANS",
    "Walk",
    "WholeBeamline",
    "broken_off_at",
    "numbers",
    "quick_analysis",
    "walk_through",
]

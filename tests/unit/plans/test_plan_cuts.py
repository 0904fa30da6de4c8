"""However and whenever a plan is broken off, the beamline is left as it should be."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from ophyd import Signal
from pure_beamline import BRAGG_DEG, Cut, PureBeamline, walk

from twinbeam import plans
from twinbeam.errors import BeamlineError
from twinbeam.plans import LiveNumbers, rocking_fit

Make = Callable[[PureBeamline], Any]


def numbers(run: str, net: float = 100.0) -> LiveNumbers:
    """Live results as they might be."""
    return LiveNumbers(run, True, 10.0, 1000, 110, 10.0, 1.0, net, 11.0, 12.0, 10.0, 0.04, 1e-4)


PLANS: dict[str, Make] = {
    "find_bragg": lambda b: plans.find_bragg(
        b.monitor, b.theta, span_deg=0.006, centre_deg=11.575, widest_deg=0.0, shutter=b.shutter
    ),
    "rocking_curve": lambda b: plans.rocking_curve(
        b.monitor, b.theta, centre_deg=BRAGG_DEG, num=11, shutter=b.shutter
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
    "detuning_scan": lambda b: plans.detuning_scan(
        b.detector,
        b.shutter,
        b.theta,
        results=numbers,
        bragg_deg=BRAGG_DEG,
        detunings_deg=[0.02, 0.03, 0.04],
        seconds=2.0,
        go=True,
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
}


@pytest.mark.parametrize("name", PLANS)
def test_a_cut_at_any_message_leaves_the_beamline_safe(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the physical model takes long to fit, and thousands of fits are made here
    monkeypatch.setattr(rocking_fit, "_fit_darwin", lambda _: (None, math.nan, math.nan))
    _, whole = walk(PLANS[name](PureBeamline()))
    assert whole.count("open_run") == whole.count("close_run") > 0
    assert whole.count("stage") == whole.count("unstage") > 0
    for index in range(len(whole)):
        bench = PureBeamline()
        old_count_s = bench.monitor.count_time.get()
        with pytest.raises(Cut):
            walk(PLANS[name](bench), cut_at=index)
        # a cut of the very messages that tidy up leaves the rest of them to do
        tidying = whole[index] in ("unstage", "close_run") or _closes(whole, name, index)
        assert bench.is_safe() or tidying, f"cut at {index}: {whole[index]}"
        if not tidying and whole[index] != "set":
            assert bench.monitor.count_time.get() == old_count_s


def _closes(whole: list[str], name: str, index: int) -> bool:
    """Whether a message is the one that closes the shutter in the end."""
    wanted = []

    def note(plan: Any) -> Any:
        answer = None
        while True:
            try:
                message = plan.send(answer)
            except StopIteration:
                return
            wanted.append(
                getattr(message.obj, "name", "") == "shutter" and "closed" in message.args
            )
            answer = yield message

    walk(note(PLANS[name](PureBeamline())))
    return bool(wanted[index])


@pytest.mark.parametrize("name", ["find_bragg", "rocking_curve", "collect_pairs", "mosaic_map"])
def test_a_stuck_motor_is_named_and_the_shutter_closed(name: str) -> None:
    bench = PureBeamline()
    bench.theta.stuck = True
    with pytest.raises(BeamlineError, match="did not do what it was told: TimeoutError"):
        walk(PLANS[name](bench))
    assert bench.is_safe()


@pytest.mark.parametrize("name", ["find_bragg", "rocking_curve", "mosaic_map"])
def test_no_beam_is_said(name: str) -> None:
    bench = PureBeamline(flux=0.0)
    with pytest.raises(BeamlineError, match=r"is the shutter open"):
        walk(PLANS[name](bench))
    assert bench.is_safe()
    assert bench.world.theta_deg == 11.5


def test_an_acquisition_that_is_ended_from_outside_is_followed_by_another() -> None:
    bench = PureBeamline()
    bench.detector.most_frames = 3
    result, commands = walk(PLANS["collect_pairs"](bench))
    assert result.frames == 4
    assert [each.frames for each in result.acquisitions] == [2, 2]
    bench.detector.most_frames = 1
    result, commands = walk(PLANS["collect_pairs"](bench))
    assert [each.frames for each in result.acquisitions] == [1, 1, 1, 1]
    assert commands.count("declare_stream") == 1


def test_a_detector_that_refuses_is_tried_again_but_not_at_first() -> None:
    bench = PureBeamline()

    def plan(**more: Any) -> Any:
        return plans.collect_pairs(
            bench.detector,
            bench.shutter,
            seconds=4.0,
            bragg_deg=BRAGG_DEG,
            retry_wait_s=0.0,
            **more,
        )

    bench.detector.refusals = 1
    with pytest.raises(BeamlineError, match="refused"):
        walk(plan())
    bench.detector.refusals = 0
    bench.detector.most_frames = 2
    kickoff = bench.detector.kickoff
    calls = iter(range(100))

    def fragile() -> Any:
        if next(calls) in (1, 2):
            bench.detector.refusals = 1
        return kickoff()

    bench.detector.kickoff = fragile  # type: ignore[method-assign]
    result, _ = walk(plan())
    assert result.frames == 4
    assert len(result.acquisitions) == 2
    calls = iter([1, 1, 1, 1, 1, 1])
    bench.detector.refusals = 0
    with pytest.raises(BeamlineError, match="refused"):
        walk(plan(retries=2))
    assert bench.is_safe()


def test_drift_is_followed() -> None:
    bench = PureBeamline()
    plan = plans.collect_pairs(
        bench.detector,
        bench.shutter,
        bench.theta,
        seconds=3.0,
        bragg_deg=BRAGG_DEG - 0.0011,
        monitor=bench.monitor,
        recheck_s=1.0,
    )
    result, _ = walk(plan)
    first, second = result.drifts
    assert first.bragg_deg == pytest.approx(BRAGG_DEG, abs=5.0 * first.error_deg)
    assert first.change_mdeg == pytest.approx(1.1, abs=0.05)
    assert abs(second.change_mdeg) < 0.05
    assert bench.world.theta_deg == pytest.approx(result.bragg_deg + 0.040, abs=2e-6)


def test_the_best_place_of_the_crystal_is_found_and_gone_to() -> None:
    bench = PureBeamline()
    plan = plans.mosaic_map(
        bench.monitor,
        bench.theta,
        bench.x,
        bench.y,
        bragg_deg=BRAGG_DEG,
        pitch=0.5,
        refinements=2,
        count_s=0.5,
        shutter=bench.shutter,
    )
    result, _ = walk(plan)
    assert result.moved
    assert (result.best.x, result.best.y) == pytest.approx((0.6, -0.4), abs=0.13)
    assert (bench.world.x_mm, bench.world.y_mm) == (result.best.x, result.best.y)
    assert bench.world.theta_deg == pytest.approx(bench.world.bragg_deg, abs=5e-5)
    for spot in result.spots:
        bench.world.x_mm, bench.world.y_mm = spot.x, spot.y
        assert spot.bragg_deg == pytest.approx(bench.world.bragg_deg, abs=6 * spot.bragg_err_deg)
    assert bench.is_safe()


def test_a_collection_does_not_begin_without_stored_current() -> None:
    bench = PureBeamline()
    bench.world.theta_deg = 11.5
    current = Signal(name="ring_current", value=0.3)
    ring = type("Ring", (), {"name": "ring", "current": current})
    plan = plans.collect_pairs(
        bench.detector, bench.shutter, bench.theta, seconds=1.0, bragg_deg=BRAGG_DEG, ring=ring
    )
    with pytest.raises(BeamlineError, match=r"0\.3 mA are stored"):
        walk(plan)
    assert bench.world.theta_deg == 11.5


def test_a_motor_that_stops_short_is_noticed() -> None:
    bench = PureBeamline()
    go = bench.theta.set
    bench.theta.set = lambda value: go(min(value, 11.6))  # type: ignore[method-assign]
    with pytest.raises(BeamlineError, match=r"after it was sent to 11\.61600"):
        walk(plans.set_detuning(bench.theta, BRAGG_DEG, 0.040))

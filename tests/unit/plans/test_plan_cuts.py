"""What plans do when the beam, a motor or the detector is not as it should be."""

from __future__ import annotations

from typing import Any

import pytest
from every_plan import PLANS, WholeBeamline
from ophyd import Signal
from pure_beamline import BRAGG_DEG, PureBeamline, walk

from twinbeam import plans
from twinbeam.errors import BeamlineError


@pytest.mark.parametrize("name", ["find_bragg", "rocking_curve", "mosaic_map"])
def test_no_beam_is_said(name: str) -> None:
    bench = WholeBeamline(flux=0.0)
    with pytest.raises(BeamlineError, match=r"is the shutter open"):
        walk(PLANS[name](bench))
    assert bench.is_safe()
    assert bench.world.theta_deg == 11.5


@pytest.mark.parametrize("name", ["find_hot_pixels", "threshold_scan"])
def test_a_shutter_that_somebody_opens_in_the_dark_is_said(name: str) -> None:
    bench = WholeBeamline()
    trigger = bench.detector.trigger

    def opened() -> Any:
        bench.world.is_open = True
        return trigger()

    bench.detector.trigger = opened  # type: ignore[method-assign]
    with pytest.raises(BeamlineError, match=r"'Open' after an exposure that was to be dark"):
        walk(PLANS[name](bench))
    assert not bench.detector.staged


def test_an_acquisition_that_is_ended_from_outside_is_followed_by_another() -> None:
    bench = WholeBeamline()
    bench.detector.most_frames = 3
    result, commands = walk(PLANS["collect_pairs"](bench))
    assert result.frames == 4
    assert [each.frames for each in result.acquisitions] == [2, 2]
    bench.detector.most_frames = 1
    result, commands = walk(PLANS["collect_pairs"](bench))
    assert [each.frames for each in result.acquisitions] == [1, 1, 1, 1]
    assert commands.count("declare_stream") == 1


def losing(bench: PureBeamline, lost: list[int]) -> None:
    """Let the detector drop so many frames of its acquisitions."""
    complete = bench.detector.complete

    def short() -> Any:
        dropped = min(lost.pop(0) if lost else 0, int(bench.detector.num_frames.get()))
        status = complete()
        bench.detector.raw_dropped.put(dropped)
        bench.detector.raw_count.put(int(bench.detector.raw_count.get()) - dropped)
        return status

    bench.detector.complete = short  # type: ignore[method-assign]


def test_frames_that_the_detector_drops_are_told_and_taken_again() -> None:
    bench = PureBeamline()
    losing(bench, [1, 1])
    plan = plans.collect_pairs(bench.detector, bench.shutter, seconds=4.0, bragg_deg=BRAGG_DEG)
    result, _ = walk(plan)
    assert result.frames == 4
    assert [(each.frames, each.dropped) for each in result.acquisitions] == [
        (3, 1),
        (0, 1),
        (1, 0),
    ]
    assert "2 frames; others were taken" in str(result)


def test_a_detector_that_drops_everything_is_not_waited_for_for_ever() -> None:
    bench = PureBeamline()
    losing(bench, [100] * 100)
    plan = plans.collect_pairs(
        bench.detector, bench.shutter, seconds=4.0, bragg_deg=BRAGG_DEG, retries=3
    )
    with pytest.raises(BeamlineError, match="has dropped all frames of 4 acquisitions"):
        walk(plan)
    assert bench.is_safe()


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

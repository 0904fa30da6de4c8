"""The Bragg angle is found from a wrong start, and its rocking curve measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.utils import RunEngineInterrupted

from twinbeam.devices import Beamline
from twinbeam.errors import BeamlineError
from twinbeam.plans import BraggResult, approach, find_bragg, rocking_curve, set_detuning

START_DEG = 11.526
BRAGG_DEG = 11.576


def theta_sets(engine: RunEngine) -> list[float]:
    """Positions that the engine sends theta to from now on."""
    sent: list[float] = []

    def note(message: Any) -> None:
        if message.command == "set" and getattr(message.obj, "name", "") == "gonio_theta":
            sent.append(message.args[0])

    engine.msg_hook = note
    return sent


def test_from_a_start_that_is_wrong_by_a_twentieth_of_a_degree(
    bench: Beamline, engine: RunEngine, documents: list[Any]
) -> None:
    theta, monitor = bench.goniometer.theta, bench.monitor
    old_count_s = monitor.count_time.get()
    # the middle of the search is wrong too
    plan = find_bragg(monitor, theta, centre_deg=START_DEG, shutter=bench.shutter)
    result = engine(plan).plan_result
    assert isinstance(result, BraggResult)
    assert result.angle_deg == pytest.approx(BRAGG_DEG, abs=3e-4)
    assert abs(result.angle_deg - BRAGG_DEG) < 10 * result.angle_err_deg
    assert result.fwhm_mdeg == pytest.approx(3.04, rel=0.05)
    assert result.intensity_hz > 0.9e6
    assert theta.position == pytest.approx(result.angle_deg, abs=2e-6)
    # what was found is what the detuning counts from
    assert bench.goniometer.bragg_found.get()
    assert bench.goniometer.bragg.get() == result.angle_deg
    assert bench.goniometer.detuning.position == pytest.approx(0.0, abs=2e-6)
    assert monitor.count_time.get() == old_count_s
    start, stop = documents[0][1], documents[-1][1]
    assert start["plan_name"] == "find_bragg"
    assert start["hints"] == {"dimensions": [(["gonio_theta"], "primary")]}
    assert stop["exit_status"] == "success"
    assert stop["num_events"] == {"primary": result.points}
    # the last steps were finer than a sixth of the width
    angles = [doc["data"]["gonio_theta"] for name, doc in documents if name == "event"]
    assert 0 < 1e3 * np.median(np.diff(angles[-20:-1])) < 3.04 / 6


def test_a_peak_a_little_outside_the_search_is_followed(bench: Beamline, engine: RunEngine) -> None:
    plan = find_bragg(
        bench.monitor,
        bench.goniometer.theta,
        centre_deg=BRAGG_DEG + 0.0115,
        span_deg=0.02,
        shutter=bench.shutter,
    )
    assert engine(plan).plan_result.angle_deg == pytest.approx(BRAGG_DEG, abs=3e-4)


def test_a_peak_far_outside_the_search_is_found_by_a_wider_one(
    bench: Beamline, engine: RunEngine
) -> None:
    plan = find_bragg(
        bench.monitor,
        bench.goniometer.theta,
        centre_deg=BRAGG_DEG - 0.05,
        span_deg=0.02,
        widest_deg=0.16,
        count_s=0.01,
        shutter=bench.shutter,
    )
    result = engine(plan).plan_result
    assert result.angle_deg == pytest.approx(BRAGG_DEG, abs=6.0 * result.angle_err_deg)
    assert result.searched_deg > 0.03


def test_no_beam_is_said_and_theta_goes_back(
    bench: Beamline, engine: RunEngine, documents: list[Any]
) -> None:
    theta = bench.goniometer.theta
    with pytest.raises(BeamlineError, match=r"nothing stands out .*shutter open"):
        engine(
            find_bragg(bench.monitor, theta, span_deg=0.02, widest_deg=0.04)
        )  # with the shutter closed
    assert theta.position == pytest.approx(START_DEG, abs=1e-6)
    stop = documents[-1][1]
    assert stop["exit_status"] == "fail"
    assert "nothing stands out" in stop["reason"]


def test_the_peak_of_another_place_is_not_taken_for_one_here(
    bench: Beamline, engine: RunEngine
) -> None:
    plan = find_bragg(
        bench.monitor,
        bench.goniometer.theta,
        centre_deg=11.2,
        span_deg=0.02,
        widest_deg=0.0,
        shutter=bench.shutter,
    )
    with pytest.raises(BeamlineError, match="another centre_deg"):
        engine(plan)


def test_centre_and_width_of_the_rocking_curve(
    bench: Beamline, engine: RunEngine, documents: list[Any]
) -> None:
    theta = bench.goniometer.theta
    plan = rocking_curve(bench.monitor, theta, centre_deg=11.5765, shutter=bench.shutter)
    result = engine(plan).plan_result
    assert result.centre_deg == pytest.approx(BRAGG_DEG, abs=5e-5)
    assert result.fwhm_mdeg == pytest.approx(3.04, abs=0.05)
    assert 0 < result.centre_err_deg < 5e-5
    assert 0 < result.fwhm_err_mdeg < 0.05
    assert result.amplitude_hz == pytest.approx(1e6, rel=0.03)
    assert result.moved
    assert result.fit.best.name == "darwin"
    assert result.fit.mosaic_mdeg == pytest.approx(2.7253, abs=6.0 * result.fit.mosaic_err_mdeg)
    assert abs(result.fit.asymmetry) < 5.0 * result.fit.asymmetry_err
    assert len(result.angles_deg) == len(result.rates_hz) == 41
    assert theta.position == pytest.approx(result.centre_deg, abs=2e-6)
    events = [doc["data"] for name, doc in documents if name == "event"]
    assert tuple(data["gonio_theta"] for data in events) == result.angles_deg
    assert tuple(data["monitor_intensity"] for data in events) == result.rates_hz


def test_theta_goes_back_when_the_centre_cannot_be_trusted(
    bench: Beamline, engine: RunEngine
) -> None:
    theta = bench.goniometer.theta
    plan = rocking_curve(
        bench.monitor,
        theta,
        centre_deg=BRAGG_DEG + 0.0045,
        half_width_deg=0.005,
        num=21,
        shutter=bench.shutter,
    )
    result = engine(plan).plan_result
    assert not result.moved
    assert result.doubts
    assert theta.position == pytest.approx(START_DEG, abs=2e-6)


def test_a_rocking_curve_beside_the_peak_says_so(bench: Beamline, engine: RunEngine) -> None:
    plan = rocking_curve(
        bench.monitor, bench.goniometer.theta, centre_deg=11.50, num=9, shutter=bench.shutter
    )
    with pytest.raises(BeamlineError, match=r"no peak .*find_bragg"):
        engine(plan)


@pytest.mark.parametrize(
    ("origin_deg", "way"), [(11.5, [11.616]), (11.8, [11.611, 11.616])], ids=["up", "down"]
)
def test_detuning_comes_from_below(
    bench: Beamline,
    engine: RunEngine,
    wait_until: Any,
    origin_deg: float,
    way: list[float],
) -> None:
    theta = bench.goniometer.theta
    theta.set(origin_deg).wait(20)
    wait_until(lambda: theta.user_setpoint.get() == pytest.approx(origin_deg))
    places: dict[float, None] = {}  # in order; the record tells each twice, put and monitored

    def note(value: float, **_: Any) -> None:
        places[round(float(value), 6)] = None

    number = theta.user_setpoint.subscribe(note, run=False)
    try:
        result = engine(set_detuning(theta, BRAGG_DEG, 0.040)).plan_result
        wait_until(lambda: len(places) >= len(way))
    finally:
        theta.user_setpoint.unsubscribe(number)
    assert list(places) == way
    assert result == pytest.approx(11.616, abs=2e-6)


@pytest.mark.parametrize(
    "plan",
    [
        lambda theta, monitor: set_detuning(theta, 89.9, 0.5),
        lambda theta, monitor: set_detuning(theta, -5.0, 0.001),  # the way from below
        lambda theta, monitor: approach(theta, 90.001),
        lambda theta, monitor: find_bragg(monitor, theta, centre_deg=89.95),
        lambda theta, monitor: rocking_curve(monitor, theta, centre_deg=-4.995),
    ],
)
def test_limits_are_refused_before_a_move(
    bench: Beamline, engine: RunEngine, documents: list[Any], plan: Callable[..., Any]
) -> None:
    theta = bench.goniometer.theta
    sent = theta_sets(engine)
    with pytest.raises(BeamlineError, match="outside its limits"):
        engine(plan(theta, bench.monitor))
    assert sent == []
    assert documents == []
    assert theta.position == pytest.approx(START_DEG, abs=1e-6)


def test_an_abort_closes_the_shutter(
    bench: Beamline,
    engine: RunEngine,
    documents: list[Any],
    wait_until: Any,
    meanwhile: Callable[[Callable[[], None]], None],
) -> None:
    def abort() -> None:
        wait_until(lambda: sum(name == "event" for name, _ in documents) >= 5)
        assert bench.shutter.status.get() == "Open"
        engine.abort("test")

    meanwhile(abort)
    old_count_s = bench.monitor.count_time.get()
    with pytest.raises(RunEngineInterrupted):
        engine(find_bragg(bench.monitor, bench.goniometer.theta, shutter=bench.shutter))
    assert documents[-1][1]["exit_status"] == "abort"
    assert bench.shutter.status.get(use_monitor=False) == "Closed"
    assert bench.monitor.count_time.get() == old_count_s

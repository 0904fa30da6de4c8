"""Plans can be summarised without a RunEngine; then nothing moves and nothing is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bluesky import RunEngine
from bluesky.simulators import check_limits, summarize_plan
from ophyd.sim import SynAxis

from twinbeam import plans
from twinbeam.devices import Beamline
from twinbeam.plans import collect_pairs, find_bragg, rocking_curve, set_detuning

PLANS: dict[str, Callable[[Beamline], Any]] = {
    "find": lambda b: find_bragg(b.monitor, b.goniometer.theta, shutter=b.shutter),
    "rock": lambda b: rocking_curve(
        b.monitor, b.goniometer.theta, centre_deg=11.576, shutter=b.shutter
    ),
    "detune": lambda b: set_detuning(b.goniometer.theta, 11.576, 0.04),
    "collect": lambda b: collect_pairs(
        b.detector,
        b.shutter,
        b.goniometer.theta,
        seconds=10,
        bragg_deg=11.576,
        ring=b.ring,
        monitor=b.monitor,
    ),
}


MORE: dict[str, Callable[[Beamline], Any]] = {
    "count": lambda b: plans.count_pairs(b.detector, b.shutter, bragg_deg=11.576),
    "scan": lambda b: plans.detuning_scan(
        b.detector, b.shutter, b.goniometer.theta, results=lambda _: None, bragg_deg=11.576
    ),
    "map": lambda b: plans.mosaic_map(
        b.monitor, b.goniometer.theta, b.goniometer.x, b.goniometer.y, bragg_deg=11.576
    ),
    "center": lambda b: plans.find_center(b.detector, b.shutter, bragg_deg=11.576),
    "distance": lambda b: plans.distance_from_rings(
        b.detector, b.shutter, b.goniometer.theta, bragg_deg=11.576
    ),
    "hot": lambda b: plans.find_hot_pixels(b.detector, b.shutter),
    "threshold": lambda b: plans.threshold_scan(
        b.detector, SynAxis(name="threshold"), b.shutter, thresholds=[1.0, 2.0]
    ),
    "tot": lambda b: plans.calibrate_tot(b.detector, SynAxis(name="energy"), b.shutter),
    "walk": lambda b: plans.calibrate_timewalk(b.detector, b.shutter),
    "image": lambda b: plans.classical_image(b.detector, b.shutter, photons=100),
}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("count", ["Read ['tpx3']"]),
        ("scan", ["gonio_theta -> 11.586", "shutter -> open", "gonio_theta -> 11.626"]),
        ("map", ["gonio_x -> ", "Read ['monitor', 'gonio_theta'"]),
        ("center", ["Read ['tpx3']"]),
        ("distance", ["gonio_theta -> 11.596", "shutter -> open", "gonio_theta -> 11.616"]),
        ("hot", ["shutter -> closed", "Read ['tpx3']"]),
        ("threshold", ["shutter -> closed", "threshold -> 1.0", "threshold -> 2.0"]),
        ("tot", ["shutter -> open", "energy -> 6.0", "energy -> 6.5", "energy -> 15.0"]),
        ("walk", ["shutter -> open", "Read ['tpx3']", "shutter -> closed"]),
        ("image", ["shutter -> open", "Read ['tpx3']", "shutter -> closed"]),
    ],
)
def test_calibrations_can_be_summarised_too(
    bench: Beamline, capsys: pytest.CaptureFixture[str], name: str, said: list[str]
) -> None:
    before = bench.goniometer.theta.position
    summarize_plan(MORE[name](bench))
    text = capsys.readouterr().out
    places = [text.index(each) for each in said]
    assert places == sorted(places)
    assert bench.goniometer.theta.position == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("find", ["shutter -> open", "gonio_theta -> 11.476", "shutter -> closed"]),
        ("rock", ["shutter -> open", "gonio_theta -> 11.568", "shutter -> closed"]),
        ("detune", ["gonio_theta -> 11.61", "gonio_theta -> 11.616"]),
        ("collect", ["gonio_theta -> 11.616", "shutter -> open", "shutter -> closed"]),
    ],
)
def test_a_summary_tells_the_moves_in_order(
    bench: Beamline, capsys: pytest.CaptureFixture[str], name: str, said: list[str]
) -> None:
    before = bench.goniometer.theta.position
    summarize_plan(PLANS[name](bench))
    text = capsys.readouterr().out
    places = [text.index(each) for each in said]
    assert places == sorted(places)
    assert bench.goniometer.theta.position == before


def test_bluesky_checks_the_limits_of_every_move(bench: Beamline, engine: RunEngine) -> None:
    assert engine.state == "idle"  # check_limits runs in its event loop
    for name in ("find", "rock", "detune"):
        check_limits(
            message
            for message in PLANS[name](bench)
            if getattr(message.obj, "name", "") == "gonio_theta"
        )

"""Plans can be summarised without a RunEngine; then nothing moves and nothing is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bluesky import RunEngine
from bluesky.simulators import check_limits, summarize_plan

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

"""Live results of the service and of this process are the same to a plan."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pure_beamline import BRAGG_DEG, PureBeamline, walk

from twinbeam.errors import BeamlineError
from twinbeam.live import CoincidenceCallback, Health, LiveLink
from twinbeam.pipeline import Pipeline, Recipe, summary
from twinbeam.plans import (
    DetuningStep,
    LiveNumbers,
    best_detuning,
    bind,
    collect_pairs,
    detuning_scan,
    live_results,
)

RESULT = Pipeline(Recipe()).finish()


def numbers(run: str = "a", **values: Any) -> LiveNumbers:
    """Some numbers, all of them good."""
    usual = {
        "final": True, "seconds": 10.0, "photons": 1000, "prompt": 110, "accidental": 10.0,
        "accidental_err": 1.0, "net": 100.0, "net_err": 10.0, "significance": 12.0,
        "s_over_b": 10.0, "detuning_deg": 0.04, "detuning_err_deg": 1e-4,
    }  # fmt: skip
    return LiveNumbers(run, **{**usual, **values})


class Callback:
    """As much of a `CoincidenceCallback` as plans use."""

    def __init__(self) -> None:
        self.latest = (RESULT, Health(run="a", state="running", version=1))


class Link:
    """As much of a `LiveLink` as plans use."""

    def of(self, run: str) -> Any:
        """The newest update."""
        health = Health(run="a", state="complete", version=2, problems=("a file is missing",))
        update = type("Update", (), {"summary": summary(RESULT), "final": True, "health": health})
        return update if run == "a" else None


def test_both_sources_have_what_plans_use() -> None:
    assert hasattr(LiveLink, "of")
    assert hasattr(CoincidenceCallback, "latest")
    in_process, service = live_results(Callback()), live_results(Link())
    ours, theirs = in_process("a"), service("a")
    assert ours is not None
    assert theirs is not None
    assert (ours.final, theirs.final) == (False, True)
    assert theirs.problems == ("a file is missing",)
    assert (ours.net, ours.significance) == (theirs.net, theirs.significance) == (0.0, 0.0)
    assert in_process("another run") is None
    assert service("another run") is None
    assert in_process("a") is ours  # summed up once
    with pytest.raises(BeamlineError, match="gives no live results"):
        live_results(3)


def test_a_handful_of_pairs_has_no_detuning() -> None:
    """The error of such a fit says far too little."""
    values = summary(RESULT)
    estimates = {**values["estimates"], "detuning_deg": 0.0117, "detuning_err_deg": 1e-4}
    for net, known in ((4.0, False), (40.0, True)):
        few = {**values, "pairs": {**values["pairs"], "net": net}, "estimates": estimates}
        assert (LiveNumbers.of_summary("a", few).detuning_deg is not None) is known


def test_the_whole_error_of_the_detuning_has_the_edge_of_the_sensor_in_it() -> None:
    """However many pairs there are: larger rings are seen less often, and nobody corrects that."""
    values = summary(RESULT)
    estimates = {**values["estimates"], "detuning_deg": 0.03994, "detuning_err_deg": 2e-6}
    many = {**values, "pairs": {**values["pairs"], "net": 3e5}, "estimates": estimates}
    found = LiveNumbers.of_summary("a", many)
    assert found.detuning_deg is not None
    assert found.detuning_err_deg == 2e-6
    assert abs(found.detuning_deg - 0.04) < (found.detuning_whole_err_deg or 0.0) < 1e-4


def test_a_real_callback_is_a_source() -> None:
    callback = CoincidenceCallback()
    try:
        assert live_results(callback)("a") is None
    finally:
        callback.close()


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"stop_pairs": 100.0}, "100 net pairs"),
        ({"stop_significance": 12.0}, "12.0 standard deviations"),
        ({"stop_image_sn": 1.0, "image_elements": 100}, "image signal to noise 1.00"),
        ({"stop_relative_error": 0.1}, "net pairs known to 10.0 %"),
        ({"stop_pairs": 101.0}, "its time"),
        ({}, "its time"),
    ],
)
def test_a_collection_ends_with_the_first_rule_that_is_met(rule: dict[str, Any], why: str) -> None:
    bench = PureBeamline()
    bench.detector.most_frames = 1
    ended: list[str] = []
    plan = collect_pairs(
        bench.detector, bench.shutter, seconds=3.0, bragg_deg=BRAGG_DEG, results=numbers, **rule
    )
    complete = bench.detector.complete

    def slow() -> Any:
        status = complete()
        ended.append("one")
        return status

    bench.detector.complete = slow  # type: ignore[method-assign]
    result, _ = walk(plan)
    # this detector is done before anybody looks, so the rule is met at the end of an acquisition
    assert result.numbers == numbers("run 1")
    assert result.why == why
    assert len(ended) == (3 if why == "its time" else 1)


def test_a_rule_without_results_is_refused() -> None:
    bench = PureBeamline()
    with pytest.raises(BeamlineError, match="stop_pairs without live results"):
        next(
            collect_pairs(
                bench.detector, bench.shutter, seconds=3.0, bragg_deg=BRAGG_DEG, stop_pairs=3.0
            )
        )


def test_the_best_detuning_lies_between_steps() -> None:
    def step(detuning_deg: float, quality: float, significance: float = 9.0) -> DetuningStep:
        live = numbers(
            net=quality * 10.0, net_err=10.0 / math.sqrt(10.0), significance=significance
        )
        return DetuningStep(detuning_deg, "run", live)

    true_deg = 0.027
    steps = [step(d, 30.0 - (1e3 * (d - true_deg)) ** 2 / 20.0) for d in (0.01, 0.02, 0.03, 0.04)]
    best_deg, equal_deg = best_detuning(steps)
    assert best_deg == pytest.approx(true_deg, abs=1e-9)
    assert 0.03 in equal_deg
    assert best_detuning([step(0.02, 5.0), step(0.03, 1.0)])[0] == 0.02  # at the end
    assert best_detuning([step(0.02, 5.0, significance=1.0)]) == (None, ())
    assert best_detuning([DetuningStep(0.02, "run", None)]) == (None, ())


def test_a_scan_recommends_and_goes_there() -> None:
    def results(run: str) -> LiveNumbers:
        number = int(run.split()[-1])
        return numbers(run, net=100.0 - 20.0 * abs(number - 2))

    bench = PureBeamline()
    plan = detuning_scan(
        bench.detector,
        bench.shutter,
        bench.theta,
        results=results,
        bragg_deg=BRAGG_DEG,
        detunings_deg=[0.02, 0.03, 0.04],
        seconds=2.0,
        go=True,
    )
    result, commands = walk(plan)
    assert result.best_deg == pytest.approx(0.03)
    assert result.moved
    assert bench.world.theta_deg == pytest.approx(BRAGG_DEG + 0.03, abs=2e-6)
    assert commands.count("open_run") == 4  # three steps and the table
    assert commands.count("save") >= 3
    assert "Best detuning 0.0300 deg; theta stands there" in str(result)


def test_an_argument_can_be_given_for_good() -> None:
    bench = PureBeamline()
    bench.detector.most_frames = 1
    bound = bind(collect_pairs, results=numbers, stop_pairs=1.0)
    result, _ = walk(bound(bench.detector, bench.shutter, seconds=2.0, bragg_deg=BRAGG_DEG))
    assert result.why == "100 net pairs"
    with pytest.raises(BeamlineError, match="no argument nonsense"):
        bind(collect_pairs, nonsense=1)

"""However and whenever any plan is broken off, the beamline is left as it should be.

Every plan is broken off at every message, by itself and once more while it tidies up. With
`TWINBEAM_CUTS=all` a real RunEngine does all of that too; otherwise a few messages of each.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from typing import Any

import pytest
from bluesky import RunEngine
from every_plan import PLANS, WholeBeamline, broken_off_at, quick_analysis, walk_through
from pure_beamline import Cut

from twinbeam import plans
from twinbeam.errors import BeamlineError, RawDataError

ALL = os.environ.get("TWINBEAM_CUTS") == "all"
NO_RUN = {"set_detuning"}
# parts of plans: whoever uses them stages and opens
PARTS = {"approach", "fly_frames", "bind"}


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick_analysis():
        yield


def whole(name: str) -> list[str]:
    """Messages of a plan that nobody breaks off; what has no files to analyse says so."""
    bench = WholeBeamline()
    walked = walk_through(PLANS[name](bench))
    assert walked.error is None or isinstance(walked.error, RawDataError), walked.error
    assert bench.unsafe() == []
    assert (walked.opened == walked.closed > 0) or name in NO_RUN
    return walked.commands


def test_the_table_has_every_plan() -> None:
    there = {n for n in plans.__all__ if inspect.isgeneratorfunction(getattr(plans, n))}
    assert set(PLANS) == there - PARTS


@pytest.mark.parametrize("name", PLANS)
def test_a_cut_at_any_message_leaves_the_beamline_safe(name: str) -> None:
    messages = whole(name)
    for index, message in enumerate(messages):
        bench = WholeBeamline()
        walked = walk_through(PLANS[name](bench), (index,))
        where = f"cut at {index}: {message}"
        assert isinstance(walked.error, Cut | BeamlineError), where
        assert bench.unsafe() == [], where
        assert walked.opened == walked.closed, where


@pytest.mark.parametrize("name", PLANS)
def test_a_second_cut_while_it_tidies_up_changes_nothing(name: str) -> None:
    messages = whole(name)
    for first in range(0, len(messages), 1 if ALL else max(len(messages) // 6, 1)):
        tidying = len(walk_through(PLANS[name](WholeBeamline()), (first,)).commands)
        for second in range(first + 1, tidying):
            bench = WholeBeamline()
            walked = walk_through(PLANS[name](bench), (first, second))
            assert bench.unsafe() == [], f"cut at {first} and {second}"
            assert walked.opened == walked.closed


@pytest.fixture
def engine() -> Iterator[RunEngine]:
    made = RunEngine(context_managers=[], call_returns_result=True)
    thread = made._th
    yield made
    made.loop.call_soon_threadsafe(made.loop.stop)
    thread.join(20.0)
    made.loop.close()


@pytest.mark.parametrize("name", PLANS)
def test_a_real_runengine_ends_the_run_too(engine: RunEngine, name: str) -> None:
    documents: list[tuple[str, dict[str, Any]]] = []
    engine.subscribe(lambda kind, doc: documents.append((kind, doc)))
    messages = whole(name)
    for index in range(0, len(messages), 1 if ALL else max(len(messages) // 3, 1)):
        bench = WholeBeamline()
        documents.clear()
        ended = engine(broken_off_at(PLANS[name](bench), index))
        assert ended.exit_status == "abort"
        where = f"cut at {index}: {messages[index]}"
        assert engine.state == "idle"
        assert bench.unsafe() == [], where
        starts = [doc["uid"] for kind, doc in documents if kind == "start"]
        stops = {doc["run_start"]: doc for kind, doc in documents if kind == "stop"}
        assert starts == list(stops), where
        if starts and "close_run" not in messages[:index]:
            assert stops[starts[0]]["exit_status"] == "abort", where


STUCK = [name for name in PLANS if name.startswith(("find_bragg", "rocking", "mosaic", "set_"))]


@pytest.mark.parametrize("name", [*STUCK, "collect_pairs", "detuning_scan", "distance_from_rings"])
def test_a_stuck_motor_is_named(name: str) -> None:
    bench = WholeBeamline()
    bench.theta.stuck = True
    walked = walk_through(PLANS[name](bench))
    assert "did not do what it was told: TimeoutError" in str(walked.error)
    assert bench.unsafe() == []
    assert walked.opened == walked.closed


@pytest.mark.parametrize("name", ["calibrate_tot", "threshold_scan"])
def test_another_motor_that_is_stuck_is_named(name: str) -> None:
    bench = WholeBeamline()
    bench.energy.stuck = bench.threshold.stuck = True
    walked = walk_through(PLANS[name](bench))
    assert "did not do what it was told: TimeoutError" in str(walked.error)
    assert bench.unsafe() == []


DETECTING = [name for name in PLANS if name not in STUCK]


@pytest.mark.parametrize("name", DETECTING)
def test_a_detector_that_refuses_is_told(name: str) -> None:
    bench = WholeBeamline()
    bench.detector.refusals = 100
    walked = walk_through(PLANS[name](bench))
    assert "refused" in str(walked.error)
    assert bench.unsafe() == []
    assert walked.opened == walked.closed


@pytest.mark.parametrize("name", [name for name in PLANS if name != "set_detuning"])
def test_a_shutter_that_does_not_close_is_told_above_all(name: str) -> None:
    bench = WholeBeamline()
    move = bench.shutter.set

    def stuck_open(value: Any) -> Any:
        if value == "closed":
            bench.theta.stuck = True
            return bench.theta.set(0.0)
        return move(value)

    bench.shutter.set = stuck_open  # type: ignore[method-assign]
    walked = walk_through(PLANS[name](bench))
    assert "did not do what it was told" in str(walked.error)
    if name not in ("find_hot_pixels", "threshold_scan"):
        assert "shutter was not closed" in str(walked.error)
        assert "close it by hand" in str(walked.error)
    assert not bench.detector.staged
    assert walked.opened == walked.closed


@pytest.mark.parametrize("name", ["count_pairs", "calibrate_tot", "find_hot_pixels"])
def test_an_exposure_that_is_ended_from_outside_is_made_again(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = whole(name)
    bench = WholeBeamline()
    bench.detector.most_frames = 1
    walked = walk_through(PLANS[name](bench))
    assert isinstance(walked.error, RawDataError), "the analysis, which finds no files"
    assert walked.commands.count("trigger") == usual.count("trigger") + 1
    assert walked.commands.count("save") == usual.count("save")
    assert "ended from outside after 1 of" in capsys.readouterr().err

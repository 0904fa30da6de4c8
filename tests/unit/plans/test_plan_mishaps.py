"""What goes wrong at night: frames dropped, a monitor that dies, files that cannot be written."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from every_plan import PLANS, WholeBeamline, numbers, quick_analysis, walk_through
from ophyd.status import Status
from pure_beamline import BRAGG_DEG, PureBeamline, walk

from twinbeam import plans
from twinbeam.errors import BeamlineError, RawDataError, StorageError
from twinbeam.pipeline import Recipe
from twinbeam.plans import CollectResult, CountResult, DetuningResult, DetuningStep, Drift
from twinbeam.plans.exposures import say_saved


def failed(error: Exception) -> Status:
    status = Status(timeout=None)
    status.set_exception(error)
    return status


def dropping(bench: WholeBeamline, times: int) -> None:
    """Let the detector drop a frame of its next exposures, as it says that."""
    trigger, left = bench.detector.trigger, [times]

    def lossy() -> Status:
        left[0] -= 1
        if left[0] >= 0:
            words = "file 3 does not exist, and DroppedFrames_RBV is 1: take fewer hits a second"
            return failed(BeamlineError(words, where="TPX3:cam1:RawFilePath"))
        return trigger()

    bench.detector.trigger = lossy  # type: ignore[method-assign]


@pytest.mark.parametrize("name", ["calibrate_tot", "count_pairs", "threshold_scan"])
def test_an_exposure_with_dropped_frames_is_made_again(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with quick_analysis():
        usual = walk_through(PLANS[name](WholeBeamline()))
        bench = WholeBeamline()
        dropping(bench, 2)
        walked = walk_through(PLANS[name](bench))
    assert isinstance(walked.error, RawDataError), "the analysis, which finds no files"
    assert walked.commands.count("trigger") == usual.commands.count("trigger") + 2
    assert walked.commands.count("save") == usual.commands.count("save")
    assert "dropped frames, time 2 of 3" in capsys.readouterr().err
    assert bench.unsafe() == []


def test_a_detector_that_drops_frames_every_time_is_given_up() -> None:
    bench = WholeBeamline()
    dropping(bench, 100)
    walked = walk_through(PLANS["calibrate_tot"](bench))
    assert "has dropped frames of 3 acquisitions" in str(walked.error)
    assert "attenuators" in str(walked.error)
    assert walked.commands.count("trigger") == 3
    assert bench.unsafe() == []


def collect(bench: PureBeamline, **more: Any) -> Any:
    given = {"seconds": 3.0, "bragg_deg": BRAGG_DEG, "monitor": bench.monitor, **more}
    return plans.collect_pairs(bench.detector, bench.shutter, bench.theta, **given)


def test_a_collection_outlives_its_monitor(capsys: pytest.CaptureFixture[str]) -> None:
    """Only the correction of the Bragg angle is missing then, and what is told at the end."""
    bench = PureBeamline()
    count, calls = bench.monitor.trigger, iter(range(100))

    def fragile() -> Status:
        return count() if next(calls) == 0 else failed(TimeoutError("no answer"))

    bench.monitor.trigger = fragile  # type: ignore[method-assign]
    result, commands = walk(collect(bench, recheck_s=1.0))
    assert result.frames == 3
    assert [bool(drift.problem) for drift in result.drifts] == [True, True]
    assert commands.count("save") == 1  # conditions before
    assert bench.world.theta_deg == pytest.approx(BRAGG_DEG + 0.040, abs=2e-6)
    told = capsys.readouterr().err
    assert told.count("Bragg angle not corrected") == 2
    assert "conditions after the frames not known" in told
    assert "checked 2 times (2 in vain)" in told
    assert bench.is_safe()


def test_a_shutter_that_refuses_for_a_while_is_waited_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As after a beam dump, when the ring is back before the interlock is."""
    bench = PureBeamline()
    bench.detector.most_frames = 1
    move, calls = bench.shutter.set, iter(range(100))

    def interlocked(value: str) -> Status:
        if value == "open" and next(calls) in (2, 3):
            return failed(BeamlineError("still 'Closed' 10 s after the command", where="shutter"))
        return move(value)

    bench.shutter.set = interlocked  # type: ignore[method-assign]
    result, _ = walk(collect(bench, retry_wait_s=0.0))
    assert result.frames == 3
    assert capsys.readouterr().err.count("tried again") == 2
    assert bench.is_safe()


def test_looks_at_the_bragg_angle_stay_within_limits_too() -> None:
    bench = PureBeamline()
    bench.theta.limits = (0.0, BRAGG_DEG + 0.005)
    with pytest.raises(BeamlineError, match="outside its limits"):
        next(collect(bench, recheck_s=1.0, detuning_deg=0.002))


def test_the_drift_that_is_told_is_how_far_it_went() -> None:
    changes = (0.3, -0.4, 0.2, 0.0)
    drifts = tuple(Drift(0.0, BRAGG_DEG, 1e-5, change, "") for change in changes)
    told = str(CollectResult("run", "", "", 4, 10, 4.0, drifts=drifts))
    assert "checked 4 times, moved by +0.10 mdeg" in told
    assert "in vain" not in told


EXPOSED = [name for name in PLANS if name != "set_detuning"]


@pytest.mark.parametrize("name", EXPOSED)
def test_every_run_tells_its_recipe_and_versions(name: str) -> None:
    starts = []
    with quick_analysis():
        for message in PLANS[name](WholeBeamline()):
            if message.command == "open_run":
                starts.append(message.kwargs)
    assert starts
    for start in starts:
        assert start["recipe_hash"] == Recipe.from_mapping(start["recipe"], where="test").hash
        assert {"dd", "x_cen", "y_cen", "geometry", "versions"} <= start.keys()
        assert ("Epump" in start) == (name != "calibrate_tot"), "where it is what changes"


def test_a_recipe_that_is_given_is_the_one_that_is_told() -> None:
    b = WholeBeamline()
    given: dict[str, Any] = {"recipe_md": {"geometry": {"energy_kev": 11.0}}}
    for plan in (
        plans.find_bragg(b.monitor, b.theta, **given),
        plans.rocking_curve(b.monitor, b.theta, centre_deg=BRAGG_DEG, **given),
        plans.mosaic_map(b.monitor, b.theta, b.x, b.y, bragg_deg=BRAGG_DEG, **given),
        plans.threshold_scan(b.detector, b.threshold, b.shutter, thresholds=[1.0], **given),
    ):
        (start,) = [message.kwargs for message in plan if message.command == "open_run"]
        assert start["Epump"] == 11.0


def step(detuning_deg: float, net: float | None) -> DetuningStep:
    return DetuningStep(detuning_deg, "run", None if net is None else numbers("run", net))


@pytest.mark.parametrize(
    ("result", "said", "not_said"),
    [
        (
            DetuningResult((step(0.02, 90.0), step(0.03, 100.0), step(0.04, 90.0)), 0.03, (0.03,)),
            "theta stands at 0.0400: %mov detuning 0.0300",
            "end of the scan",
        ),
        (
            DetuningResult((step(0.02, 90.0), step(0.03, 100.0)), 0.03, (0.03,), moved=True),
            "an end of the scan: beyond it may be better",
            "%mov",
        ),
        (DetuningResult((step(0.02, None),), None), "No live results came", "shows pairs"),
        (
            DetuningResult((step(0.02, None), step(0.03, 1.0)), None),
            "No step shows pairs; nothing can be recommended.\nNo live results came at 0.0200 deg",
            "end of the scan",
        ),
    ],
)
def test_a_scan_says_where_theta_is_and_what_is_missing(
    result: DetuningResult, said: str, not_said: str
) -> None:
    assert said in str(result)
    assert not_said not in str(result)


def test_a_detuning_that_was_tried_twice_bends_nothing() -> None:
    steps = [step(0.02, 90.0), step(0.03, 100.0), step(0.03, 101.0), step(0.04, 80.0)]
    assert plans.best_detuning(steps)[0] == 0.03


def test_a_guess_from_few_pairs_is_called_one() -> None:
    live = numbers("run", 5.0)
    few = replace(live, significance=0.5)
    assert "a guess from so few" in str(CountResult("run", few))
    assert "guess" not in str(CountResult("run", live))


def test_an_analysis_that_is_not_through_says_so() -> None:
    told = str(CountResult("run", replace(numbers("run"), final=False)))
    assert "the live analysis is not through" in told
    assert "(not final)" not in told


def test_the_offset_of_the_rings_is_in_degrees_of_the_new_distance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A distance that is wrong by √2 doubles what is measured, the offset too."""
    bench = WholeBeamline()
    plan = sys.modules["twinbeam.plans.distance_from_rings"]

    def ring(paths: Any, recipe: Recipe, pool_px: float) -> Any:
        seen_deg = 2.0 * (recipe.geometry.detuning_deg - 0.0014)
        return None, SimpleNamespace(detuning_deg=seen_deg, error_deg=1e-5, n_net=1e4), recipe

    with quick_analysis():
        monkeypatch.setattr(plan, "ring_of_pairs", ring)
        result = walk_through(PLANS["distance_from_rings"](bench)).result
    assert result.distance_m == pytest.approx(0.494 * 2.0**0.5)
    assert result.offset_deg == pytest.approx(-0.0014)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("find_center", ".yaml"), ("find_hot_pixels", ".npz"), ("classical_image", ".npy")],
)
def test_a_file_that_cannot_be_one_is_refused_at_once(
    tmp_path: Path, name: str, suffix: str
) -> None:
    bench = WholeBeamline()
    folder = tmp_path / f"results{suffix}"
    folder.mkdir()
    more = {"find_center": {"bragg_deg": BRAGG_DEG}, "classical_image": {"photons": 5}}
    for save in (str(folder), str(tmp_path / "results.txt"), str(tmp_path / "no" / folder.name)):
        plan = getattr(plans, name)(bench.detector, bench.shutter, save=save, **more.get(name, {}))
        with pytest.raises(BeamlineError, match="cannot be written"):
            next(plan)


def test_what_was_found_is_said_though_it_cannot_be_saved(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full() -> str:
        raise StorageError("cannot be written: No space left on device", where="recipe.yaml")

    found = plans.HotPixels("run", ((3, 4),), (120.0,), 10.0, 1200, 1.0)
    with pytest.raises(StorageError, match="No space"):
        say_saved(found, "file", full)
    assert "(3, 4) 120/s" in capsys.readouterr().err
    assert say_saved(found, "file", lambda: "hot.npz").file == "hot.npz"

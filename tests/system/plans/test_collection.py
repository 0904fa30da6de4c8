"""Collection of pairs: frames, metadata, and what is left behind when it is broken off."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from bluesky import RunEngine
from bluesky.utils import RunEngineInterrupted
from event_model import unpack_event_page

from twinbeam.devices import Beamline
from twinbeam.errors import BeamlineError
from twinbeam.plans import CollectResult, LiveNumbers, collect_pairs

RECIPE = {"geometry": {"energy_kev": 15.0, "distance_m": 0.494, "centre_px": [258.0, 258.0]}}
ANGLES = {"bragg_deg": 11.576, "detuning_deg": 0.040}


def frames_of(documents: list[Any]) -> list[dict[str, Any]]:
    """Data of all events with frames."""
    return [
        event["data"]
        for name, doc in documents
        if name == "event_page"
        for event in unpack_event_page(doc)
    ]


def files_of(frames: list[dict[str, Any]]) -> list[Path]:
    return [
        Path(unquote(urlsplit(data["tpx3_raw_uri"]).path))
        / data["tpx3_raw_template"].format(data["tpx3_raw_first"])
        for data in frames
    ]


def settings_of(bench: Beamline) -> dict[str, Any]:
    cam = bench.detector.cam
    names = ("image_mode", "acquire_time", "num_images", "raw_path", "raw_template", "write_raw")
    values = {name: getattr(cam, name).get(use_monitor=False) for name in names}
    return values | {"frames": bench.detector.num_frames.get()}


def test_a_collection_from_first_to_last(
    bench: Beamline, engine: RunEngine, documents: list[Any]
) -> None:
    before = settings_of(bench)
    theta = bench.goniometer.theta
    plan = collect_pairs(
        bench.detector,
        bench.shutter,
        theta,
        seconds=1.9,
        frame_s=0.4,
        recipe_md=RECIPE,
        ring=bench.ring,
        monitor=bench.monitor,
        md={"sample": "E. coli"},
        **ANGLES,
    )
    run = engine(plan)
    result = run.plan_result
    assert isinstance(result, CollectResult)
    assert result.run_uid == run.run_start_uids[0]
    assert theta.position == pytest.approx(11.616, abs=2e-6)

    start = documents[0][1]
    expected = {
        "plan_name": "collect_pairs",
        "Epump": 15.0,
        "dd": 49.4,
        "theta": 11.576,
        "del_theta": 0.040,
        "x_cen": 258.0,
        "y_cen": 258.0,
        "sample": "E. coli",
        "num_points": 5,
        "detectors": ["tpx3"],
    }
    assert {key: start[key] for key in expected} == expected
    assert start["recipe"]["geometry"]["detuning_deg"] == 0.040

    frames = frames_of(documents)
    assert [data["tpx3_raw_first"] for data in frames] == list(range(5))  # rounded up
    for path, data in zip(files_of(frames), frames, strict=True):
        assert path.stat().st_size == data["tpx3_raw_bytes"]
        assert path.read_bytes().startswith(b"TPX3")
    assert result.frames == 5
    assert result.seconds == pytest.approx(2.0)
    assert result.raw_bytes == sum(data["tpx3_raw_bytes"] for data in frames)
    assert (result.raw_uri, result.raw_template) == (
        frames[0]["tpx3_raw_uri"],
        frames[0]["tpx3_raw_template"],
    )

    baseline = [doc["data"] for name, doc in documents if name == "event"]
    assert len(baseline) == 2
    for data in baseline:
        assert data["gonio_theta"] == pytest.approx(11.616, abs=2e-6)
        assert data["shutter_status"] == "Open"
        assert data["ring_current"] > 100.0
        assert data["monitor_intensity"] > 0.0
    assert documents[-1][1]["num_events"] == {"conditions": 2, "primary": 5}
    assert settings_of(bench) == before


def test_the_runengine_may_have_a_baseline_of_its_own(
    bench: Beamline, engine: RunEngine, documents: list[Any]
) -> None:
    from bluesky import SupplementalData

    engine.preprocessors.append(SupplementalData(baseline=[bench.ring, bench.goniometer]))
    plan = collect_pairs(bench.detector, bench.shutter, seconds=0.2, frame_s=0.2, **ANGLES)
    engine(plan)
    counts = {"baseline": 2, "conditions": 2, "primary": 1}
    assert documents[-1][1]["num_events"] == counts


def test_an_abort_stops_the_detector_closes_the_shutter_and_keeps_complete_frames(
    bench: Beamline,
    engine: RunEngine,
    documents: list[Any],
    wait_until: Any,
    meanwhile: Callable[[Callable[[], None]], None],
) -> None:
    before = settings_of(bench)

    def abort() -> None:
        wait_until(lambda: len(frames_of(documents)) >= 2)
        engine.abort("enough")

    meanwhile(abort)
    plan = collect_pairs(
        bench.detector, bench.shutter, seconds=60.0, frame_s=0.25, flush_s=0.1, **ANGLES
    )
    with pytest.raises(RunEngineInterrupted):
        engine(plan)
    assert documents[-1][0] == "stop"
    assert documents[-1][1]["exit_status"] == "abort"
    assert bench.shutter.status.get(use_monitor=False) == "Closed"
    assert bench.detector.cam.acquire.get(use_monitor=False) == 0
    # the driver looks at Serval once more after Acquire has fallen
    state = bench.detector.cam.measurement_state
    wait_until(lambda: state.get(use_monitor=False) == "DA_IDLE", 30, "the end of the measurement")
    assert settings_of(bench) == before
    frames = frames_of(documents)
    paths = files_of(frames)
    assert [path.stat().st_size for path in paths] == [d["tpx3_raw_bytes"] for d in frames]
    # every frame but the one that the abort cut short, if one had begun
    written = list(paths[0].parent.glob(frames[0]["tpx3_raw_template"].format(0)[:-11] + "*.tpx3"))
    assert len(frames) >= 2
    assert len(written) - len(frames) in (0, 1)


def test_a_pause_loses_no_frame_and_repeats_none(
    bench: Beamline,
    engine: RunEngine,
    documents: list[Any],
    wait_until: Any,
    meanwhile: Callable[[Callable[[], None]], None],
) -> None:
    def pause() -> None:
        wait_until(lambda: len(frames_of(documents)) >= 1)
        engine.request_pause()

    meanwhile(pause)
    plan = collect_pairs(
        bench.detector, bench.shutter, seconds=5.0, frame_s=0.25, flush_s=0.1, **ANGLES
    )
    with pytest.raises(RunEngineInterrupted):
        engine(plan)
    seen = len(frames_of(documents))
    wait_until(lambda: bench.detector.cam.frame_count.get() >= seen + 2)
    assert len(frames_of(documents)) == seen
    run = engine.resume()
    assert run.plan_result.frames == 20
    assert [data["tpx3_raw_first"] for data in frames_of(documents)] == list(range(20))
    assert documents[-1][1]["exit_status"] == "success"


@pytest.mark.timeout(120)
def test_what_is_enough_before_a_frame_is_complete_waits_for_it(
    bench: Beamline, engine: RunEngine
) -> None:
    """The analysis reads a frame while it is written, so it may know before the frame counts."""
    known = LiveNumbers("", True, 10.0, 100, 100, 1.0, 0.1, 99.0, 10.0, 30.0, 99.0, 0.04, 1e-4)
    plan = collect_pairs(
        bench.detector,
        bench.shutter,
        seconds=60.0,
        frame_s=1.0,
        results=lambda run: known,
        stop_pairs=50.0,
        flush_s=0.05,
        final_s=0.0,
        **ANGLES,
    )
    result = engine(plan).plan_result
    assert "net pairs" in result.why
    assert 1 <= result.frames < 60
    assert len(result.acquisitions) == 1


def test_a_failure_speaks_for_itself_and_cleans_up(
    bench: Beamline, engine: RunEngine, documents: list[Any], tmp_path: Path
) -> None:
    before = settings_of(bench)
    folder = tmp_path / "raw"
    bench.detector.raw_folder.put(str(folder))
    engine.subscribe(lambda *_: shutil.rmtree(folder), "start")
    plan = collect_pairs(bench.detector, bench.shutter, seconds=5.0, frame_s=0.25, **ANGLES)
    try:
        with pytest.raises(BeamlineError, match="Failed to start acquisition") as caught:
            engine(plan)
    finally:
        bench.detector.raw_folder.put("")
    assert caught.value.where == "TPX3-TEST:cam1:Acquire"
    stop = documents[-1][1]
    assert stop["exit_status"] == "fail"
    assert "Failed to start acquisition" in stop["reason"]
    assert bench.shutter.status.get(use_monitor=False) == "Closed"
    assert settings_of(bench) == before


def test_nothing_moves_when_theta_may_not_go_there(
    bench: Beamline, engine: RunEngine, documents: list[Any]
) -> None:
    theta = bench.goniometer.theta
    plan = collect_pairs(
        bench.detector, bench.shutter, theta, seconds=1.0, bragg_deg=89.99, detuning_deg=0.04
    )
    with pytest.raises(BeamlineError, match="outside its limits"):
        engine(plan)
    assert documents == []

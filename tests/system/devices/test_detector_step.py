"""Step mode: one acquisition and one event a trigger."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import bluesky.plans as bp
import pytest
from bluesky import RunEngine

from twinbeam.devices import TimePix3Detector
from twinbeam.devices.raw_files import dated_folder
from twinbeam.errors import BeamlineError

SETTINGS = (
    "image_mode",
    "trigger_mode",
    "acquire_time",
    "acquire_period",
    "num_images",
    "raw_path",
    "raw_template",
    "raw_split",
    "write_raw",
)


def files_of(data: dict[str, Any]) -> list[Path]:
    """The files that an event names."""
    uri = urlsplit(data["tpx3_raw_uri"])
    assert (uri.scheme, uri.netloc) == ("file", "localhost")
    first = data["tpx3_raw_first"]
    return [
        Path(unquote(uri.path)) / data["tpx3_raw_template"].format(index)
        for index in range(first, first + data["tpx3_raw_count"])
    ]


def test_each_event_names_the_files_of_its_own_acquisition(
    detector: TimePix3Detector, engine: RunEngine, documents: list[Any], tmp_path: Path
) -> None:
    engine(bp.count([detector], num=2))
    events = [doc for name, doc in documents if name == "event"]
    assert len(events) == 2
    assert events[0]["data"]["tpx3_raw_template"] != events[1]["data"]["tpx3_raw_template"]
    for event in events:
        data = event["data"]
        paths = files_of(data)
        assert len(paths) == 3
        assert {path.parent for path in paths} == {tmp_path / "raw"}
        assert sum(path.stat().st_size for path in paths) == data["tpx3_raw_bytes"] > 0
        assert all(path.read_bytes().startswith(b"TPX3") for path in paths)
        assert data["tpx3_frame_count"] == 3
        assert event["timestamps"]["tpx3_raw_uri"] == paths[-1].stat().st_mtime
    # no file that no event names
    named = {path for event in events for path in files_of(event["data"])}
    assert set((tmp_path / "raw").glob("*.tpx3")) == named


def test_events_hold_plain_scalars_and_the_configuration_what_serval_ran_with(
    detector: TimePix3Detector, engine: RunEngine, documents: list[Any]
) -> None:
    engine(bp.count([detector]))
    (descriptor,) = (doc for name, doc in documents if name == "descriptor")
    kinds = {key: value["dtype"] for key, value in descriptor["data_keys"].items()}
    assert kinds == {
        "tpx3_raw_uri": "string",
        "tpx3_raw_template": "string",
        "tpx3_raw_first": "integer",
        "tpx3_raw_count": "integer",
        "tpx3_raw_bytes": "integer",
        "tpx3_raw_hits": "integer",
        "tpx3_raw_dropped": "integer",
        "tpx3_frame_count": "integer",
        "tpx3_hit_rate": "number",
    }
    assert all(value["shape"] == [] for value in descriptor["data_keys"].values())
    sources = {key: value["source"] for key, value in descriptor["data_keys"].items()}
    assert sources["tpx3_raw_uri"] == "PV:TPX3-TEST:cam1:RawFilePath"
    assert sources["tpx3_hit_rate"] == "PV:TPX3-TEST:cam1:PelEvtRate_RBV"
    assert descriptor["hints"]["tpx3"] == {"fields": ["tpx3_hit_rate"]}
    configuration = descriptor["configuration"]["tpx3"]["data"]
    assert configuration["tpx3_cam_exposure_s"] == pytest.approx(0.2)
    assert configuration["tpx3_cam_num_triggers"] == 3
    assert configuration["tpx3_cam_trigger_mode_name"] == "CONTINUOUS"
    assert configuration["tpx3_cam_raw_split_name"] == "frame"
    assert configuration["tpx3_cam_chip3_threshold_fine"] > 0
    assert configuration["tpx3_cam_serval_version"]


def test_unstaging_restores_every_setting(detector: TimePix3Detector) -> None:
    def now() -> dict[str, Any]:
        return {name: getattr(detector.cam, name).get(use_monitor=False) for name in SETTINGS}

    before = now()
    detector.stage()
    during = now()
    detector.unstage()
    changed = {name for name in SETTINGS if during[name] != before[name]}
    assert changed >= {"image_mode", "acquire_time", "num_images", "raw_path", "write_raw"}
    assert now() == before


def test_folders_are_dated_when_none_is_given(detector: TimePix3Detector) -> None:
    detector.raw_folder.put("")
    folder = dated_folder(detector.data_root, time.time())
    detector.stage()
    assert folder.is_dir()
    # Serval would not take a second slash
    assert detector.cam.raw_path.get() == f"file:{folder}"


def test_settings_changed_between_triggers_reach_the_detector(
    detector: TimePix3Detector,
) -> None:
    detector.stage()
    detector.trigger().wait(60)
    detector.num_frames.put(2)
    detector.frame_time_s.put(0.1)
    detector.trigger().wait(60)
    assert detector.raw_count.get() == 2
    assert detector.cam.exposure_s.get() == pytest.approx(0.1)


def test_progress_counts_frames(detector: TimePix3Detector) -> None:
    seen: list[dict[str, Any]] = []
    detector.stage()
    status = detector.trigger()
    status.watch(lambda **progress: seen.append(progress))
    status.wait(60)
    counted = [progress["current"] for progress in seen if "current" in progress]
    assert counted == sorted(counted)
    assert counted[-1] == 3
    assert {progress["target"] for progress in seen if "target" in progress} == {3}


def test_timer_mode_runs_with_its_dead_time(detector: TimePix3Detector) -> None:
    detector.trigger_mode.put(4)
    detector.stage()
    detector.trigger().wait(60)
    assert detector.cam.trigger_mode_name.get() == "AUTOTRIGSTART_TIMERSTOP"
    assert detector.cam.period_s.get() == pytest.approx(0.203)
    assert detector.raw_count.get() == 3


def test_a_preview_that_runs_is_stopped_first(detector: TimePix3Detector, wait_until: Any) -> None:
    detector.cam.acquire.put(1, use_complete=False)
    wait_until(lambda: detector.cam.measurement_state.get() == "DA_RECORDING")
    detector.stage()
    detector.trigger().wait(60)
    assert detector.raw_count.get() == 3


def test_it_acquires_only_when_staged_and_once_at_a_time(detector: TimePix3Detector) -> None:
    with pytest.raises(BeamlineError, match="stage it first"):
        detector.trigger()
    detector.stage()
    status = detector.trigger()
    with pytest.raises(BeamlineError, match="acquiring already"):
        detector.trigger()
    status.wait(60)

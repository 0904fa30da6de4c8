"""Failures: said in the detector's own words, and the detector left idle."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bluesky.plans as bp
import pytest
from bluesky import RunEngine
from bluesky.utils import FailedStatus
from ophyd import EpicsSignal

from twinbeam.devices import (
    AcquisitionSettings,
    Patience,
    TimePix3Detector,
    TriggerMode,
    connect,
)
from twinbeam.errors import BeamlineError

MODE = TriggerMode.CONTINUOUS


def collected(detector: TimePix3Detector) -> list[int]:
    """Indices of the files that the detector gives events for now."""
    return [index for page in detector.collect_pages() for index in page["data"]["tpx3_raw_first"]]


def progress_of(detector: TimePix3Detector) -> list[int]:
    """How many frames have ended, told from now on; the counter may still be that of another."""
    told = [0]
    detector.complete().watch(lambda *, current, **_: told.append(current))
    return told


def test_a_refused_start_names_pv_status_and_remedy(
    detector: TimePix3Detector, tmp_path: Path
) -> None:
    detector.stage()
    shutil.rmtree(tmp_path / "raw")
    with pytest.raises(BeamlineError) as caught:
        detector.trigger().wait(60)  # the put itself never completes after a refused start
    error = caught.value
    assert error.where == "TPX3-TEST:cam1:Acquire"
    assert "Failed to start acquisition" in error.what
    assert "HttpCode_RBV 400" in error.what
    assert "does not exist" in error.what  # Serval's own words
    assert error.hint is not None
    # a refused start leaves Acquire at 1 unless somebody writes 0
    assert detector.cam.acquire.get(use_monitor=False) == 0
    # and the next acquisition works
    detector.trigger().wait(60)
    assert detector.raw_count.get() == 3


def test_the_runengine_gets_the_same_words(
    detector: TimePix3Detector, engine: RunEngine, documents: list[Any], tmp_path: Path
) -> None:
    def spoil(name: str, _doc: Any) -> None:
        if name == "start":
            shutil.rmtree(tmp_path / "raw")

    engine.subscribe(spoil)
    with pytest.raises(FailedStatus) as caught:
        engine(bp.count([detector]))
    assert isinstance(caught.value.__cause__, BeamlineError)
    assert "Failed to start acquisition" in str(caught.value.__cause__)
    assert documents[-1][1]["exit_status"] == "fail"
    assert detector.cam.num_images.get() != 3  # unstaged: restored


def test_a_stop_by_somebody_else_is_an_error_and_keeps_complete_frames(
    detector: TimePix3Detector, wait_until: Any
) -> None:
    detector.num_frames.put(50)
    detector.stage()
    detector.kickoff().wait(60)
    ended = progress_of(detector)
    wait_until(lambda: ended[-1] >= 2)
    detector.cam.acquire.put(0, use_complete=False)
    with pytest.raises(BeamlineError, match=r"ended after \d+ of 50 frames"):
        detector.complete().wait(60)
    assert collected(detector)[:2] == [0, 1]


def test_stop_ends_well_and_does_not_name_the_frame_it_cuts_short(
    detector: TimePix3Detector, wait_until: Any, tmp_path: Path
) -> None:
    detector.num_frames.put(50)
    detector.stage()
    detector.kickoff().wait(60)
    ended = progress_of(detector)
    wait_until(lambda: ended[-1] >= 2)
    begun = len(list((tmp_path / "raw").glob("*.tpx3")))
    wait_until(lambda: len(list((tmp_path / "raw").glob("*.tpx3"))) > begun)  # one has just begun
    detector.stop()
    detector.complete().wait(60)
    named = collected(detector)
    on_disk = len(list((tmp_path / "raw").glob("*.tpx3")))
    assert named == list(range(on_disk - 1))
    assert len(named) >= 2
    assert collected(detector) == []


def test_a_file_that_does_not_appear_is_named(
    detector: TimePix3Detector,
    wait_until: Any,
    meanwhile: Callable[[Callable[[], None]], None],
    tmp_path: Path,
) -> None:
    detector.patience = Patience(files_s=0.5)
    detector.num_frames.put(10_000)  # more than anybody waits for
    detector.stage()
    second = detector._files.path(1)

    def lose() -> None:
        wait_until(second.exists)
        second.unlink()

    meanwhile(lose)
    detector.kickoff().wait(60)
    with pytest.raises(BeamlineError, match=f"{second.name} does not exist") as caught:
        detector.complete().wait(60)
    assert caught.value.where == "TPX3-TEST:cam1:RawFilePath"
    assert collected(detector) == [0]


def test_triggers_that_never_come_are_noticed(detector: TimePix3Detector) -> None:
    detector.patience = Patience(stall_s=0.3)
    detector.trigger_mode.put(0)
    detector.stage()
    with pytest.raises(BeamlineError, match=r"no frame ended .* PEXSTART_NEXSTOP"):
        detector.trigger().wait(60)


def test_a_setting_that_serval_does_not_take_is_named(
    detector: TimePix3Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    # our own bounds are the only thing that keeps such a value from the driver, which echoes it
    bad = AcquisitionSettings.model_construct(num_frames=-1, frame_time_s=0.2, trigger_mode=MODE)
    monkeypatch.setattr(TimePix3Detector, "settings", lambda _: bad)
    detector.patience = Patience(settings_s=0.5)
    with pytest.raises(BeamlineError, match="did not take its settings") as caught:
        detector.stage()
    assert caught.value.where == "TPX3-TEST:cam1:nTriggers_RBV"
    assert re.search(r"nTriggers_RBV is \d+ instead of -1", caught.value.what)
    assert caught.value.what.count("instead of") == 1
    assert detector._staged.value == "no"
    assert detector.cam.write_raw.get(use_monitor=False) == 0


@pytest.mark.parametrize(
    ("signal", "value"), [("frame_time_s", 11.0), ("num_frames", 0), ("trigger_mode", 9)]
)
def test_settings_out_of_bounds_change_nothing(
    detector: TimePix3Detector, signal: str, value: float
) -> None:
    getattr(detector, signal).put(value)
    before = detector.cam.image_mode.get()
    with pytest.raises(BeamlineError, match=signal):
        detector.stage()
    assert detector.cam.image_mode.get() == before
    assert detector._staged.value == "no"


def test_a_folder_that_cannot_be_made_stops_staging(
    detector: TimePix3Detector, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    detector.raw_folder.put(str(tmp_path / "file" / "raw"))
    with pytest.raises(BeamlineError, match="cannot be made"):
        detector.stage()
    assert detector._staged.value == "no"
    assert detector.cam.write_raw.get(use_monitor=False) == 0


def test_staging_twice_keeps_what_is_to_be_restored(detector: TimePix3Detector) -> None:
    before = detector.cam.num_images.get()
    detector.stage()
    with pytest.raises(Exception, match="already staged"):
        detector.stage()
    detector.unstage()
    assert detector.cam.num_images.get() == before


def test_an_ioc_that_dies_ends_the_acquisition_and_is_used_again_when_it_is_back(
    beamline: Any, run_iocs: Any, tmp_path: Path, wait_until: Any
) -> None:
    arguments = (
        "detector",
        "--fast",
        f"--port={beamline.spare_ports[0]}",
        "--detector-prefix=MORTAL:",
        f"--beamline=127.0.0.1:{beamline.ports.beamline}",
    )
    detector = TimePix3Detector(
        "MORTAL:",
        name="mortal",
        data_root=tmp_path,
        # so that nothing but the lost connection can end the acquisition in time
        patience=Patience(write_s=5.0, start_s=60.0, stop_s=1.0, stall_s=600.0, files_s=600.0),
    )
    try:
        with run_iocs(*arguments) as (process, _):
            connect(detector, timeout_s=60.0)
            assert detector.cam.health.humidity.get() > 0
            wait_until(detector.healthy.get, 30.0)
            detector.num_frames.put(100)
            detector.frame_time_s.put(0.2)
            detector.stage()
            detector.kickoff().wait(60)
            process.kill()
            with pytest.raises(BeamlineError, match="IOC"):
                detector.complete().wait(120)
            detector.unstage()  # nothing can be restored, but it must not fail either
            assert detector._staged.value == "no"
            wait_until(lambda: not detector.healthy.get(), 30.0)
            assert "does not answer" in detector.complaint.get()
            with pytest.raises(BeamlineError, match="the detector IOC does not answer"):
                detector.stage()
        # nobody does anything but start the IOC again, which has forgotten all settings
        with run_iocs(*arguments):
            wait_until(lambda: detector.cam.connected and detector.healthy.get(), 60.0)
            detector.patience = Patience(
                write_s=30.0, settings_s=30.0, start_s=60.0, stall_s=60.0, files_s=30.0
            )
            detector.num_frames.put(2)
            detector.stage()
            detector.trigger().wait(30)
            assert detector.raw_count.get() == 2
            detector.unstage()
            assert detector.cam.health.humidity.get(use_monitor=False) > 0
    finally:
        detector.destroy()


def test_a_detector_that_was_never_there_is_refused_at_staging(tmp_path: Path) -> None:
    detector = TimePix3Detector("NOWHERE:", name="nowhere", data_root=tmp_path)
    try:
        with pytest.raises(BeamlineError, match=r"NOWHERE:cam1:.*does not answer"):
            detector.stage()
        assert detector._staged.value == "no"
    finally:
        detector.destroy()


def test_a_record_that_cannot_be_written_is_named(detector: TimePix3Detector) -> None:
    class Refusing(EpicsSignal):
        def set(self, *_: Any, **__: Any) -> Any:
            raise TimeoutError("no answer")

    with pytest.raises(BeamlineError, match=r"NumImages.*no answer"):
        detector._arming._write(Refusing("TPX3-TEST:cam1:NumImages", name="num_images"), 3)

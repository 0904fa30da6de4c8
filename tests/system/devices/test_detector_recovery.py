"""The detector when what it was told is changed, forgotten or lost on the way."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from caproto.threading.pyepics_compat import PV
from ophyd import EpicsSignal

from twinbeam.devices import MaskRectangle, Patience, TimePix3Detector, connect
from twinbeam.errors import BeamlineError

WAIT_S = 60.0


def test_what_was_forgotten_since_staging_is_written_again(detector: TimePix3Detector) -> None:
    """An IOC that was started again comes with settings of its own; so may another program."""
    cam = detector.cam
    before = cam.num_images.get(use_monitor=False)
    detector.stage()
    for record, value in (
        (cam.num_images, 9),
        (cam.acquire_time, 0.05),
        (cam.raw_template, "somebody_else_"),
        (cam.write_raw, 0),
        (cam.write_data, 1),
    ):
        record.set(value).wait(WAIT_S)
    detector.trigger().wait(WAIT_S)
    assert detector.raw_count.get() == 3
    folder = Path(detector.raw_folder.get())
    named = {detector.raw_template.get().format(index) for index in range(3)}
    assert {path.name for path in folder.glob("*.tpx3")} == named
    detector.unstage()
    assert cam.num_images.get(use_monitor=False) == before


def test_one_image_at_a_time_does_not_limit_frames(detector: TimePix3Detector) -> None:
    """The driver forces one frame while ImageMode is 0."""
    mode = detector.cam.image_mode
    before = mode.get(use_monitor=False)
    try:
        mode.set(0).wait(WAIT_S)
        detector.stage()
        detector.trigger().wait(WAIT_S)
        assert detector.raw_count.get() == 3
        detector.unstage()
        assert mode.get(use_monitor=False) == 0
    finally:
        mode.set(before).wait(WAIT_S)


def test_a_serval_that_was_started_again_since_staging_is_used(
    detector: TimePix3Detector, wait_until: Any
) -> None:
    """It has forgotten everything; the driver tells it again."""
    cam, down = detector.cam, EpicsSignal("TPX3-TEST:SIM:ServalDown", name="down")
    connect(down, timeout_s=WAIT_S)
    try:
        detector.stage()
        down.put(1, wait=True)
        wait_until(lambda: not cam.serval_connected.get(), WAIT_S, "it is away")
        wait_until(lambda: not detector.healthy.get(), WAIT_S, "it is said")
        down.put(0, wait=True)
        back = lambda: cam.serval_connected.get() and cam.detector_connected.get()  # noqa: E731
        wait_until(back, WAIT_S, "it is back")
        detector.trigger().wait(WAIT_S)
        assert detector.raw_count.get() == 3
    finally:
        down.put(0, wait=True)
        down.destroy()


def test_nobody_writes_over_the_files_of_a_run(
    detector: TimePix3Detector, wait_until: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Serval keeps a raw channel until another channel is on."""
    cam = detector.cam
    try:
        for record, value in ((cam.prvimg.enable, 0), (cam.write_data, 1)):
            record.set(value).wait(WAIT_S)
        detector.stage()
        detector.trigger().wait(WAIT_S)
        detector.patience = Patience(settings_s=1.0)
        detector.unstage()
        assert "it keeps the raw channel until another one" in caplog.text
        folder, template = Path(detector.raw_folder.get()), detector.raw_template.get()
        paths = [folder / template.format(index) for index in range(3)]
        before = [(path.stat().st_mtime_ns, path.read_bytes()) for path in paths]
        cam.num_images.set(2).wait(WAIT_S)
        cam.acquire.put(1, use_complete=False)
        others = lambda: len(list(folder.glob("*.tpx3"))) > len(paths)  # noqa: E731
        wait_until(others, WAIT_S, "somebody else writes")
        cam.acquire.put(0, use_complete=False)
        wait_until(lambda: not cam.acquire.get(use_monitor=False), WAIT_S, "it is idle")
        assert [(path.stat().st_mtime_ns, path.read_bytes()) for path in paths] == before
    finally:
        for record, value in ((cam.prvimg.enable, 1), (cam.write_data, 1)):
            record.set(value).wait(WAIT_S)
    assert cam.write_raw.get(use_monitor=False) == 0


@pytest.mark.parametrize("completes", ["never", "at once"])
def test_the_end_is_seen_whatever_is_told(
    detector: TimePix3Detector, monkeypatch: pytest.MonkeyPatch, completes: str
) -> None:
    """A lost connection takes the completion along; some client libraries take it for one."""
    put = detector.cam.acquire.put

    def without_end(
        value: Any, *, use_complete: bool, callback: Callable[[], None] | None = None, **more: Any
    ) -> None:
        put(value, use_complete=use_complete, **more)
        if callback is not None and completes == "at once":
            callback()

    monkeypatch.setattr(detector.cam.acquire, "put", without_end)
    detector.stage()
    detector.trigger().wait(WAIT_S)
    assert detector.raw_count.get() == 3
    assert detector.raw_dropped.get() == 0


def test_what_the_driver_cuts_off_is_named(detector: TimePix3Detector, tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*(["a" * 200] * 4))
    detector.raw_folder.put(str(folder))
    detector.patience = Patience(settings_s=0.5)
    with pytest.raises(BeamlineError, match=r"cam1:RawFilePath") as caught:
        detector.stage()
    assert caught.value.hint
    assert detector._staged.value == "no"


def test_an_error_of_the_client_library_is_told_as_ours(
    detector: TimePix3Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise BrokenPipeError("gone just now")

    monkeypatch.setattr(detector._arming, "save", broken)
    with pytest.raises(BeamlineError, match=r"TPX3-TEST:cam1:: could not be staged: BrokenPipe"):
        detector.stage()
    assert detector._staged.value == "no"


def test_loaded_voltages_are_what_thresholds_count_from(
    detector: TimePix3Detector, tmp_path: Path
) -> None:
    def numbers() -> list[int]:
        chips = detector.cam.recorded_chips()
        return [int(chip.threshold_fine.get(use_monitor=False)) for chip in chips]

    def load(fine: list[int]) -> None:
        path = tmp_path / "some.dacs"
        path.write_text(json.dumps([{"Vthreshold_fine": number} for number in fine]))
        detector.dacs.set(path).wait(WAIT_S)

    found = numbers()
    detector.threshold.set(4).wait(WAIT_S)
    try:
        load([number + 20 for number in found])
        assert detector.threshold.steps == 0.0
        detector.threshold.set(0).wait(WAIT_S)  # must not undo what was loaded
        assert numbers() == [number + 20 for number in found]
    finally:
        load(found)
    assert numbers() == found


@pytest.fixture
def fresh(beamline: Any, tmp_path: Path) -> Iterator[TimePix3Detector]:
    """A detector device that has connected only what it must; nothing is masked afterwards."""
    path = tmp_path / "none.bpc"
    path.write_bytes(bytes(512 * 512))
    made = TimePix3Detector(beamline.prefixes.detector, name="fresh", data_root=tmp_path)
    connect(made, timeout_s=WAIT_S)
    yield made
    made.bpc.set(path).wait(WAIT_S)
    made.destroy()


def test_an_ioc_that_answers_late_gets_its_upload(
    fresh: TimePix3Detector, beamline: Any, tmp_path: Path
) -> None:
    pixels = np.zeros(512 * 512, np.uint8)
    pixels[:9] = 31
    (tmp_path / "nine.bpc").write_bytes(pixels.tobytes())
    pid = beamline.children["detector"]
    os.kill(pid, signal.SIGSTOP)
    again = threading.Timer(2.5, os.kill, (pid, signal.SIGCONT))
    again.start()
    try:
        fresh.bpc.set(tmp_path / "nine.bpc").wait(WAIT_S)
    finally:
        again.join()
    assert fresh.cam.pixel_config.n_masked.get(use_monitor=False) == 9


def test_an_upload_that_loses_the_connection_says_so(
    fresh: TimePix3Detector, beamline: Any, wait_until: Any, tmp_path: Path
) -> None:
    """The IOC may have forgotten the first half, so it does not go on with the second."""
    fresh.bpc.set(tmp_path / "none.bpc").wait(WAIT_S)
    mask = fresh.cam.mask
    fresh.mask.set([]).wait(WAIT_S)
    pid, port = beamline.children["detector"], beamline.ports.detector
    status = fresh.mask.set([MaskRectangle(x=x, y=3) for x in range(0, 400, 2)])
    wait_until(lambda: mask.min_x.get(use_monitor=False) > 10, WAIT_S, "it draws")
    os.kill(pid, signal.SIGSTOP)
    try:
        for manager in list(PV.default_context().circuit_managers.values()):
            if manager.circuit.address[1] == port:
                manager.socket.shutdown(socket.SHUT_RDWR)
    finally:
        os.kill(pid, signal.SIGCONT)
    with pytest.raises(BeamlineError, match=r"TPX3-TEST:cam1:|connection"):
        status.wait(WAIT_S)
    wait_until(lambda: fresh.connected and mask.min_x.connected, WAIT_S, "it is back")
    fresh.mask.set([MaskRectangle(x=1, y=1, width=2, height=2)]).wait(WAIT_S)
    assert fresh.cam.pixel_config.n_masked.get(use_monitor=False) == 4

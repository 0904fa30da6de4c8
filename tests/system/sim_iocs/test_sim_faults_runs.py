"""Acquisitions that do not go as they should: what clients see, and how they recover."""

from __future__ import annotations

import socket
import threading
import time

import numpy as np
import pytest

from sim_iocs.serval.destination import address_of
from twinbeam.tpx3 import read_hits

_INVALID = 3
_TIME_LOW = 0x44


@pytest.fixture
def light(sim):
    """Beam on the crystal."""
    sim.put("Gon-theta", 11.616)
    sim.put("Sht-Cmd:Opn", 1)


def _start_fails(faulty) -> threading.Event:
    """Start, see it fail and `Acquire` stay, and give the event of its completion."""
    done = faulty.cam.begin("Acquire", 1)
    # the message is gone with the next scan, which a client under load may not see; this stays
    deadline = time.monotonic() + 60.0
    while faulty.severity("Acquire") != _INVALID:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert faulty.cam.get("Acquire_RBV") == 1
    assert faulty.cam.get("AcquireBusy") == 1
    return done


def test_a_refused_start_latches_acquire_until_0_is_written(faulty, tmp_path):
    cam = faulty.cam
    faulty.configure(tmp_path, frames=2)
    faulty.faults.put("StartRefused", 1)
    done = _start_fails(faulty)
    faulty.wait("DetectorState_RBV", "Acquire", text=True)  # after the next good scan
    faulty.faults.put("StartRefused", 0)
    second = cam.begin("Acquire", 1)  # ignored: the driver believes that it acquires
    assert not second.wait(0.5)
    assert list(tmp_path.glob("*.tpx3")) == []
    cam.put("Acquire", 0)
    assert done.wait(60)
    assert second.wait(60)
    assert faulty.severity("Acquire") == 0
    cam.put("Acquire", 1)
    assert cam.get("FrameCnt_RBV") == 2


def test_a_failed_stop_at_the_end_of_a_run_leaves_acquire_at_1(faulty, tmp_path):
    cam = faulty.cam
    faulty.configure(tmp_path, frames=2)
    faulty.faults.put("StopFails", 1)
    with (
        faulty.watched("StatusMessage_RBV", text=True) as message,
        faulty.watched("DetectorState_RBV") as state,
    ):
        done = cam.begin("Acquire", 1)
        message("Failed to stop acquisition")
        state(6)
    faulty.wait("Status_RBV", "DA_IDLE")
    assert cam.get("Acquire_RBV") == 1
    assert not done.is_set()
    faulty.faults.put("StopFails", 0)
    cam.put("Acquire", 0)
    assert done.wait(60)


def test_a_failed_stop_leaves_serval_recording(faulty, tmp_path):
    cam = faulty.cam
    faulty.configure(tmp_path, frames=1000)
    done = cam.begin("Acquire", 1)
    faulty.wait("FrameCnt_RBV", lambda n: n > 0)
    faulty.faults.put("StopFails", 1)
    with faulty.watched("StatusMessage_RBV", text=True) as message:
        cam.put("Acquire", 0)
        message("Failed to stop acquisition")
    assert done.wait(60)
    assert cam.get("Acquire_RBV") == 0
    faulty.wait("Status_RBV", "DA_RECORDING")
    assert cam.get("PipelineState_RBV", text=True) == "DA_RECORDING"
    # the next start ends it first
    faulty.faults.put("StopFails", 0)
    cam.put_all({"NumImages": 1, "Acquire": 1})
    assert cam.get("FrameCnt_RBV") == 1


def test_a_run_that_loses_serval_never_ends_by_itself(faulty, tmp_path):
    cam = faulty.cam
    faulty.configure(tmp_path, frames=1000)
    faulty.faults.put("LostAfter", 0.3)
    done = cam.begin("Acquire", 1)
    faulty.wait("ServalConnected_RBV", 0)
    assert faulty.faults.get("ServalDown") == 1
    assert not done.wait(0.5)
    assert cam.get("Acquire_RBV") == 1
    faulty.faults.put_all({"LostAfter": 0.0, "ServalDown": 0})
    assert done.wait(60)  # Serval is idle, which the driver takes for the end
    assert cam.get("Acquire_RBV") == 0


def test_a_run_that_loses_the_detector_ends(faulty, tmp_path):
    cam = faulty.cam
    faulty.configure(tmp_path, frames=1000)
    done = cam.begin("Acquire", 1)
    faulty.wait("FrameCnt_RBV", lambda n: n > 0)
    faulty.faults.put("DetectorLost", 1)
    assert done.wait(60)
    assert cam.get("FrameCnt_RBV") < 1000
    faulty.wait("StatusMessage_RBV", "Detector disconnected", text=True)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (500, "Measurement HTTP error; acquisition stopped"),
        (200, "Invalid measurement JSON; acquisition stopped"),
    ],
)
def test_a_bad_first_answer_ends_the_poll_but_not_the_run(faulty, tmp_path, code, message):
    cam = faulty.cam
    faulty.configure(tmp_path, frames=1000)
    faulty.faults.put("Refuse", f"GET /measurement {code} nonsense")
    with faulty.watched("StatusMessage_RBV", text=True) as seen:
        done = cam.begin("Acquire", 1)
        seen(message)
    faulty.wait("Status_RBV", "DA_RECORDING")
    assert cam.get("Acquire_RBV") == 1
    cam.put("Acquire", 0)
    assert done.wait(60)


def _preview(faulty) -> str:
    return str(faulty.cam.get("PrvImgFilePath_RBV", text=True))


def test_a_port_that_serval_cannot_have_is_moved(faulty, tmp_path):
    faulty.configure(tmp_path, frames=1)
    faulty.cam.put("Acquire", 1)
    before = _preview(faulty)
    faulty.faults.put("PortInUse", address_of(before).port)
    faulty.cam.put("Acquire", 1)
    assert faulty.cam.get("FrameCnt_RBV") == 1
    assert address_of(_preview(faulty)).port > address_of(before).port
    assert faulty.cam.get("PrvImgFilePath", text=True) != _preview(faulty)


def test_a_port_that_somebody_has_is_moved(faulty, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = f"tcp://listen@localhost:{taken.getsockname()[1]}"
        faulty.cam.put("PrvImgFilePath", place)
        faulty.configure(tmp_path, frames=1)
        faulty.cam.put("Acquire", 1)
        assert faulty.cam.get("FrameCnt_RBV") == 1
        assert _preview(faulty) != place


def test_no_port_at_all_refuses_the_start(faulty, tmp_path, wait_until):
    faulty.configure(tmp_path)
    faulty.faults.put("PortInUse", -1)
    with faulty.watched("HttpCode_RBV") as code:
        done = faulty.cam.begin("Acquire", 1)
        code(400)
    assert "Address already in use" in faulty.cam.get("WriteFileMessage", text=True)
    wait_until(lambda: faulty.severity("Acquire") == _INVALID, what="the alarm")
    faulty.cam.put("Acquire", 0)
    assert done.wait(60)


def test_the_disk_limit_ends_a_run_that_cares(faulty, tmp_path):
    cam = faulty.cam
    cam.put("PrvStpOnDskLim", 1)
    faulty.configure(tmp_path, frames=1000)
    done = cam.begin("Acquire", 1)
    faulty.wait("FrameCnt_RBV", lambda n: n > 0)
    faulty.faults.put("DiskLimit", 1)
    assert done.wait(60)
    faulty.wait("DiskLimReach_RBV", 1)
    assert cam.get("FrameCnt_RBV") < 1000
    cam.put("PrvStpOnDskLim", 0)


def test_the_disk_limit_only_shows_where_nobody_cares(faulty, tmp_path):
    cam = faulty.cam
    faulty.configure(tmp_path, frames=1000)
    faulty.faults.put("DiskLimit", 1)
    done = cam.begin("Acquire", 1)
    faulty.wait("DiskLimReach_RBV", 1)
    assert not done.wait(0.3)
    cam.put("Acquire", 0)
    assert done.wait(60)


def test_dropped_frames_are_counted_and_have_no_files(faulty, tmp_path):
    faulty.configure(tmp_path, frames=5)
    faulty.faults.put("DropEvery", 2)
    faulty.cam.put("Acquire", 1)
    faulty.wait("DroppedFrames_RBV", 2)
    assert faulty.cam.get("FrameCnt_RBV") == 3
    names = [path.name for path in sorted(tmp_path.glob("*.tpx3"))]
    assert names == ["a_000000.tpx3", "a_000002.tpx3", "a_000004.tpx3"]


def test_files_are_missing(faulty, tmp_path):
    faulty.configure(tmp_path, frames=2)
    faulty.faults.put("Files", "missing")
    faulty.cam.put("Acquire", 1)
    assert faulty.cam.get("FrameCnt_RBV") == 2
    assert list(tmp_path.glob("*.tpx3")) == []


def test_files_are_late(faulty, tmp_path, wait_until):
    faulty.configure(tmp_path, frames=2)
    faulty.faults.put_all({"Files": "late", "FileLate": 6.0})
    faulty.cam.put("Acquire", 1)
    assert len(list(tmp_path.glob("*.tpx3"))) < 2
    wait_until(lambda: len(list(tmp_path.glob("*.tpx3"))) == 2, 60, "files")


def test_files_are_truncated(faulty, light, tmp_path):
    faulty.configure(tmp_path, frames=2)
    faulty.faults.put("Files", "truncated")
    faulty.cam.put("Acquire", 1)
    sizes = [path.stat().st_size for path in tmp_path.glob("*.tpx3")]
    assert len(sizes) == 2
    assert all(size % 8 for size in sizes)  # cut in the middle of a word


def test_the_clock_is_reset_once(faulty, light, tmp_path, wait_until):
    faulty.configure(tmp_path, frames=1000)
    done = faulty.cam.begin("Acquire", 1)
    faulty.wait("FrameCnt_RBV", lambda n: n > 0)
    faulty.faults.put("ClockReset", 1)
    wait_until(lambda: faulty.faults.get("ClockReset") == 0, 60, "the end of the fault")
    faulty.cam.put("Acquire", 0)
    assert done.wait(60)
    assert len(read_hits(tmp_path / "a_000000.tpx3")) > 0


@pytest.mark.parametrize("missing", [False, True])
def test_heartbeats_are_missing(faulty, tmp_path, missing):
    faulty.cam.put("GlblTimestampIntvl", 0.01)
    faulty.configure(tmp_path, frames=2)
    faulty.faults.put("NoHeartbeats", int(missing))
    faulty.cam.put("Acquire", 1)
    data = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("*.tpx3")))
    words = np.frombuffer(data, np.uint64)
    assert bool((words >> np.uint64(56) == _TIME_LOW).any()) is not missing
    faulty.cam.put("GlblTimestampIntvl", 0.0)


def test_an_edge_and_another_client_trigger_frames(faulty, tmp_path, wait_until):
    cam, faults = faulty.cam, faulty.faults
    faulty.configure(tmp_path, frames=1)
    for mode, name in ((2, "Trigger"), (6, "SoftTrigger")):
        cam.put("TriggerMode", mode)
        done = cam.begin("Acquire", 1)
        faulty.wait("Status_RBV", "DA_RECORDING")
        assert not done.wait(0.3)
        faults.put(name, 1)
        assert done.wait(60)
        assert cam.get("FrameCnt_RBV") == 1
        faults.put(name, 0)
    assert "No measurement is running" in faults.get("Message", text=True)

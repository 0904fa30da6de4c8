"""Starts that Serval refuses, and how a client recovers."""

from __future__ import annotations

import pytest


@pytest.fixture
def bare(run_iocs, client, beamline, tmp_path):
    """A detector that was just started and told nothing."""
    arguments = [
        "detector",
        "--fast",
        "--init=bare",
        "--detector-prefix=BARE:",
        f"--port={beamline.spare_ports[0]}",
        f"--beamline=127.0.0.1:{beamline.ports.beamline}",
        f"--data-dir={tmp_path}",
    ]
    with run_iocs(*arguments):
        yield client("BARE:cam1:")


def test_missing_folder_is_refused_at_the_start(cam, raw_folder, tmp_path, wait_until):
    raw_folder(frames=1, exposure_s=0.1)
    cam.put_all({"RawFilePath": f"file:{tmp_path}/absent", "WriteData": 1})
    assert cam.get("RawFilePathExists_RBV", text=True) == "No"
    done = cam.begin("Acquire", 1)
    wait_until(lambda: "absent" in cam.get("WriteFileMessage", text=True), what="WriteFileMessage")
    assert "does not exist" in cam.get("WriteFileMessage", text=True)
    # The driver goes on believing that it acquires, and the put hangs.
    assert not done.wait(0.5)
    assert cam.get("Acquire_RBV") == 1
    cam.put("Acquire", 0)
    assert done.wait(60)
    assert cam.get("Acquire_RBV") == 0
    cam.put_all({"RawFilePath": f"file:{tmp_path}", "WriteData": 1})
    cam.put("Acquire", 1)
    assert cam.get("FrameCnt_RBV") == 1


def test_start_without_destination_is_refused(bare, tmp_path, wait_until):
    codes, _ = bare.watch("HttpCode_RBV")
    messages, _ = bare.watch("StatusMessage_RBV", text=True)
    assert bare.get("WriteRaw_RBV") == 0
    assert bare.get("TriggerModeC_RBV") == "PEXSTART_NEXSTOP"
    bare.put_all({"TriggerMode": 5, "AcquireTime": 0.1})
    done = bare.begin("Acquire", 1)
    wait_until(lambda: 409 in codes, what=f"409 in {codes}")
    wait_until(lambda: "Failed to start acquisition" in messages, what=f"{messages}")
    assert bare.get("WriteFileMessage", text=True) == "Destination is not set."
    assert not done.is_set()
    bare.put("Acquire", 0)
    assert done.wait(60)
    bare.put_all({"RawFilePath": f"file:{tmp_path}", "WriteRaw": 1, "WriteData": 1})
    bare.put("Acquire", 1)
    assert bare.get("FrameCnt_RBV") == 1


def test_failed_start_puts_the_record_into_alarm(cam, raw_folder, tmp_path, wait_until):
    raw_folder(frames=1, exposure_s=0.1)
    cam.put_all({"RawFilePath": f"file:{tmp_path}/absent", "WriteData": 1})
    done = cam.begin("Acquire", 1)

    def severity():
        cam.get("Acquire")
        return cam.signal("Acquire").alarm_severity

    wait_until(lambda: severity() == 3, what="INVALID alarm")
    cam.put("Acquire", 0)
    assert done.wait(60)
    assert severity() == 0

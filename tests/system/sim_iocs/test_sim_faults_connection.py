"""Serval or its detector is gone, slow or refuses: what clients see."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

_DISCONNECTED = 9
_MINOR_OR_WORSE, _INVALID = 1, 3


def test_serval_down_shows_and_comes_back_with_the_channels(faulty, tmp_path):
    cam = faulty.cam
    faulty.configure(tmp_path, frames=2)
    faulty.faults.put("ServalDown", 1)
    faulty.wait("ServalConnected_RBV", 0)
    faulty.wait("StatusMessage_RBV", "SERVAL and detector disconnected", text=True)
    faulty.wait("DetectorState_RBV", _DISCONNECTED)
    assert faulty.severity("DetectorState_RBV") == _INVALID
    assert cam.get("DetConnected_RBV") == 0
    assert cam.get("DetType_RBV") == "null"
    assert cam.get("PipelineState_RBV", text=True) == "Unknown"
    faulty.wait("HttpCode_RBV", 0)  # the poll of every 5 s has seen it too
    faulty.faults.put("ServalDown", 0)
    faulty.wait("DetConnected_RBV", 1)
    faulty.wait("DetType_RBV", "Tpx3")
    assert faulty.severity("DetectorState_RBV") == 0
    # readbacks come from a Serval that has forgotten all
    faulty.wait("NumImages_RBV", 1_000_000_000)
    faulty.wait("HttpCode_RBV", 200)
    # the channels were sent again: a start needs them
    cam.put_all({"AcquireTime": 0.1, "NumImages": 2, "Acquire": 1})
    assert cam.get("FrameCnt_RBV") == 2
    assert len(list(tmp_path.glob("a_*.tpx3"))) == 2


def test_a_start_while_serval_is_down_latches_acquire(faulty, tmp_path):
    cam = faulty.cam
    faulty.configure(tmp_path)
    faulty.faults.put("ServalDown", 1)
    faulty.wait("ServalConnected_RBV", 0)
    with faulty.watched("StatusMessage_RBV", text=True) as message:
        done = cam.begin("Acquire", 1)
        message("Failed to start acquisition")
    assert cam.get("WriteFileMessage", text=True) == "Could not connect to server"
    faulty.wait("Acquire_RBV", 1)
    assert not done.is_set()
    with faulty.watched("StatusMessage_RBV", text=True) as message:
        cam.put("Acquire", 0)
        message("Failed to stop acquisition")
    assert done.wait(60)
    assert cam.get("Acquire_RBV") == 0


def test_a_lost_detector_leaves_serval_connected(faulty):
    cam = faulty.cam
    faulty.faults.put("DetectorLost", 1)
    faulty.wait("DetConnected_RBV", 0)
    faulty.wait("StatusMessage_RBV", "Detector disconnected", text=True)
    faulty.wait("WriteFileMessage", "Detector is not connected.", text=True)
    assert cam.get("ServalConnected_RBV") == 1
    assert cam.get("DetType_RBV") == "null"
    assert faulty.severity("DetectorState_RBV") == _INVALID
    faulty.faults.put("DetectorLost", 0)
    faulty.wait("DetConnected_RBV", 1)
    faulty.wait("StatusMessage_RBV", "OK", text=True)


def test_a_slow_serval_makes_writes_slow(faulty):
    faulty.faults.put("Slow", 0.3)
    began = time.monotonic()
    faulty.cam.put("BiasVolt", 91)  # one GET and one PUT
    assert time.monotonic() - began > 0.6
    assert faulty.cam.get("ServalConnected_RBV") == 1
    faulty.faults.put("Slow", 0.0)
    faulty.wait("BiasVolt_RBV", 91)


def test_a_refused_destination_is_no_alarm_but_a_code_and_a_text(faulty, tmp_path):
    cam = faulty.cam
    faulty.faults.put("Refuse", "PUT /server/destination 400 Base is no good")
    with faulty.watched("HttpCode_RBV") as code:
        cam.put_all({"RawFilePath": f"file:{tmp_path}", "WriteRaw": 1, "WriteData": 1})
        code(400)
    assert cam.get("WriteFileMessage", text=True) == "Base is no good"
    assert cam.get("WriteRaw_RBV") == 0
    assert faulty.severity("WriteData") == 0


def test_a_refused_configuration_takes_the_readback_back(faulty):
    cam = faulty.cam
    cam.put("AcquireTime", 0.25)
    faulty.faults.put("Refuse", "PUT /detector/config 500 Internal error")
    with faulty.watched("HttpCode_RBV") as code, faulty.watched("AcquireTime_RBV") as value:
        cam.put("AcquireTime", 0.75)
        code(500)
        value(0.75)  # the driver's echo
    faulty.wait("AcquireTime_RBV", 0.25)
    assert cam.get("AcquireTime") == 0.75
    assert faulty.severity("AcquireTime") < _MINOR_OR_WORSE


def test_a_refused_dashboard_looks_like_a_lost_serval(faulty):
    faulty.faults.put("Refuse", "GET /dashboard 503 Busy")
    faulty.wait("ServalConnected_RBV", 0)
    faulty.wait("HttpCode_RBV", 503)
    assert faulty.severity("DetectorState_RBV") == _INVALID
    faulty.faults.put("Refuse", "")
    faulty.wait("ServalConnected_RBV", 1)
    faulty.wait("StatusMessage_RBV", "OK", text=True)
    assert faulty.severity("DetectorState_RBV") == 0


def test_wrong_values_of_serval_win_over_what_was_written(faulty):
    faulty.cam.put("AcquireTime", 0.25)
    faulty.faults.put("WrongReadback", '{"ExposureTime": 9.0, "TriggerMode": "FOLLOWING"}')
    faulty.wait("ExposureTime_RBV", 9.0)
    faulty.wait("AcquireTime_RBV", 9.0)
    faulty.wait("TriggerModeC_RBV", "FOLLOWING")
    assert faulty.cam.get("AcquireTime") == 0.25


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("Refuse", "PUT /server/destination", "METHOD /path CODE text"),
        ("WrongReadback", '{"Exposure": 9.0}', "unknown field 'Exposure'"),
        ("Slow", -1.0, "below 0"),
    ],
)
def test_a_fault_that_makes_no_sense_is_not_taken(faulty, name, value, message):
    faulty.faults.put(name, value)
    assert message in faulty.faults.get("Message", text=True)
    assert faulty.faults.get(name, text=isinstance(value, str)) in ("", 0.0)
    assert faulty.cam.get("ServalConnected_RBV") == 1


def test_the_command_line_names_the_faults_there_are():
    result = subprocess.run(
        [sys.executable, "-m", "sim_iocs", "detector", "--fault=Serval-Up"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert "ServalDown" in result.stderr

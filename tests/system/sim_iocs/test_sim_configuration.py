"""What reaches Serval when, and what the readbacks show."""

from __future__ import annotations

import pytest


def test_continuous_period_is_the_exposure(cam, wait_until):
    cam.put_all({"TriggerMode": 5, "AcquireTime": 0.25, "AcquirePeriod": 3.0})
    wait_until(lambda: cam.get("TriggerPeriod_RBV") == 0.25, what="TriggerPeriod_RBV")
    assert cam.get("ExposureTime_RBV") == 0.25
    assert cam.get("TriggerModeC_RBV") == "CONTINUOUS"
    wait_until(lambda: cam.get("AcquirePeriod_RBV") == 0.25, what="AcquirePeriod_RBV")
    assert cam.get("AcquirePeriod") == 3.0  # set points do not follow


def test_period_is_clamped_above_the_exposure(cam, wait_until):
    cam.put_all({"TriggerMode": 4, "AcquireTime": 0.5, "AcquirePeriod": 0.1})
    wait_until(
        lambda: cam.get("AcquirePeriod_RBV") == pytest.approx(0.503), what="AcquirePeriod_RBV"
    )
    assert cam.get("TriggerPeriod_RBV") == pytest.approx(0.503)
    assert cam.get("AcquirePeriod") == pytest.approx(0.1)
    assert cam.get("TriggerModeC_RBV") == "AUTOTRIGSTART_TIMERSTOP"


def test_refused_value_is_echoed_and_then_taken_back(cam, wait_until):
    cam.put("AcquireTime", 0.2)
    cam.put("AcquireTime", 11.0)
    assert "ExposureTime 11" in cam.get("WriteFileMessage", text=True)
    wait_until(lambda: cam.get("AcquireTime_RBV") == 0.2, what="AcquireTime_RBV")
    assert cam.get("ExposureTime_RBV") == 0.2


def test_single_image_mode_forces_one_image(cam, wait_until):
    cam.put_all({"ImageMode": 1, "NumImages": 7})
    assert cam.get("NumImages_RBV") == 7
    cam.put("ImageMode", 0)
    assert cam.get("NumImages_RBV") == 1
    cam.put("NumImages", 5)
    assert cam.get("NumImages_RBV") == 1
    wait_until(lambda: cam.get("nTriggers_RBV") == 1, what="nTriggers_RBV")


def test_enum_out_of_range_becomes_the_first(cam):
    cam.put("TriggerMode", 5)
    cam.put("TriggerMode", 12)
    assert cam.get("TriggerMode_RBV") == 0


def test_tdc_edges_wait_for_the_next_push(cam, wait_until):
    cam.put("BiasVolt", 90)
    cam.put("Tdc0", 2)
    assert cam.get("Tdc0_RBV", text=True) == "PN0123"
    assert cam.get("Tdc_RBV") == '["P0123","P0123"]'
    cam.put("BiasVolt", 100)
    wait_until(lambda: cam.get("Tdc_RBV") == '["PN0123","P0123"]', what="Tdc_RBV")
    cam.put_all({"Tdc0": 0, "BiasVolt": 100})


def test_bias_is_measured_while_it_is_on(cam, wait_until):
    cam.put_all({"BiasVolt": 60, "BiasEnbl": 1})
    wait_until(lambda: cam.get("BiasVoltage_RBV") == pytest.approx(60.0, rel=0.01), what="bias")
    cam.put("BiasEnbl", 0)
    wait_until(lambda: cam.get("BiasVoltage_RBV") == 0.0, what="no bias")
    assert cam.get("BiasVolt_RBV") == 60  # the set point stays when the bias is off
    cam.put_all({"BiasVolt": 100, "BiasEnbl": 1})


def test_channels_are_inert_until_pushed(cam, tmp_path):
    cam.put_all({"RawFilePath": f"file:{tmp_path}", "WriteRaw": 1})
    assert cam.get("RawFilePath_RBV", text=True) == f"file:{tmp_path}"
    assert cam.get("WriteRaw_RBV") == 0
    cam.put("WriteData", 1)
    assert cam.get("WriteRaw_RBV") == 1
    assert cam.get("WriteData") == 1  # not reset by the driver
    cam.put("WriteRaw", 0)
    assert cam.get("WriteRaw_RBV") == 1
    cam.put("ApplyConfig", 1)
    assert cam.get("WriteRaw_RBV") == 0
    assert cam.get("ApplyConfig") == 0


def test_pushing_no_channel_keeps_the_old_ones(cam, tmp_path):
    cam.put_all({"RawFilePath": f"file:{tmp_path}", "WriteRaw": 1, "WriteData": 1})
    cam.put_all({"WriteRaw": 0, "WritePrvImg": 0, "WriteData": 1})
    assert cam.get("WriteRaw_RBV") == 1
    assert cam.get("WritePrvImg_RBV") == 1


@pytest.mark.parametrize(
    ("place", "exists", "stream"),
    [
        ("file:{folder}", "Yes", "file:/"),
        ("file:{folder}/absent", "No", "file:/"),
        ("file:/{folder}", "No", "file:/"),  # two slashes are refused
        ("tcp://listen@localhost:8085", "Yes", "tcp://"),
        ("{folder}", "No", "unknown"),
    ],
)
def test_places_are_checked_when_written(cam, tmp_path, place, exists, stream):
    cam.put("RawFilePath", place.format(folder=tmp_path))
    assert cam.get("RawFilePathExists_RBV", text=True) == exists
    assert cam.get("RawStream", text=True) == stream
    severity = cam.signal("RawFilePathExists_RBV").alarm_severity
    cam.signal("RawFilePathExists_RBV").get()
    severity = cam.signal("RawFilePathExists_RBV").alarm_severity
    assert severity == (0 if exists == "Yes" else 2)


def test_long_texts_come_back_whole(cam):
    text = "x" * 200
    cam.put("RawFileTemplate", text)
    assert cam.get("RawFileTemplate_RBV", text=True) == text
    cam.put("RawFileTemplate", "")
    assert cam.get("RawFileTemplate_RBV", text=True) == ""


def test_thresholds_are_per_chip(cam):
    cam.put("CHIP2_Vth_fine", 231)
    assert cam.get("CHIP2_Vth_fine_RBV") == 231
    assert cam.get("CHIP1_Vth_fine_RBV") != 231
    assert cam.get("CHIP3_Temp_RBV") > 30
    assert cam.get("CHIP4_Temp_RBV") == 0


def test_plugin_set_points_are_echoed(client, beamline):
    image = client(f"{beamline.prefixes.detector}image1:")
    image.put("NDArrayPort", "OTHER")
    assert image.get("NDArrayPort_RBV") == "OTHER"
    image.put("NDArrayPort", "TPX3")

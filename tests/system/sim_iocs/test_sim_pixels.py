"""Calibration files, pixel configuration, masks and orientation of the detector."""

from __future__ import annotations

import json

import numpy as np
import pytest

_SIDE = 512
_BAD = 31
_N = 66


@pytest.fixture
def bpc(cam, tmp_path):
    """A pixel configuration with bad pixels, loaded into the chips; afterwards none is bad."""
    pixels = np.zeros(_SIDE * _SIDE, np.uint8)
    pixels[np.random.default_rng(5).choice(pixels.size, _N, replace=False)] = _BAD
    (tmp_path / "some.bpc").write_bytes(pixels.tobytes())
    (tmp_path / "none.bpc").write_bytes(bytes(pixels.size))
    cam.put_all({"BPCFilePath": str(tmp_path), "BPCFileName": "some.bpc"})
    _load(cam)
    yield pixels
    cam.put("FlagMaskSeq", 1)
    cam.put("BPCFileName", "none.bpc")
    _load(cam)
    cam.put("BPCFilePath", "")


def _load(cam, name="WriteBPCFile"):
    done = cam.begin(name, 1)
    # the record stays busy, as in the driver
    assert not done.wait(0.2)
    assert cam.get(name) == 1
    cam.put(name, 0)
    assert done.wait(60)


def _check(cam):
    cam.put("RefreshPixelConfig", 1)
    assert cam.get("RefreshPixelConfig") == 0
    return [
        (cam.get(f"CHIP{n}_PixelConfigMatchBPC_RBV"), cam.get(f"CHIP{n}_PixelConfigLen_RBV"))
        for n in range(5)
    ]


def test_loaded_pixels_match_their_file(cam, bpc, tmp_path):
    assert cam.get("BPCFilePath_RBV", text=True) == f"{tmp_path}/"
    assert _check(cam) == [(1, 65536)] * 4 + [(0, 0)]
    assert cam.get("CHIP0_PixelConfigStatus_RBV", text=True) == "OK, matches BPC"
    assert cam.get("MaskedPelsCount_RBV") == _N
    listed = json.loads((tmp_path / "some_masked_pels.json").read_text())
    assert len(listed["pixels"]) == _N
    assert not cam.get("PixelConfigDiff").any()


def test_another_file_does_not_match(cam, bpc):
    cam.put("BPCFileName", "none.bpc")
    assert {match for match, _ in _check(cam)[:4]} == {0}
    assert cam.get("PixelConfigDiff").sum() == _N
    n_differ = [int(cam.get(f"CHIP{n}_PixelConfigMismatchBytes_RBV")) for n in range(4)]
    assert sum(n_differ) == _N
    cam.put("BPCFileName", "absent.bpc")
    assert _check(cam)[0] == (2, 65536)


def test_a_file_that_is_not_there_is_refused(cam, bpc, wait_until):
    cam.put("BPCFileName", "absent.bpc")
    done = cam.begin("WriteBPCFile", 1)
    wait_until(lambda: "absent" in cam.get("WriteFileMessage", text=True), 60, "message")
    cam.put("WriteBPCFile", 0)
    assert done.wait(60)


def test_a_mask_counts_in_a_rectangle_only(cam, bpc, tmp_path):
    cam.put_all({"MaskMinX": 10, "MaskSizeX": 3, "MaskMinY": 500, "MaskSizeY": 2})
    cam.put("MaskBPCFileName", "")
    cam.put("MaskRectSeq", 1)
    mask = cam.get("MaskBPC").reshape(_SIDE, _SIDE)
    assert mask.sum() == _SIDE * _SIDE - 6
    assert not mask[500:502, 10:13].any()
    assert cam.get("MaskBPCFileName_RBV", text=True) == "mask.bpc"
    written = np.frombuffer((tmp_path / "mask.bpc").read_bytes(), np.uint8)
    # Serval has it: it differs from the calibration
    assert {match for match, _ in _check(cam)[:4]} == {0}
    cam.put("BPCFileName", "mask.bpc")
    assert {match for match, _ in _check(cam)[:4]} == {1}
    assert cam.get("MaskedPelsCount_RBV") == (written & 1).sum()


def test_masks_are_drawn_with_flags_and_processing(cam, bpc):
    cam.put("FlagMaskSeq", 1)
    cam.put("MaskReset", 1)
    cam.put("MaskBPC.PROC", 1)
    assert not cam.get("MaskBPC").any()
    cam.put_all({"MaskReset": 0, "MaskPel": 1})
    cam.put("MaskBPC.PROC", 1)
    assert (cam.get("MaskBPC") == 2).sum() == _N
    cam.put_all({"MaskPel": 0, "MaskOnOff": 1, "MaskCircle": 1})
    cam.put_all({"MaskMinX": 100, "MaskMinY": 50, "MaskRadius": 2})
    cam.put("MaskBPC.PROC", 1)
    mask = cam.get("MaskBPC").reshape(_SIDE, _SIDE)
    assert (mask & 1).sum() == 13
    assert mask[50, 102] & 1
    assert not mask[51, 102] & 1


def test_the_file_is_shown_in_image_order(cam, bpc, tmp_path):
    cam.put("BPC.PROC", 1)
    image = cam.get("BPC")
    assert (image == _BAD).sum() == _N
    assert (cam.get("BPCmasked") == _BAD + 256).sum() == _N
    assert cam.get("BPC_N_RBV") == _N
    cam.put("RefreshPixelConfig", 1)
    listed = json.loads((tmp_path / "some_masked_pels.json").read_text())["pixels"]
    assert sorted(p["y"] * _SIDE + p["x"] for p in listed) == np.flatnonzero(image).tolist()


@pytest.mark.parametrize("index", [1, 6, 3, 4])
def test_the_orientation_is_that_of_serval(cam, index, wait_until):
    labels = ("UP", "RIGHT", "DOWN", "LEFT")
    cam.put("DetOrient", index)
    wait_until(lambda: cam.get("DetOrient_RBV") == index, 60, "DetOrient_RBV")
    expected = labels[index % 4] + ("_MIRRORED" if index > 3 else "")
    assert f"is {expected}." in cam.get("WriteFileMessage", text=True)
    cam.put("DetOrient", 0)


def test_a_threshold_beyond_its_range_is_taken_back(cam, wait_until):
    cam.put("CHIP1_Vth_fine", 250)
    wait_until(lambda: cam.get("CHIP1_Vth_fine_RBV") == 250, 60, "CHIP1_Vth_fine_RBV")
    cam.put("CHIP1_Vth_fine", 600)
    assert "outside 0 to 511" in cam.get("WriteFileMessage", text=True)
    wait_until(lambda: cam.get("CHIP1_Vth_fine_RBV") == 250, 60, "CHIP1_Vth_fine_RBV")


def test_the_measurement_configuration_is_sent_and_read_back(cam, wait_until):
    cam.put("StemScanWidth", 256)
    assert cam.get("HttpCode_RBV") == 200
    wait_until(lambda: cam.get("StemScanWidth_RBV") == 256, 60, "StemScanWidth_RBV")
    cam.put("TofTdcReference", "P0123, N0123")
    wait_until(lambda: cam.get("TofTdcReference_RBV") == "P0123, N0123", 60, "reference")
    cam.put_all({"StemScanWidth": 1024, "TofTdcReference": "PN0123, PN0123"})

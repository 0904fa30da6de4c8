"""Streams that the driver reads: every image, and the histogram of times of flight."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def light(sim):
    """Beam on the crystal, as for pairs."""
    sim.put("Gon-theta", 11.616)
    sim.put("Sht-Cmd:Opn", 1)


@pytest.fixture
def streams(cam, raw_folder):
    """Function that switches a channel on; all is off again afterwards."""
    used = []

    def on(name, frames=4, exposure_s=0.2):
        used.append(name)
        raw_folder(frames=frames, exposure_s=exposure_s)
        cam.put_all({f"Write{name}": 1, "WriteData": 1})
        assert cam.get(f"Write{name}_RBV") == 1

    yield on
    cam.put("Acquire", 0)
    cam.put_all({**{f"Write{name}": 0 for name in used}, "ImgFileMode": 1, "WriteData": 1})


def test_every_image_is_counted_and_goes_to_plugins_at_address_1(
    cam, client, beamline, light, streams, wait_until
):
    image = client(f"{beamline.prefixes.detector}image1:")
    cam.put("ImgFileMode", 0)  # counts
    streams("Img", frames=4)
    image.put("NDArrayAddress", 1)
    try:
        before, passed = cam.get("ArrayCounter_RBV"), image.get("ArrayCounter_RBV")
        cam.put("Acquire", 1)
        assert cam.get("ArrayCounter_RBV") == before + 4
        wait_until(lambda: image.get("ArrayCounter_RBV") == passed + 4, 60, "four images")
        latest = cam.get("ImgImageFrame")
        assert latest.sum() > 1000
        assert np.array_equal(latest, image.get("ArrayData"))
        total = cam.get("ImgImageData")
        assert total.sum() > 3 * latest.sum()
        assert np.array_equal(total, cam.get("ImgImageSumNFrames"))  # fewer than 10 images
        assert cam.get("ImgTotalCounts") == 0  # cleared by the stop
        # the next run counts on: the driver never sets it back
        cam.put("Acquire", 1)
        assert cam.get("ArrayCounter_RBV") == before + 8
    finally:
        image.put("NDArrayAddress", 0)


def test_images_are_not_read_with_accumulation_off(cam, light, streams):
    streams("Img", frames=2)
    cam.put("ImgAccumulationEnable", 0)
    before = cam.get("ArrayCounter_RBV")
    cam.put("Acquire", 1)
    assert cam.get("FrameCnt_RBV") == 2
    assert cam.get("ArrayCounter_RBV") == before
    cam.put("ImgAccumulationEnable", 1)


def test_histograms_are_added_up_until_they_are_reset(cam, streams, wait_until):
    cam.put_all({"PrvHstNumBins": 1000, "PrvHstBinWidth": 1e-6, "PrvPeriod": 0.2})
    cam.put("PrvHstDataReset", 1)
    assert cam.get("PrvHstDataReset") == 0
    streams("PrvHst", frames=4)
    cam.put("Acquire", 1)
    wait_until(lambda: cam.get("PrvHstFrameCount_RBV") > 0, 60, "a histogram")
    assert cam.get("PrvHstFrameBinSize_RBV") == 1000
    assert cam.get("PrvHstBinWidthMs_RBV") == pytest.approx(1e-3)
    axis = cam.get("PrvHstHistogramTimeMs")
    assert axis.size == 1000
    assert axis[0] == pytest.approx(0.5e-3)
    assert axis[-1] == pytest.approx(0.9995)
    cam.put_all({"PrvHstNumBins": 16_000, "PrvPeriod": 1.0, "PrvHstDataReset": 1})
    assert cam.get("PrvHstFrameCount_RBV") == 0

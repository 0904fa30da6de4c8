"""Plugins compute what numpy computes, and treat arrays as areaDetector's do."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from plugin_bench import Bench, on_bench, picture

from sim_iocs.plugins.region import Axis, cut
from sim_iocs.plugins.statistics import basic, centroid, histogram


def _spot(x, y, sigma_x, sigma_y, height=512, width=512):
    columns, rows = np.arange(width), np.arange(height)[:, None]
    return np.exp(-((columns - x) ** 2) / (2 * sigma_x**2) - (rows - y) ** 2 / (2 * sigma_y**2))


# --- numbers ---------------------------------------------------------------------------------


def test_statistics_are_those_of_numpy():
    image = picture()
    image[7, 300] = 900
    found = basic(image, 0)
    assert (found["MaxValue"], found["MaxX"], found["MaxY"]) == (900, 300, 7)
    assert found["MinValue"] == image.min()
    assert image[found["MinY"], found["MinX"]] == image.min()
    assert found["Total"] == found["Net"] == image.sum()
    assert found["MeanValue"] == pytest.approx(image.mean())
    assert found["Sigma"] == pytest.approx(image.std())


def test_net_leaves_the_mean_of_the_border_out():
    image = np.full((10, 20), 3.0)
    image[4:6, 8:10] += 50
    assert basic(image, 2)["Net"] == pytest.approx(200)


def test_centroid_and_shape_of_a_spot():
    found = centroid(1e4 * _spot(200.3, 120.7, 12.0, 6.0), 0.0)
    values = found.values
    assert values["CentroidX"] == pytest.approx(200.3, abs=1e-6)
    assert values["CentroidY"] == pytest.approx(120.7, abs=1e-6)
    assert values["SigmaX"] == pytest.approx(12.0, rel=1e-6)
    assert values["SigmaY"] == pytest.approx(6.0, rel=1e-6)
    for name in ("SkewX", "SkewY", "KurtosisX", "KurtosisY", "SigmaXY", "Orientation"):
        assert values[name] == pytest.approx(0.0, abs=1e-3)
    assert values["Eccentricity"] == pytest.approx((144 - 36) ** 2 / (144 + 36) ** 2, rel=1e-4)
    assert found.profiles[0].argmax() == 200
    assert found.profiles[1].argmax() == 121


def test_threshold_leaves_the_background_out_of_the_centroid():
    image = picture().astype(float)
    image[100:111, 30:41] += 1000
    assert centroid(image, 500).values["CentroidX"] == pytest.approx(35, abs=0.1)
    assert centroid(image, 0).values["CentroidX"] > 200
    assert set(centroid(image, 1e9).values.values()) == {0.0}


def test_histogram_counts_every_element_once():
    image = np.array([[-1, 0, 1, 1], [2, 3, 10, 11]])
    found = histogram(image, 11, 0, 10)
    assert found.counts.tolist() == [1, 2, 1, 1, 0, 0, 0, 0, 0, 0, 1]
    assert (found.below, found.above) == (1, 1)
    assert found.centres[[0, -1]].tolist() == [0, 10]


@pytest.mark.parametrize("bin_px", [1, 3])
@pytest.mark.parametrize("reverse", [False, True])
def test_regions_are_cut_binned_and_mirrored(bin_px, reverse):
    image = picture(shape=(40, 60))
    x = Axis(5, 20, bin_px, reverse).within(60)
    y = Axis(30, 100, bin_px).within(40)
    assert (y.first, y.size) == (30, 10)
    expected = image[30 : 30 + 10 // bin_px * bin_px, 5 : 5 + 20 // bin_px * bin_px]
    rows, columns = (n // bin_px for n in expected.shape)
    expected = expected.reshape(rows, bin_px, columns, bin_px).sum((1, 3))
    expected = expected[:, ::-1] if reverse else expected
    found = cut(image, (x, y), None, np.dtype("uint32"))
    assert found.dtype == np.uint32
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(cut(image, (x, y), 4.0, np.dtype("f8")), expected / 4.0)


# --- records ---------------------------------------------------------------------------------


def test_records_describe_the_latest_array():
    image = picture(shape=(512, 256))

    async def test(bench: Bench) -> None:
        await bench.put("image1:", EnableCallbacks=1)
        await bench.send(image, image)
        for name, value in {
            "ArrayCounter_RBV": 2,
            "UniqueId_RBV": 2,
            "NDimensions_RBV": 2,
            "ArraySize0_RBV": 256,
            "ArraySize1_RBV": 512,
            "Dim1SA_RBV": 512,
            "ArraySize2_RBV": 0,
            "DataType_RBV": 3,
            "EpicsTSSec_RBV": 1_700_000_002 - 631_152_000,
        }.items():
            assert bench.get("image1:", name) == value, name
        np.testing.assert_array_equal(bench.get("image1:", "ArrayData"), image.ravel())
        await bench.put("image1:", ArrayCounter=0)
        assert bench.get("image1:", "ArrayCounter_RBV") == 0

    on_bench(test)


def test_plugins_that_are_off_take_nothing():
    async def test(bench: Bench) -> None:
        await bench.send(picture())
        await bench.put("Stats1:", EnableCallbacks=1)
        await bench.send(picture())
        await bench.put("Stats1:", EnableCallbacks=0)
        await bench.send(picture())
        assert bench.get("Stats1:", "ArrayCounter_RBV") == 1
        assert bench.get("image1:", "ArrayCounter_RBV") == 0

    on_bench(test)


def test_all_that_stats_can_compute():
    image = (1000 * _spot(200, 120, 12.0, 6.0) + 1).astype(np.uint16)

    async def test(bench: Bench) -> None:
        wanted = dict.fromkeys(("Centroid", "Profiles", "Histogram"), 1)
        await bench.put("Stats1:", EnableCallbacks=1, HistMax=1001, CursorX=201, CursorY=119)
        await bench.put("Stats1:", **{f"Compute{name}": value for name, value in wanted.items()})
        await bench.put("Stats1:", CentroidThreshold=2.0)
        await bench.send(image)

        def get(name):
            return bench.get("Stats1:", name)

        assert get("Total_RBV") == image.sum()
        assert get("MaxX_RBV") == 200
        assert get("CentroidX_RBV") == pytest.approx(200, abs=0.01)
        assert get("ProfileSizeX_RBV") == get("MaxSizeX") == 512
        np.testing.assert_array_equal(get("ProfileCentroidX_RBV"), image[120])
        np.testing.assert_array_equal(get("ProfileCursorY_RBV"), image[:, 201])
        np.testing.assert_allclose(get("ProfileAverageY_RBV"), image.mean(1))
        assert get("CursorVal") == image[119, 201]
        assert get("Histogram_RBV").sum() == image.size
        assert get("HistogramX_RBV")[-1] == 1001
        await bench.put("Stats1:", Reset=1)
        assert get("Total_RBV") == 0

    on_bench(test)


def test_a_chain_of_region_and_statistics():
    image = picture()

    async def test(bench: Bench) -> None:
        await bench.put("ROI1:", EnableCallbacks=1, MinX=10, SizeX=20, MinY=500, SizeY=50)
        await bench.put("ROI1:", ReverseX=1, DataTypeOut=5)
        await bench.put("Stats2:", EnableCallbacks=1)
        await bench.send(image)
        part = image[500:512, 10:30]
        assert bench.get("ROI1:", "SizeY_RBV") == 12
        assert bench.get("ROI1:", "MaxSizeX_RBV") == 512
        assert bench.get("ROI1:", "ArraySizeX_RBV") == 20
        assert bench.get("Stats2:", "Total_RBV") == part.sum()
        assert bench.get("Stats2:", "ArraySize0_RBV") == 20
        assert bench.get("Stats2:", "DataType_RBV") == 5
        # another source
        await bench.put("Stats2:", NDArrayPort="TPX3")
        await bench.send(image)
        assert bench.get("Stats2:", "NDArrayPort_RBV") == "TPX3"
        assert bench.get("Stats2:", "Total_RBV") == image.sum()
        # nobody publishes there
        await bench.put("Stats2:", NDArrayAddress=1)
        count = bench.get("Stats2:", "ArrayCounter_RBV")
        await bench.send(image)
        assert bench.get("Stats2:", "ArrayCounter_RBV") == count
        # a region that does not pass arrays on
        await bench.put("Stats2:", NDArrayPort="ROI1", NDArrayAddress=0)
        await bench.put("ROI1:", ArrayCallbacks=0)
        await bench.send(image)
        assert bench.get("Stats2:", "ArrayCounter_RBV") == count

    on_bench(test)


def test_full_queues_lose_arrays_and_count_them():
    async def test(bench: Bench) -> None:
        await bench.put("Stats1:", EnableCallbacks=1, QueueSize=2)
        await bench.send(*(picture() for _ in range(30)), wait=False)
        await bench.plugins.drained()
        taken, lost = (bench.get("Stats1:", n) for n in ("ArrayCounter_RBV", "DroppedArrays_RBV"))
        assert lost > 0
        assert taken + lost == 30
        assert bench.get("Stats1:", "QueueFree") == 2
        # a plugin that holds up the sender loses nothing
        await bench.put("Stats1:", BlockingCallbacks=1, DroppedArrays=0, ArrayCounter=0)
        await bench.send(*(picture() for _ in range(10)), wait=False)
        assert bench.get("Stats1:", "ArrayCounter_RBV") == 10
        assert bench.get("Stats1:", "DroppedArrays_RBV") == 0

    on_bench(test)


def test_arrays_that_come_too_soon_are_left_out():
    async def test(bench: Bench) -> None:
        await bench.put("Stats1:", EnableCallbacks=1, MaxArrayRate=0.001)
        assert bench.get("Stats1:", "MinCallbackTime_RBV") == 1000
        await bench.send(picture(), picture())
        assert bench.get("Stats1:", "ArrayCounter_RBV") <= 1
        await bench.put("Stats1:", MinCallbackTime=-5.0)
        assert bench.get("Stats1:", "MinCallbackTime_RBV") == 0

    on_bench(test)


def test_an_array_can_be_processed_again():
    async def test(bench: Bench) -> None:
        await bench.put("Stats1:", EnableCallbacks=1, ProcessPlugin=1)
        await bench.send(picture())
        await bench.put("Stats1:", ComputeCentroid=1)
        assert bench.get("Stats1:", "CentroidX_RBV") == 0
        await bench.put("Stats1:", ProcessPlugin=1)
        assert bench.get("Stats1:", "CentroidX_RBV") > 0

    on_bench(test)


# --- time series -----------------------------------------------------------------------------


def test_a_time_series_completes_its_put_with_the_last_point():
    images = [picture(n) for n in range(5)]

    async def test(bench: Bench) -> None:
        await bench.put("Stats1:", EnableCallbacks=1)
        await bench.put("Stats1:TS:", TSNumPoints=4)
        acquire = asyncio.create_task(bench.put("Stats1:TS:", TSAcquire=1))
        await asyncio.sleep(0)
        assert bench.get("Stats1:TS:", "TSAcquiring") == 1
        await bench.send(*images[:2])
        await bench.put("Stats1:TS:", TSRead=1)
        assert bench.get("Stats1:", "TSTotal").tolist() == [i.sum() for i in images[:2]]
        assert not acquire.done()
        await bench.send(*images[2:])
        await acquire
        assert bench.get("Stats1:TS:", "TSAcquire") == bench.get("Stats1:TS:", "TSAcquiring") == 0
        assert bench.get("Stats1:TS:", "TSCurrentPoint") == 4
        assert bench.get("Stats1:", "TSTotal").tolist() == [i.sum() for i in images[:4]]
        assert bench.get("Stats1:", "TSMaxValue").tolist() == [i.max() for i in images[:4]]
        assert np.diff(bench.get("Stats1:", "TSTimestamp")).tolist() == [1, 1, 1]

    on_bench(test)


def test_points_of_several_arrays_and_a_series_without_end():
    images = [picture(n) for n in range(6)]
    totals = np.array([image.sum() for image in images])

    async def test(bench: Bench) -> None:
        await bench.put("Stats1:", EnableCallbacks=1)
        await bench.put("Stats1:TS:", TSNumPoints=2, TSTimePerPoint=0.1, TSAveragingTime=0.2)
        await bench.put("Stats1:TS:", TSAcquireMode=1)
        assert bench.get("Stats1:TS:", "TSNumAverage") == 2
        assert bench.get("Stats1:TS:", "TSTimeAxis") == pytest.approx([-0.2, 0.0])
        acquire = asyncio.create_task(bench.put("Stats1:TS:", TSAcquire=1))
        await asyncio.sleep(0)
        await bench.send(*images)
        await bench.put("Stats1:TS:", TSAcquire=0)
        await acquire
        points = totals.reshape(3, 2).mean(1)[1:]
        assert bench.get("Stats1:", "TSTotal") == pytest.approx(points)

    on_bench(test)

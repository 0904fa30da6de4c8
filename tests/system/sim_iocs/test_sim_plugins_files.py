"""The HDF5 plugin writes files that hold the arrays, by areaDetector's rules."""

from __future__ import annotations

import asyncio

import h5py
import numpy as np
import pytest
from plugin_bench import Bench, on_bench, picture

from sim_iocs.plugins.file_names import expand, make_folders

_DATA = "entry/data/data"


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("%s%s_%3.3d.h5", "/a/b_007.h5"),
        ("%s%s.h5", "/a/b.h5"),
        ("%s%s_%6.6lu%%.h5", "/a/b_000007%.h5"),
        ("/c/fixed.h5", "/c/fixed.h5"),
    ],
)
def test_templates_are_those_of_c(template, path):
    assert expand(template, "/a/", "b", 7) == path


@pytest.mark.parametrize("template", ["%d", "%s%s%d%d"])
def test_templates_that_do_not_fit_are_refused(template):
    with pytest.raises(ValueError, match="does not fit"):
        expand(template, "/a/", "b", 7)


def test_only_so_many_folders_are_made(tmp_path):
    make_folders(tmp_path / "a" / "b" / "c", 2)
    assert not (tmp_path / "a").exists()
    make_folders(tmp_path / "a" / "b" / "c", 3)
    assert (tmp_path / "a" / "b" / "c").is_dir()


async def _prepare(bench: Bench, folder, **values) -> None:
    await bench.put("HDF1:", EnableCallbacks=1, FilePath=str(folder), FileName="f")
    await bench.put("HDF1:", FileTemplate="%s%s_%3.3d.h5", **values)


def _get(bench: Bench, name: str):
    return bench.get("HDF1:", name)


def test_a_stream_of_arrays(tmp_path):
    images = [picture(n) for n in range(4)]

    async def test(bench: Bench) -> None:
        await _prepare(bench, tmp_path, FileWriteMode=2, NumCapture=3)
        assert _get(bench, "FilePath_RBV") == f"{tmp_path}/"
        assert _get(bench, "FilePathExists_RBV") == 1
        await bench.send(images[0])
        capture = asyncio.create_task(bench.put("HDF1:", Capture=1))
        while not _get(bench, "Capture_RBV"):
            await asyncio.sleep(0.001)
        await bench.send(*images[1:3])
        assert _get(bench, "NumCaptured_RBV") == 2
        assert not capture.done()
        await bench.send(images[3])
        await capture
        assert _get(bench, "Capture_RBV") == _get(bench, "Capture") == 0
        assert _get(bench, "WriteStatus") == 0
        assert _get(bench, "FullFileName_RBV") == str(tmp_path / "f_001.h5")
        assert _get(bench, "FileNumber") == _get(bench, "FileNumber_RBV") == 2

    on_bench(test)
    with h5py.File(tmp_path / "f_001.h5", locking=False) as file:
        np.testing.assert_array_equal(file[_DATA], images[1:])
        assert file[_DATA] == file["entry/instrument/detector/data"]
        numbers = file["entry/instrument/NDAttributes/NDArrayUniqueId"]
        assert numbers[:].tolist() == [2, 3, 4]
        assert file["entry"].attrs["NX_class"] == "NXentry"


def test_a_stream_needs_an_array_first_unless_it_opens_late(tmp_path):
    async def test(bench: Bench) -> None:
        await _prepare(bench, tmp_path, FileWriteMode=2, NumCapture=0)
        await bench.put("HDF1:", Capture=1)
        assert "must collect an array" in _get(bench, "WriteMessage")
        assert _get(bench, "WriteStatus") == 1
        assert _get(bench, "Capture_RBV") == 0
        await bench.put("HDF1:", LazyOpen=1)
        capture = asyncio.create_task(bench.put("HDF1:", Capture=1))
        while not _get(bench, "Capture_RBV"):
            await asyncio.sleep(0.001)
        await bench.send(picture(1), picture(2))
        await bench.put("HDF1:", Capture=0)
        await capture

    on_bench(test)
    with h5py.File(tmp_path / "f_001.h5", locking=False) as file:
        assert file[_DATA].shape == (2, 512, 512)


def test_others_may_read_while_it_is_written(tmp_path):
    async def test(bench: Bench) -> None:
        await _prepare(bench, tmp_path, FileWriteMode=2, NumCapture=0, SWMRMode=1)
        await bench.send(picture(0))
        capture = asyncio.create_task(bench.put("HDF1:", Capture=1))
        while not _get(bench, "Capture_RBV"):
            await asyncio.sleep(0.001)
        assert _get(bench, "SWMRActive_RBV") == 1
        await bench.send(picture(1))
        with h5py.File(tmp_path / "f_001.h5", swmr=True, locking=False) as file:
            np.testing.assert_array_equal(file[_DATA][0], picture(1))
        await bench.put("HDF1:", Capture=0)
        await capture
        assert _get(bench, "SWMRActive_RBV") == 0

    on_bench(test)


def test_arrays_captured_and_then_written(tmp_path):
    async def test(bench: Bench) -> None:
        await _prepare(bench, tmp_path, FileWriteMode=1, NumCapture=2, Compression=3)
        await bench.send(picture(0))
        capture = asyncio.create_task(bench.put("HDF1:", Capture=1))
        while not _get(bench, "Capture_RBV"):
            await asyncio.sleep(0.001)
        await bench.send(picture(1), picture(2), picture(3))
        await capture
        assert not list(tmp_path.iterdir())
        await bench.put("HDF1:", WriteFile=1)

    on_bench(test)
    with h5py.File(tmp_path / "f_001.h5", locking=False) as file:
        assert file[_DATA].compression == "gzip"
        np.testing.assert_array_equal(file[_DATA], [picture(1), picture(2)])


def test_each_array_to_a_file_of_its_own(tmp_path):
    async def test(bench: Bench) -> None:
        await _prepare(bench, tmp_path, FileWriteMode=0, AutoSave=1, TempSuffix=".part")
        await bench.send(picture(1), picture(2))
        await bench.put("HDF1:", Capture=1)
        assert "not supported in Single mode" in _get(bench, "WriteMessage")

    on_bench(test)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f_001.h5", "f_002.h5"]
    with h5py.File(tmp_path / "f_002.h5", locking=False) as file:
        np.testing.assert_array_equal(file[_DATA], picture(2))


def test_what_cannot_be_written_is_said(tmp_path):
    async def test(bench: Bench) -> None:
        await _prepare(bench, tmp_path / "none", FileWriteMode=2, NumCapture=1)
        assert _get(bench, "FilePathExists_RBV") == 0
        await bench.send(picture(1))
        await bench.put("HDF1:", Capture=1)
        assert _get(bench, "WriteStatus") == 1
        assert "No such file" in _get(bench, "WriteMessage")
        await bench.put("HDF1:", CreateDirectory=-1, FilePath=str(tmp_path / "none"))
        assert _get(bench, "FilePathExists_RBV") == 1
        await bench.put("HDF1:", Compression=5, Capture=1)
        assert "BSLZ4" in _get(bench, "WriteMessage")
        await bench.put("HDF1:", Compression=0)
        capture = asyncio.create_task(bench.put("HDF1:", Capture=1))
        while not _get(bench, "Capture_RBV"):
            await asyncio.sleep(0.001)
        await bench.send(picture(1, (3, 4)))
        await capture
        assert "differs from the first" in _get(bench, "WriteMessage")

    on_bench(test)


def test_the_end_of_the_ioc_finishes_the_file(tmp_path):
    stream = []

    async def test(bench: Bench) -> None:
        await _prepare(bench, tmp_path, FileWriteMode=2, NumCapture=0)
        await bench.send(picture(0))
        stream.append(asyncio.create_task(bench.put("HDF1:", Capture=1)))
        while not _get(bench, "Capture_RBV"):
            await asyncio.sleep(0.001)
        await bench.send(picture(1))

    on_bench(test)
    with h5py.File(tmp_path / "f_001.h5", locking=False) as file:
        np.testing.assert_array_equal(file[_DATA], [picture(1)])

"""The layout of result files."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from twinbeam.errors import StorageError
from twinbeam.pairs import DERIVED_UNITS, Pairs
from twinbeam.photons import Photons
from twinbeam.pipeline import Pipeline, Recipe, Result, write_nexus

UNITS = {
    "dt_ns": b"ns",
    "x1": b"px",
    "e1": b"keV",
    "tot2": b"ns",
    "detuning_deg": b"deg",
    "dp_px": b"px",
    "t": b"1.5625 ns",
}


@pytest.fixture(scope="module")
def file(result: Result, tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("nexus") / "result.h5"
    write_nexus(result, path, sources={"run.tpx3": "abc"})
    assert [p.name for p in path.parent.iterdir()] == ["result.h5"]
    with h5py.File(path) as opened:
        yield opened


def text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def test_pairs_and_photons(file: h5py.File, result: Result) -> None:
    for name, table in (("pairs", result.pairs), ("photons", result.photons)):
        group = file[f"entry/{name}"]
        assert set(group) == set(table.DTYPES)
        for column, values in table.columns().items():
            assert group[column].dtype == values.dtype
            assert np.array_equal(group[column], values)
    for column, unit in UNITS.items():
        assert text(file[f"entry/pairs/{column}"].attrs["units"]) == unit.decode()
    assert set(Pairs.DTYPES) | set(Photons.DTYPES) >= set(UNITS)


def test_images(file: h5py.File, result: Result) -> None:
    images = file["entry/images"]
    names = {"signal", "idler", "idler_sharpened", "coincidence"}
    counts = {"singles"} | names | {f"{name}_accidental" for name in names}
    assert set(images) == counts | {"x_px", "y_px"}
    assert images.attrs["axes"].tolist() == ["y_px", "x_px"]
    assert images["x_px"][:].tolist() == list(range(514))
    for name in counts:
        assert text(images[name].attrs["units"]) == "counts"
        assert images[name].attrs["long_name"]
        assert images[name].dtype == np.int64
        assert images[name].shape == (514, 514)
        assert np.array_equal(images[name], result.arrays[name])
        assert images[name].attrs.get("summed_replicas", 0) == (20 if "accidental" in name else 0)


def test_histograms(file: h5py.File, result: Result) -> None:
    profiles = [("radial_signal", "px"), ("azimuth_idler", "deg")]
    for name, unit in (("dt", "ns"), ("detuning", "deg"), ("detuning_exact", "deg"), *profiles):
        group = file[f"entry/{name}"]
        assert set(group) == {f"edges_{unit}", "prompt", "accidental"}
        assert group[f"edges_{unit}"].shape[0] == group["prompt"].shape[0] + 1
        assert text(group[f"edges_{unit}"].attrs["units"]) == unit
        assert np.array_equal(group["prompt"], result.arrays[name])
        # accidentals are per replica, so that prompt minus accidental is the signal
        assert np.allclose(group["accidental"], result.arrays[f"{name}_accidental"] / 20)


def test_provenance(file: h5py.File, result: Result) -> None:
    entry = file["entry"]
    assert json.loads(text(entry["ledger"][()])) == result.ledger.as_dict()
    recipe = Recipe.from_mapping(json.loads(text(entry["recipe"][()])))
    assert recipe == result.recipe
    assert text(entry["recipe"].attrs["hash"]) == recipe.hash
    assert json.loads(text(entry["sources"][()])) == {"run.tpx3": "abc"}
    assert text(entry["program_name"][()]) == "twinbeam"


def test_maps_and_spectrum(file: h5py.File, result: Result) -> None:
    for name in ("e1_e2", "r1_r2"):
        group = file[f"entry/{name}"]
        assert np.array_equal(group["prompt"], result.arrays[name])
        assert group["prompt"][:].sum() > 0
        for axis, n in zip(group.attrs["axes"], group["prompt"].shape, strict=True):
            assert group[axis].shape == (n + 1,)
    spectrum = file["entry/energy"]
    assert np.array_equal(spectrum["photons"], result.arrays["energy"])


def test_derived_quantities_of_the_pairs(file: h5py.File, result: Result) -> None:
    group = file["entry/pairs_derived"]
    assert set(group) == set(DERIVED_UNITS)
    for name, unit in DERIVED_UNITS.items():
        expected = result.pairs.quantity(name, result.recipe.geometry)
        assert np.array_equal(group[name], expected)
        assert text(group[name].attrs["units"]) == unit


def test_the_estimate(file: h5py.File, result: Result) -> None:
    group = file["entry/estimate"]
    assert group["net"][()] == result.estimate.net
    assert group["significance"][()] == pytest.approx(result.estimate.significance)
    assert "Li and Ma" in text(group["significance"].attrs["formula"])


def test_what_was_asked_for_is_in_the_file(raw: bytes, tmp_path: Path) -> None:
    images = {
        "bin_px": 4,
        "symmetric": True,
        "slices_kev": [0.0, 7.5, 15.0],
        "g2": True,
        "distance": True,
        "profiles": False,
        "correlation_maps": False,
    }
    pipeline = Pipeline(Recipe.from_mapping({"images": images}))
    pipeline.feed(raw)
    result = pipeline.finish()
    write_nexus(result, tmp_path / "all.h5")
    with h5py.File(tmp_path / "all.h5") as opened:
        entry = opened["entry"]
        assert entry["images/singles"].shape == entry["images/idler_symmetric"].shape == (129, 129)
        assert entry["images/x_px"][:3].tolist() == [1.5, 5.5, 9.5]
        assert entry["images/signal_slices"].shape == (2, 129, 129)
        assert entry["images/signal_slices"].attrs["slices_kev"].tolist() == [0.0, 7.5, 15.0]
        assert "radial_signal" not in entry
        assert "e1_e2" not in entry
        assert entry["g2/g2"][5:].mean() == pytest.approx(1.0, abs=0.15)
        assert entry["g2"].attrs["photons_with_too_many_partners"] == 0
        assert entry["distance/probability"].shape == entry["distance/prompt"].shape == (65,)


def test_default_plot_can_be_followed(file: h5py.File) -> None:
    entry = file[text(file.attrs["default"])]
    assert text(entry.attrs["NX_class"]) == "NXentry"
    plot = entry[text(entry.attrs["default"])]
    assert text(plot.attrs["NX_class"]) == "NXdata"
    assert text(plot.attrs["signal"]) in plot
    assert text(plot.attrs["axes"]) in plot


def test_an_empty_result_can_be_written(tmp_path: Path) -> None:
    write_nexus(Pipeline().finish(), tmp_path / "empty.h5")
    with h5py.File(tmp_path / "empty.h5") as opened:
        assert opened["entry/pairs/t"].shape == (0,)
        assert "photons" not in opened["entry"]


def test_an_older_result_is_replaced(result: Result, tmp_path: Path) -> None:
    path = tmp_path / "result.h5"
    path.write_text("old")
    write_nexus(result, path)
    assert h5py.is_hdf5(path)


@pytest.mark.parametrize("name", ["missing/result.h5", "file/result.h5", "folder"])
def test_an_unwritable_path_is_a_storage_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="cannot write the result") as caught:
        write_nexus(Pipeline().finish(), tmp_path / name)
    assert caught.value.where == str(tmp_path / name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


FULL_DISK = """
import resource, signal, sys
from twinbeam.errors import StorageError
from twinbeam.pipeline import Pipeline, write_nexus
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
result = Pipeline().finish()
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    write_nexus(result, sys.argv[1])
except StorageError as error:
    sys.exit(7 if error.where == sys.argv[1] else 8)
"""


@pytest.mark.parametrize("room", [0, 5_000, 15_000])
def test_a_full_disk_is_a_storage_error(tmp_path: Path, room: int) -> None:
    path = tmp_path / "result.h5"
    path.write_text("old")
    ended = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path), str(room)],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 7, ended.stderr
    assert ended.returncode != -signal.SIGXFSZ
    assert [p.name for p in tmp_path.iterdir()] == ["result.h5"]
    assert path.read_text() == "old"


INTERRUPTED = """
import signal, sys
from twinbeam.pipeline import Pipeline, write_nexus
signal.signal(signal.SIGINT, signal.default_int_handler)
write_nexus(Pipeline().finish(), sys.argv[1])
"""


def test_an_interrupt_in_the_middle_of_the_file_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "result.h5"
    path.write_text("old")
    os.mkfifo(tmp_path / "result.h5.part")  # takes 64 KiB, then whoever writes has to wait
    reader = os.open(tmp_path / "result.h5.part", os.O_RDONLY | os.O_NONBLOCK)
    writer = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(path)],
        env={"PYTHONPATH": ":".join(sys.path)},
        stderr=subprocess.DEVNULL,
    )
    try:
        assert select.select([reader], [], [], 120.0)[0]
        assert os.read(reader, 8) == b"\x89HDF\r\n\x1a\n"
        writer.send_signal(signal.SIGINT)
        assert writer.wait(120.0) == -signal.SIGINT
    finally:
        writer.kill()
        writer.wait()
        os.close(reader)
    assert [p.name for p in tmp_path.iterdir()] == ["result.h5"]
    assert path.read_text() == "old"

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twinbeam.errors import StorageError
from twinbeam.photons import Photons
from twinbeam.pipeline import Recipe, read_photons
from twinbeam.simulate import simulate
from twinbeam.store import Catalog, open_catalog, register_photons, register_raw, registered_files
from twinbeam.tpx3 import Decoder, Hits, encode_hits, read_hits

TURN_TICKS = 1 << 34  # after which the detector's clock begins anew


def hits_from(start: int, count: int, seed: int) -> Hits:
    rng = np.random.default_rng(seed)
    return Hits(
        t=start + np.sort(rng.integers(0, 10**7, count)),
        x=rng.integers(0, 512, count),
        y=rng.integers(0, 512, count),
        tot_ns=25 * rng.integers(1, 900, count),
        chip=np.zeros(count),  # found anew from x and y when decoded
    )


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three files of one acquisition; the last begins after the clock has turned over."""
    starts = [TURN_TICKS - 5 * 10**7, TURN_TICKS - 2 * 10**7, TURN_TICKS + 5000]
    paths = [tmp_path / f"run {number} 50%20_000000.tpx3" for number in range(3)]
    for number, (path, start) in enumerate(zip(paths, starts, strict=True)):
        path.write_bytes(encode_hits(hits_from(start, 4000 + number, number)))
    return paths


def test_hits_are_read_by_partition_column_and_slice(catalog: Catalog, files: list[Path]) -> None:
    node = register_raw(catalog, "uid-1", files, {"detector": "tpx3"})
    assert node.structure().npartitions == 3
    assert list(node.columns) == list(Hits.DTYPES)
    about = dict(node.metadata)
    assert [(file["name"], file["bytes"]) for file in about.pop("raw_files")] == [
        (path.name, path.stat().st_size) for path in files
    ]
    assert about == {"detector": "tpx3", "run": "uid-1"}
    together, begin = read_hits(*files), 0
    for number in range(3):
        true = together[begin : begin + 4000 + number]
        begin += len(true)
        frame = node.read_partition(number)
        for name, column in true.columns().items():
            assert frame[name].dtype == column.dtype
            assert frame[name].to_numpy().tobytes() == column.tobytes()
    some = node.read_partition(1, columns=["tot_ns", "x"])
    assert list(some.columns) == ["tot_ns", "x"]
    assert some["x"].to_numpy().tobytes() == together.x[4000:8001].tobytes()
    assert node["y"][3990:4010].tobytes() == read_hits(*files).y[3990:4010].tobytes()
    whole = node.read(["t", "chip"])
    assert whole["chip"].to_numpy().tobytes() == read_hits(*files).chip.tobytes()


def parts_in_a_random_order(node: Any, seed: int) -> list[Any]:
    """All partitions, read one by one."""
    count = node.structure().npartitions
    order = np.random.default_rng(seed).permutation(count)
    frames = {int(part): node.read_partition(int(part)) for part in order}
    return [frames[part] for part in range(count)]


@pytest.mark.parametrize("part_bytes", [1 << 26, 10_000, 8 * 1237 + 3])
def test_partitions_are_on_one_clock_however_they_are_cut_and_read(
    catalog: Catalog, files: list[Path], part_bytes: int
) -> None:
    node = register_raw(catalog, f"uid-{part_bytes}", files, part_bytes=part_bytes)
    count = node.structure().npartitions
    assert count == 3 if part_bytes > 60_000 else count > 10
    together = read_hits(*files)
    assert together.t[-1] > TURN_TICKS > together.t[0]
    frames = [parts_in_a_random_order(node, seed) for seed in (1, 2)]
    for name, column in together.columns().items():
        for read in frames:
            assert np.concatenate([f[name].to_numpy() for f in read]).tobytes() == column.tobytes()
    assert node.read(["y"])["y"].to_numpy().tobytes() == together.y.tobytes()
    assert node["t"].read().tobytes() == together.t.tobytes()
    assert node["x"][7990:8010].tobytes() == together.x[7990:8010].tobytes()


def test_reading_a_partition_again_or_the_next_one_decodes_no_other(
    catalog: Catalog, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[int] = []
    feed, skim = Decoder.feed, Decoder.skim

    def counted_feed(self: Decoder, chunk: bytes) -> Hits:
        decoded.append(len(chunk))
        return feed(self, chunk)

    def counted_skim(self: Decoder, chunk: bytes) -> None:
        decoded.append(len(chunk))
        skim(self, chunk)

    monkeypatch.setattr(Decoder, "feed", counted_feed)
    monkeypatch.setattr(Decoder, "skim", counted_skim)
    sizes = [path.stat().st_size for path in files]
    node = register_raw(catalog, "uid-count", files)
    for part, expected in ((2, sum(sizes)), (2, sizes[2]), (1, sizes[1]), (0, sizes[0])):
        decoded.clear()
        node.read_partition(part)
        assert sum(decoded) == expected
    decoded.clear()
    assert node["x"][8005:8007].shape == (2,)
    assert sum(decoded) <= 2 * sizes[2]  # rows of the last file, and what is in them


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two files of a simulated acquisition."""
    folder = tmp_path_factory.mktemp("simulated")
    whole = folder / "whole.tpx3"
    simulate(whole, seconds=0.5)
    content = whole.read_bytes()
    paths = [folder / f"run_{number:06d}.tpx3" for number in range(2)]
    cut = len(content) // 16 * 8
    for path, part in zip(paths, (content[:cut], content[cut:]), strict=True):
        path.write_bytes(part)
    return paths


@pytest.mark.parametrize("part_bytes", [1 << 26, 100_000])
def test_photons_are_found_when_they_are_read(
    catalog: Catalog, simulated: list[Path], part_bytes: int
) -> None:
    recipe = Recipe.from_mapping({"clustering": {"window_ns": 3.0}})
    uid = f"photons-{part_bytes}"
    register_raw(catalog, uid, simulated, part_bytes=part_bytes)
    node = register_photons(catalog, uid, recipe, {"why": "test"})
    true = read_photons(simulated, recipe)
    assert len(true) > 1000
    assert node.metadata["recipe_hash"] == recipe.hash
    assert node.metadata["why"] == "test"
    assert list(catalog.client["photons", uid]) == [recipe.hash]
    assert list(node.columns) == list(Photons.DTYPES)
    frames = [parts_in_a_random_order(node, seed) for seed in (1, 2)]
    for name, column in true.columns().items():
        for read in frames:
            assert np.concatenate([f[name].to_numpy() for f in read]).tobytes() == column.tobytes()
    assert node["energy_kev"][100:120].tobytes() == true.energy_kev[100:120].tobytes()
    assert len(node["t"].read()) == len(true)
    other = register_photons(catalog, uid, Recipe())
    assert len(other.read()) == len(read_photons(simulated)) != len(true)
    assert set(catalog.client["photons", uid]) == {recipe.hash, Recipe().hash}


def test_photons_of_a_run_without_registered_files_are_refused(catalog: Catalog) -> None:
    with pytest.raises(StorageError, match=r"not registered .*register_raw"):
        register_photons(catalog, "nothing", Recipe())
    assert registered_files(catalog, "nothing") is None


def test_registered_files_stay_where_they_are_and_are_listed_anew(
    catalog: Catalog, files: list[Path]
) -> None:
    contents = [path.read_bytes() for path in files]
    register_raw(catalog, "uid-2", files[:1])
    node = register_raw(catalog, "uid-2", files[:2])
    assert node.structure().npartitions == 2
    assert [path.read_bytes() for path in files] == contents
    sources = catalog.client["hits"].include_data_sources()["uid-2"].data_sources()
    assert [asset.data_uri for asset in sources[0].assets] == [
        f"file://localhost{path}" for path in files[:2]
    ]
    assert not any((catalog.directory / "data").rglob("*.tpx3"))


def test_an_empty_file_is_an_empty_partition(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "empty.tpx3"
    path.write_bytes(b"")
    frame = register_raw(catalog, "uid-3", [path]).read()
    assert len(frame) == 0
    assert list(frame.columns) == list(Hits.DTYPES)


def test_the_table_is_there_when_the_catalogue_is_opened_again(
    tmp_path: Path, files: list[Path]
) -> None:
    with open_catalog(tmp_path / "c", readable=[tmp_path]) as catalog:
        register_raw(catalog, "uid-4", files)
    with open_catalog(tmp_path / "c", readable=[tmp_path]) as catalog:
        assert len(catalog.client["hits"]["uid-4"].read()) == len(read_hits(*files))


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + bytes(8))


def exchange(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (Path.unlink, "not there any more"),
        (shorten, r"is truncated: [\d,]+ of [\d,]+ bytes"),
        (lengthen, "has grown"),
        (exchange, "is another file"),
    ],
)
def test_a_file_that_is_not_what_it_was_is_named(
    catalog: Catalog, files: list[Path], harm: Callable[[Path], None], message: str
) -> None:
    node = register_raw(catalog, "uid-5", files)
    if harm is not Path.unlink:
        node.read_partition(1)  # what has been checked once is checked again when it changes
    harm(files[1])
    for part in (1, 2):  # the clock of the third file goes on from the second
        with pytest.raises(StorageError, match=f"{message}.*twinbeam relocate") as caught:
            node.read_partition(part)
        assert caught.value.where == str(files[1])
    with pytest.raises(StorageError, match=message):
        node["x"].read()
    assert len(node.read_partition(0)) == 4000


def test_a_file_that_is_not_there_is_not_registered(catalog: Catalog, files: list[Path]) -> None:
    files[1].unlink()
    with pytest.raises(StorageError, match="does not exist") as caught:
        register_raw(catalog, "uid-6", files)
    assert caught.value.where == str(files[1])
    assert "uid-6" not in catalog.client["hits"]


def test_a_file_that_is_no_raw_file_is_named(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "notes.tpx3"
    path.write_bytes(b"these are notes, not hits" * 10)
    node = register_raw(catalog, "uid-7", [path])
    with pytest.raises(StorageError, match="not a Timepix3 raw file") as caught:
        node.read_partition(0)
    assert str(path) in str(caught.value.where)


def test_folders_once_readable_stay_so(tmp_path: Path, files: list[Path]) -> None:
    with open_catalog(tmp_path / "r", readable=[tmp_path]) as catalog:
        register_raw(catalog, "uid-9", files)
    with open_catalog(tmp_path / "r", readable=[tmp_path / "more"]) as catalog:
        assert set(catalog.readable) == {tmp_path, tmp_path / "more"}
        assert len(catalog.client["hits"]["uid-9"].read_partition(0)) == 4000
    (tmp_path / "r" / "readable.json").write_text("{")
    with pytest.raises(StorageError, match="list of readable folders"):
        open_catalog(tmp_path / "r")


def test_files_outside_the_readable_folders_are_refused(tmp_path: Path, files: list[Path]) -> None:
    with open_catalog(tmp_path / "d", readable=[tmp_path / "elsewhere"]) as catalog:
        with pytest.raises(StorageError, match=r"outside .*readable=\['") as caught:
            register_raw(catalog, "uid-8", files)
        assert caught.value.where == str(files[0])
        odd = files[0].rename(tmp_path / "odd#name.tpx3")
        with pytest.raises(StorageError, match="cannot be served"):
            register_raw(catalog, "uid-8", [odd])
        with pytest.raises(StorageError, match="no raw files"):
            register_raw(catalog, "uid-8", [])

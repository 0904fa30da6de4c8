from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from twinbeam.errors import StorageError
from twinbeam.store import Catalog, open_catalog, register_raw
from twinbeam.tpx3 import Hits, encode_hits, read_hits

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
    assert dict(node.metadata) == {"detector": "tpx3", "run": "uid-1"}
    for number, path in enumerate(files):
        true = read_hits(path)
        assert len(true) == 4000 + number
        frame = node.read_partition(number)
        for name, column in true.columns().items():
            assert frame[name].dtype == column.dtype
            assert frame[name].to_numpy().tobytes() == column.tobytes()
    some = node.read_partition(1, columns=["tot_ns", "x"])
    assert list(some.columns) == ["tot_ns", "x"]
    assert some["x"].to_numpy().tobytes() == read_hits(files[1]).x.tobytes()
    assert node["y"][3990:4010].tobytes() == read_hits(*files).y[3990:4010].tobytes()
    whole = node.read(["t", "chip"])
    assert whole["chip"].to_numpy().tobytes() == read_hits(*files).chip.tobytes()


def test_a_partition_begins_in_the_first_turn_of_the_clock_and_a_column_does_not(
    catalog: Catalog, files: list[Path]
) -> None:
    node = register_raw(catalog, "uid-turn", files)
    together = read_hits(*files)
    assert together.t[-1] > TURN_TICKS
    column = node["t"].read()
    assert column.tobytes() == together.t.tobytes()
    alone = node.read_partition(2)["t"].to_numpy()
    assert (alone == together.t[-len(alone) :] - TURN_TICKS).all()


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


def test_a_file_that_is_gone_is_named(catalog: Catalog, files: list[Path]) -> None:
    node = register_raw(catalog, "uid-5", files)
    files[1].unlink()
    with pytest.raises(StorageError, match="not there any more") as caught:
        node.read_partition(1)
    assert caught.value.where == str(files[1])
    assert len(node.read_partition(0)) == 4000
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

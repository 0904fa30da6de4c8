"""Which raw files belong together, and what is asked of each before work starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinbeam.errors import RawDataError
from twinbeam.pipeline import Result, acquisitions_of, process, read_photons

HEADER = b"TPX3\x00\x00\x00\x00"


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def names(folder: Path, *lines: str) -> list[list[Path]]:
    return [[folder / name for name in line.split()] for line in lines]


def test_only_the_six_digits_at_the_end_may_differ(tmp_path: Path) -> None:
    expected = names(
        tmp_path,
        "a_000000.tpx3 a_000001.tpx3 a_000007.tpx3",
        "b_000002.tpx3",
        "a_000003.tpx3",
        "a1.tpx3",
        "a2.tpx3",
        "000000.tpx3 000001.tpx3",
        "a_0000001.tpx3",
    )
    paths = [write(path, HEADER) for files in expected for path in files]
    assert acquisitions_of(paths) == expected
    assert acquisitions_of([str(path) for path in paths]) == expected
    assert acquisitions_of([]) == []


def test_a_piece_needs_no_header_of_its_own(tmp_path: Path) -> None:
    (files,) = names(tmp_path, "a_000000.tpx3 a_000001.tpx3 a_000002.tpx3 a_000003.tpx3")
    for path, data in zip(files, (b"", HEADER, b"goes on", b""), strict=True):
        write(path, data)
    assert acquisitions_of(files) == [files]
    write(files[1], b"something else")
    with pytest.raises(RawDataError, match="no chunk header") as caught:
        acquisitions_of(files)
    assert str(files[1]) in str(caught.value)


def test_each_acquisition_begins_with_a_header(tmp_path: Path) -> None:
    files = [write(tmp_path / "a_000000.tpx3", HEADER), write(tmp_path / "b_000000.tpx3", b"no")]
    with pytest.raises(RawDataError, match=r"b_000000\.tpx3.*no chunk header"):
        acquisitions_of(files)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("kind", ["missing", "folder", "unreadable", "twice"])
def test_every_file_is_there_readable_and_once(tmp_path: Path, place: int, kind: str) -> None:
    files = [tmp_path / "a_000000.tpx3", tmp_path / "a_000001.tpx3"]
    for path in files:
        write(path, HEADER)
    bad = files[place]
    if kind == "twice":
        (tmp_path / "link").symlink_to(tmp_path)
        files.append(tmp_path / "link" / bad.name)
    else:
        bad.unlink()
    if kind == "folder":
        bad.mkdir()
    if kind == "unreadable":
        bad.symlink_to(bad.name)  # round and round, for root as well
    with pytest.raises(RawDataError) as caught:
        acquisitions_of(files)
    assert bad.name in str(caught.value.where)
    assert ("given twice" in caught.value.what) == (kind == "twice")


@pytest.fixture
def pieces(tmp_path: Path, raw: bytes) -> list[Path]:
    """A stream that begins in the second of its files; no chunk begins in the third."""
    at = raw.index(b"TPX3", len(raw) // 2) + 21
    cuts = [0, 0, at, raw.index(b"TPX3", at), len(raw)]
    files = [tmp_path / f"run_{i:06d}.tpx3" for i in range(4)]
    return [write(path, raw[cuts[i] : cuts[i + 1]]) for i, path in enumerate(files)]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_stream_goes_on_in_a_file_within_a_chunk(
    pieces: list[Path], workers: int, result: Result
) -> None:
    assert pieces[2].stat().st_size > 24
    found = process(pieces, keep_photons=True, workers=workers)
    assert found.acquisitions == 1
    assert found.differences(result) == []
    assert result.photons is not None
    assert read_photons(pieces).equals(result.photons)


def test_a_piece_that_is_missing_is_found_before_work_starts(pieces: list[Path]) -> None:
    pieces[-1].unlink()
    seen: list[int] = []
    with pytest.raises(RawDataError, match=r"run_000003\.tpx3"):
        process(pieces, on_progress=seen.append)
    assert seen == []
    with pytest.raises(RawDataError, match=r"run_000003\.tpx3"):
        read_photons(pieces)

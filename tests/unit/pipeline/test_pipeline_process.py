"""Offline processing of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinbeam.errors import RawDataError
from twinbeam.pipeline import Pipeline, Result, process


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_a_file_is_its_bytes(tmp_path: Path, raw: bytes, result: Result) -> None:
    path = write(tmp_path / "run.tpx3", raw)
    seen: list[int] = []
    found = process([str(path)], keep_photons=True, on_progress=seen.append)
    assert found.differences(result) == []
    assert found.photons is not None
    assert sum(seen) == len(raw)


def test_numbered_files_are_one_acquisition(tmp_path: Path, raw: bytes, result: Result) -> None:
    cuts = [0, 50_001, 120_000, len(raw)]
    paths = [write(tmp_path / f"run_{i:06d}.tpx3", raw[cuts[i] : cuts[i + 1]]) for i in range(3)]
    found = process(paths)
    assert found.acquisitions == 1
    assert found.differences(result) == []


def test_other_names_are_acquisitions_of_their_own(
    tmp_path: Path, raw: bytes, other_raw: bytes
) -> None:
    pipeline = Pipeline()
    pipeline.feed(raw)
    pipeline.next_acquisition()
    pipeline.feed(other_raw)
    expected = pipeline.finish()
    for names in (("a.tpx3", "b.tpx3"), ("a_000000.tpx3", "b_000000.tpx3"), ("a1.tpx3", "a2.tpx3")):
        paths = [write(tmp_path / n, d) for n, d in zip(names, (raw, other_raw), strict=True)]
        found = process(paths)
        assert found.acquisitions == 2
        assert found.differences(expected) == []


def test_the_same_name_in_another_folder_is_another_acquisition(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    paths = [write(tmp_path / n / "run_000000.tpx3", raw) for n in ("one", "two")]
    found = process(paths)
    assert found.acquisitions == 2
    assert found.ledger.stages["hits"].rejected["late"] == 0


def test_an_empty_file_is_an_empty_run(tmp_path: Path) -> None:
    found = process([write(tmp_path / "empty.tpx3", b"")])
    assert (found.n_hits, found.acquisitions) == (0, 0)


def test_a_truncated_file_gives_what_it_holds(tmp_path: Path, raw: bytes) -> None:
    found = process([write(tmp_path / "short.tpx3", raw[: len(raw) // 2 - 3])])
    assert found.ledger.closes
    assert found.census.truncated_bytes > 0 or found.census.missing_bytes > 0
    assert found.n_hits > 1000


def test_no_files_at_all() -> None:
    with pytest.raises(RawDataError, match="no raw files given"):
        process([])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no such file"),
        (b"something else entirely", "no chunk header"),
        (b"TPX3\x00", "no whole chunk header"),
    ],
)
def test_what_is_no_raw_file(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "x.tpx3"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RawDataError, match=says) as caught:
        process([path])
    assert str(path) in str(caught.value)


def test_a_folder_is_not_processed(tmp_path: Path) -> None:
    with pytest.raises(RawDataError, match="not a file"):
        process([tmp_path])


def test_all_files_are_checked_before_work_starts(tmp_path: Path, raw: bytes) -> None:
    good = write(tmp_path / "good.tpx3", raw)
    seen: list[int] = []
    with pytest.raises(RawDataError, match=r"missing\.tpx3"):
        process([good, tmp_path / "missing.tpx3"], on_progress=seen.append)
    assert seen == []

from __future__ import annotations

from pathlib import Path

import pytest
from raw_streams import random_stream

from twinbeam.errors import RawDataError
from twinbeam.tpx3 import Decoder, check_raw_file, iterate_file, read_hits


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "run.tpx3"
    path.write_bytes(random_stream(1))
    return path


def test_blocks_are_the_file(raw: Path) -> None:
    blocks = list(iterate_file(raw, 100))
    assert b"".join(blocks) == raw.read_bytes()
    assert {len(block) for block in blocks[:-1]} == {100}


def test_hits_of_consecutive_files_share_a_clock(raw: Path, tmp_path: Path) -> None:
    data = raw.read_bytes()
    first, second = tmp_path / "a.tpx3", tmp_path / "b.tpx3"
    first.write_bytes(data[:1001])
    second.write_bytes(data[1001:] + b"TPX3")
    assert read_hits(first, second).equals(Decoder().feed(data))


def test_an_empty_file_is_an_empty_run(tmp_path: Path) -> None:
    path = tmp_path / "empty.tpx3"
    path.touch()
    assert check_raw_file(path) == path
    assert len(read_hits(path)) == 0


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RawDataError, match="no such file") as caught:
        check_raw_file(tmp_path / "missing.tpx3")
    assert caught.value.where == str(tmp_path / "missing.tpx3")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(RawDataError, match="not a file"):
        read_hits(tmp_path)


def test_a_name_the_system_refuses_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RawDataError, match="cannot be read"):
        check_raw_file(tmp_path / ("x" * 5000))


@pytest.mark.parametrize("content", [b"\x89HDF\r\n\x1a\n" * 100, b"t", b"\0" * 5000])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.h5"
    path.write_bytes(content)
    with pytest.raises(RawDataError, match="no chunk header") as caught:
        list(iterate_file(path))
    assert str(path) in str(caught.value)
    assert "TPX3" in str(caught.value)


def test_a_file_with_only_the_beginning_of_a_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.tpx3"
    path.write_bytes(b"TPX3\0\0")
    with pytest.raises(RawDataError, match="holds no Timepix3 chunk"):
        read_hits(path)

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from twinbeam.errors import StorageError
from twinbeam.store._file_marks import FileMark, mark_of, require_file
from twinbeam.store._raw_parts import KeptStates, Part, PartReader, parts_of
from twinbeam.store.raw_adapter import HitStream
from twinbeam.tpx3 import Hits, encode_hits, read_hits


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Four files, one of them empty, over a turn of the clock."""
    rng = np.random.default_rng(5)
    paths = []
    for number, rows in enumerate((900, 0, 1100, 700)):
        t = (number << 33) + np.sort(rng.integers(0, 10**6, rows))
        x, y = rng.integers(0, 512, (2, rows))
        paths.append(tmp_path / f"run_{number:06d}.tpx3")
        hits = Hits(t, x, y, 25 * rng.integers(1, 900, rows), np.zeros(rows))
        paths[-1].write_bytes(encode_hits(hits) if rows else b"")
    return paths


def reader(files: list[Path], part_bytes: int, kept: KeptStates) -> PartReader:
    marks = [mark_of(path) for path in files]
    parts = parts_of([mark.n_bytes for mark in marks], part_bytes)
    return PartReader(files, marks, parts, HitStream, "hits", kept)


def test_parts_cover_the_files_and_an_empty_file_has_one() -> None:
    assert parts_of([10, 0, 4], 4) == (
        Part(0, 0, 4),
        Part(0, 4, 8),
        Part(0, 8, 10),
        Part(1, 0, 0),
        Part(2, 0, 4),
    )
    assert parts_of([]) == ()


@pytest.mark.parametrize("most", [1, 3, 100])
def test_parts_read_by_many_threads_in_any_order_are_those_of_the_whole(
    files: list[Path], most: int
) -> None:
    kept = KeptStates(most)
    parts = reader(files, 1501, kept)
    whole = read_hits(*files)
    n_parts = len(parts_of([path.stat().st_size for path in files], 1501))
    order = np.random.default_rng(most).permutation(n_parts)
    with ThreadPoolExecutor(8) as pool:
        read = dict(zip(order.tolist(), pool.map(parts.read, order.tolist()), strict=True))
    pieces = [Hits.concatenate(read[part]) for part in range(n_parts)]
    assert Hits.concatenate(pieces).equals(whole)
    assert parts.rows() == [len(piece) for piece in pieces]
    assert len(kept) <= most
    with pytest.raises(IndexError):
        parts.read(n_parts)


def test_a_changed_file_is_noticed_although_it_was_read(files: list[Path]) -> None:
    parts = reader(files, 1 << 20, KeptStates(10))
    parts.read(3)
    content = bytearray(files[0].read_bytes())
    content[100] ^= 1
    files[0].write_bytes(content)
    for part in (0, 3):
        with pytest.raises(StorageError, match="is another file") as caught:
            parts.read(part)
        assert caught.value.where == str(files[0])


def test_a_mark_says_what_is_different(files: list[Path]) -> None:
    mark = mark_of(files[0])
    assert mark.difference(files[0]) is None
    assert require_file(files[0], mark) == require_file(files[0], None)
    assert "is not there" in str(mark.difference(files[0].with_name("no")))
    assert "is truncated" in str(FileMark(mark.n_bytes + 8).difference(files[0]))
    assert "has grown" in str(FileMark(mark.n_bytes - 8).difference(files[0]))
    assert FileMark(mark.n_bytes).difference(files[0]) is None  # of old: no digest
    with pytest.raises(StorageError, match="cannot be read"):
        mark_of(files[0].with_name("no"))

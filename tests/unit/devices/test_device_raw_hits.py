"""Hits of a raw file are counted without decoding it, to the same number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from twinbeam.devices.raw_hits import count_hits
from twinbeam.tpx3 import Hits, chunk, encode_hits, packet_id_word, read_hits, tdc_word


def hits(count: int, chip: int = 0) -> Hits:
    numbers = np.arange(count)
    return Hits(
        t=numbers.astype(np.int64) * 160,
        x=(256 + numbers % 256).astype(np.uint16),
        y=(numbers // 256 % 256).astype(np.uint16),
        tot_ns=np.full(count, 250, np.uint16),
        chip=np.full(count, chip, np.uint8),
    )


@pytest.mark.parametrize("count", [0, 1, 5000, 6000, 8191, 20_000])
def test_the_count_is_that_of_the_decoder(tmp_path: Path, count: int) -> None:
    """With 6000 words in a chunk, its header begins with the bits of a hit."""
    path = tmp_path / "a.tpx3"
    others = np.concatenate([packet_id_word(7), tdc_word(1000.0, 3)])
    path.write_bytes(chunk(0, others) + encode_hits(hits(count)) + chunk(0, others))
    assert count_hits(path) == count == len(read_hits(path))


def test_a_word_that_is_cut_off_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "a.tpx3"
    path.write_bytes(encode_hits(hits(10))[:-3])
    assert count_hits(path) == 9


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        count_hits(tmp_path / "a.tpx3")

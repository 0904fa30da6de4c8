"""Hits against rustpix, the fastest reader of raw files.

Known differences, all taken off before anything is compared:

* rustpix times are the detector's counter of 25 ns; the fine time is not used.
* The counter is not unwrapped: times are compared modulo a turn of 26.8 s.
* ToT is in steps of 25 ns, and places are on the 514 grid with the gap of 2 pixels.
* A hit is dropped unless a rise of TDC 1 came before it from the same chip. Serval sends every edge
  through all chips, older software through chip 0 only, and X-ray data need not have any.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from oracle_data import (
    RECORDED,
    SIMULATED,
    chunks,
    differing,
    on_gap_grid,
    recorded_files,
    rows,
    simulated,
)

from twinbeam.tpx3 import Decoder, Hits

rustpix = pytest.importorskip("rustpix", reason="the extra 'oracles' is not installed")

COARSE_TURN = 1 << 30  # of 25 ns
DROPPED = {
    "chx_serval_4_3.tpx3": 2_956,
    "sophiread_serval32.tpx3": 15,
    "sophiread_tdc_gdc.tpx3": 301,
}


def table_of(path: Path) -> np.ndarray:
    """Its hits as rows of time, place, ToT and chip."""
    batch = rustpix.read_tpx3_hits(str(path)).to_numpy()
    return rows(*(batch[c] for c in ("timestamp", "x", "y", "tot", "chip_id")))


def timed_by_tdc(raw: bytes) -> np.ndarray:
    """Whether a TDC 1 rise came before each hit from the same chip, in the order of the stream."""
    seen: set[int] = set()
    timed: list[bool] = []
    for chip, words in chunks(raw):
        for kind, edge in zip(
            (words >> np.uint64(60)).tolist(), (words >> np.uint64(56)).tolist(), strict=True
        ):
            if edge == 0x6F:
                seen.add(chip)
            elif kind == 0xB:
                timed.append(chip in seen)
    return np.array(timed, dtype=bool)


def our_table(hits: Hits) -> np.ndarray:
    coarse = -(-hits.t // 16) % COARSE_TURN
    return rows(coarse, *on_gap_grid(hits), hits.tot_ns // 25, hits.chip)


def check(raw: bytes, path: Path) -> int:
    """Compare the hits; the number of those that rustpix drops."""
    hits = Decoder().feed(raw)
    timed = timed_by_tdc(raw)
    theirs = table_of(path)
    theirs[:, 0] %= COARSE_TURN
    theirs = rows(*theirs.T)
    assert timed.size == len(hits)
    assert differing(our_table(hits[timed]), theirs) == 0
    return int(np.count_nonzero(~timed))


@pytest.mark.parametrize("name", SIMULATED)
def test_hits_of_simulated_files(name: str, tmp_path: Path) -> None:
    raw = simulated(name)
    path = tmp_path / "run.tpx3"
    path.write_bytes(raw)
    dropped = check(raw, path)
    n = len(Decoder().feed(raw))
    assert n > 20_000
    if name == "serval 2":  # no TDC words at all
        assert dropped == n
    else:
        assert dropped < 0.1 * n


@recorded_files()
def test_hits_of_recorded_files(path: Path) -> None:
    dropped = check(path.read_bytes(), path)
    if path.name in DROPPED:
        assert dropped == DROPPED[path.name]


def test_the_recorded_files_hold_both_kinds_of_times() -> None:
    if not RECORDED:
        pytest.skip("no recorded files")
    shares = [timed_by_tdc(path.read_bytes()).mean() for path in RECORDED if path.name in DROPPED]
    assert min(shares) == 0.0
    assert max(shares) > 0.99

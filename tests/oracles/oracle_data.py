"""Raw data that other packages read, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.tpx3 import Hits

DATA = Path(__file__).parents[3] / "shared" / "data"
RECORDED = sorted(DATA.glob("*/*.tpx3"))
TURN = 1 << 34  # ticks after which the counters of the pixels start again

#: Simulated acquisitions by name.
SIMULATED: dict[str, dict[str, Any]] = {
    "serval 2": {"serval": "2", "global_time_s": 0.05},
    "serval 3.2": {"serval": "3.2", "tdc": {"rate_hz": 200.0}},
    "serval 4.3": {"tdc": {"rate_hz": 200.0}, "hot": {"count": 20, "rate_hz": 300.0}},
    "rollover": {
        "clock_start_s": 26.75,
        "global_time_s": 0.02,
        "tdc": {"rate_hz": 200.0},
        "late_columns": [{"chip": 0, "first": 97, "last": 101, "ticks": 16}],
    },
}


def simulated(name: str, seconds: float = 0.2) -> bytes:
    """One of the acquisitions, 10⁵ background photons and 2000 pairs per second."""
    values = {"pair_rate_hz": 2e3, "background_rate_hz": 1e5, "sample": "none", **SIMULATED[name]}
    experiment = Experiment(SimulationParameters.from_mapping(values), seed=len(name))
    parts = [experiment.start()]
    parts += [experiment.advance(0.05) for _ in range(round(seconds / 0.05))]
    return b"".join([*parts, experiment.stop()])


def recorded_files() -> Any:
    """Decorator that gives a test every recorded file as `path`; skipped without them."""
    files = RECORDED or [pytest.param(None, marks=pytest.mark.skip(reason="no recorded files"))]
    return pytest.mark.parametrize("path", files, ids=lambda path: getattr(path, "name", "none"))


def chunks(raw: bytes) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    """Chip and words of every chunk of an undamaged stream."""
    words = np.frombuffer(raw, dtype="<u8")
    at = 0
    while at < words.size:
        header = int(words[at])
        assert header & 0xFFFFFFFF == 0x33585054
        n = (header >> 48) // 8
        yield (header >> 32) & 0xFF, words[at + 1 : at + 1 + n]
        at += 1 + n


def rows(*columns: NDArray[Any]) -> NDArray[np.int64]:
    """A table of whole numbers in the order of its columns, for comparison as a multiset."""
    table = np.stack([np.asarray(column).astype(np.int64) for column in columns], axis=1)
    return table[np.lexsort(table.T[::-1])]


def differing(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """Number of rows that are in one table only."""
    _, row = np.unique(np.concatenate((one, other)), axis=0, return_inverse=True)
    row = row.ravel()
    n = int(row.max(initial=-1)) + 1
    times = (np.bincount(part, minlength=n) for part in (row[: len(one)], row[len(one) :]))
    return int(np.abs(np.subtract(*times)).sum())


def on_gap_grid(hits: Hits) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places on the 514 grid."""
    x, y = hits.x.astype(np.int64), hits.y.astype(np.int64)
    return x + 2 * (x >= 256), y + 2 * (y >= 256)

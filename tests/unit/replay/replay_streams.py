"""Acquisitions as bytes, and what makes two results the same."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from twinbeam.pipeline import Result
from twinbeam.simulate import Experiment, SimulationParameters

TURN_S = 26.8435456
STREAMS: dict[str, tuple[int, dict[str, Any]]] = {
    "plain": (1, {}),
    "late start": (3, {"clock_start_s": 300.0}),
    "rollover": (4, {"clock_start_s": TURN_S - 0.12}),
    "stale clock": (5, {"clock_start_s": 2.0, "stale_clock_s": 61_093.0}),
    "old": (6, {"serval": "2", "global_time_s": 0.05, "clock_start_s": 2 * TURN_S - 0.1}),
}


def simulated(seed: int, seconds: float, **parameters: Any) -> bytes:
    """A busy acquisition: 0.8 MB and 3000 pairs per second."""
    given = {"pair_rate_hz": 3000.0, "background_rate_hz": 4e4, "sample": "none", **parameters}
    experiment = Experiment(SimulationParameters.from_mapping(given), seed)
    parts = [experiment.start()]
    parts += [experiment.advance(0.05) for _ in range(round(seconds / 0.05))]
    return b"".join([*parts, experiment.stop()])


@cache
def stream(name: str) -> bytes:
    """Acquisitions by name; `+` glues two of them together, `damaged` has defects."""
    if "+" in name:
        return b"".join(stream(part) for part in name.split("+"))
    if name == "damaged":
        rng = np.random.default_rng(3)
        data = bytearray(stream("rollover"))
        for at in rng.integers(0, len(data) - 200, 30).tolist():
            if at % 2:
                data[at : at + 1] = rng.bytes(1)
            else:
                del data[at : at + int(rng.integers(1, 100))]
        return bytes(data)
    seed, parameters = STREAMS[name]
    return simulated(seed, 0.25, **parameters)


def written(folder: Path, raw: bytes, n_files: int = 1, stem: str = "run") -> list[Path]:
    """The bytes as consecutive files, cut anywhere."""
    step = -(-len(raw) // n_files)
    paths = [folder / f"{stem}_{n:06d}.tpx3" for n in range(n_files)]
    for n, path in enumerate(paths):
        path.write_bytes(raw[n * step : (n + 1) * step])
    return paths


def differences(one: Result, other: Result) -> list[str]:
    """Everything in which two results differ, census and duration included."""
    found = one.differences(other)
    for name in ("census", "duration_s", "acquisitions", "estimate", "n_photons"):
        if getattr(one, name) != getattr(other, name):
            found.append(f"{name}: {getattr(one, name)} and {getattr(other, name)}")
    return found if one.digest() == other.digest() else [*found, "digest"]

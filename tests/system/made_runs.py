"""Runs with raw files, made without a beamline: simulated bytes, and documents by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from event_model import compose_run

from twinbeam.pipeline import Recipe
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.store import RunWriter

KEYS = {
    "tpx3_raw_uri": "string",
    "tpx3_raw_template": "string",
    "tpx3_raw_first": "integer",
    "tpx3_raw_count": "integer",
    "tpx3_raw_bytes": "integer",
}
#: Few and small images: every one that is stored takes time.
SMALL_IMAGES = {"profiles": False, "correlation_maps": False, "bin_px": 4}
SMALL = Recipe.from_mapping({"images": SMALL_IMAGES})


@dataclass(frozen=True)
class MadeRun:
    """A stored run, its raw files and its JSON lines."""

    uid: str
    paths: tuple[Path, ...]
    lines: Path


def busy_bytes(seed: int, seconds: float, **parameters: Any) -> bytes:
    """A busy acquisition: 0.8 MB and 3000 pairs per second."""
    given = {"pair_rate_hz": 3000.0, "background_rate_hz": 4e4, "sample": "none", **parameters}
    experiment = Experiment(SimulationParameters.from_mapping(given), seed)
    parts = [experiment.start()]
    parts += [experiment.advance(0.05) for _ in range(round(seconds / 0.05))]
    return b"".join([*parts, experiment.stop()])


def make_run(
    writer: RunWriter,
    folder: Path,
    metadata: dict[str, Any] | None = None,
    *,
    seed: int = 1,
    seconds: float = 0.2,
    n_files: int = 3,
    times: list[float] | None = None,
    stop: bool = True,
) -> MadeRun:
    """Write raw files, and store the documents that name them, an event a file.

    The start document names the recipe `SMALL`.

    Parameters
    ----------
    times
        Times of the events in s since the start of the run.
    """
    raw = busy_bytes(seed, seconds)
    run = compose_run(metadata={"plan_name": "made", "recipe": SMALL.as_dict(), **(metadata or {})})
    uid, begun = run.start_doc["uid"], run.start_doc["time"]
    folder = folder / uid[:8]
    folder.mkdir(parents=True)
    step = -(-len(raw) // n_files)
    paths = []
    writer("start", run.start_doc)
    keys = {key: {"source": "test", "dtype": kind, "shape": []} for key, kind in KEYS.items()}
    stream = run.compose_descriptor(name="primary", data_keys=keys)
    writer("descriptor", stream.descriptor_doc)
    for n in range(n_files):
        path = folder / f"run_{n:06d}.tpx3"
        path.write_bytes(raw[n * step : (n + 1) * step])
        paths.append(path)
        data = {
            "tpx3_raw_uri": f"file://localhost{folder}/",
            "tpx3_raw_template": "run_{:06d}.tpx3",
            "tpx3_raw_first": n,
            "tpx3_raw_count": 1,
            "tpx3_raw_bytes": path.stat().st_size,
        }
        when = begun + times[n] if times else begun
        stamps = dict.fromkeys(data, when)
        writer("event", stream.compose_event(data=data, timestamps=stamps, time=when))
    if stop:
        end = run.compose_stop()
        writer("stop", {**end, "time": begun + (times[-1] if times else 0.0)})
    writer.join()
    return MadeRun(uid, tuple(paths), writer.path(uid))

"""Measurements, each in a process of its own: `python -m twinbeam.cli.bench_jobs JOB FILE …`.

A process of its own has a peak memory of its own. Every line on stdout is a JSON object, one a
repeat.
"""

from __future__ import annotations

import gc
import json
import resource
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twinbeam.errors import TwinbeamError

__all__ = ["PEERS", "main"]

#: Other packages that turn raw files into photons.
PEERS = ("tpx3awkward", "rustpix")

_WARM_UP_BYTES = 1 << 18
_BUDGET_S = 60.0  # slow peers are repeated less often


def _peak_bytes() -> int:
    """Largest memory this process has had.

    Linux lets a process that was started by a larger one begin with the peak of that one in
    getrusage; the high-water mark of its own memory does not.
    """
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _present_bytes() -> int:
    """Memory this process has now."""
    return _status("VmRSS") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _status(name: str) -> int | None:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) for line in lines if line.startswith(f"{name}:")]
    return 1024 * found[0] if found else None


def main(arguments: list[str]) -> None:
    """Do one job: `stages`, `chain` or a peer; FILE, repeats, workers, recipe (YAML) or ''."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this ends it
    job, file, repeats, workers, recipe = arguments
    bare = _present_bytes()
    path = Path(file)
    if job in PEERS:
        work = _peer(job, path)
    else:
        work = _stages(path, recipe) if job == "stages" else _chain(path, recipe, int(workers))
    gc.collect()
    idle = _present_bytes()
    begun = time.perf_counter()
    work()  # once untimed: the file is in memory and every kernel compiled
    for i in range(int(repeats)):
        wall, cpu = time.perf_counter(), time.process_time()
        found = work()
        found = {
            "wall_s": time.perf_counter() - wall,
            "cpu_s": time.process_time() - cpu,
            **found,
            "bare_bytes": bare,
            "idle_bytes": idle,
            "peak_bytes": _peak_bytes(),
        }
        print(json.dumps(found), flush=True)
        if i and job in PEERS and time.perf_counter() - begun > _BUDGET_S:
            break


def _recipe(recipe: str) -> Any:
    from twinbeam.pipeline import Recipe

    return Recipe.load(recipe) if recipe else Recipe()


def _warm_up(path: Path, recipe: Any) -> None:
    """Load the compiled kernels; the interpreter is idle afterwards."""
    from twinbeam.pipeline import Pipeline

    pipeline = Pipeline(recipe)
    with path.open("rb") as stream:
        pipeline.feed(stream.read(_WARM_UP_BYTES))
    pipeline.finish()


def _stages(path: Path, recipe_file: str) -> Callable[[], dict[str, Any]]:
    from twinbeam.cli.bench_stages import time_stages

    recipe = _recipe(recipe_file)
    _warm_up(path, recipe)

    def work() -> dict[str, Any]:
        times = time_stages(path, recipe)
        return {
            "stages_wall_s": times.wall_s,
            "stages_cpu_s": times.cpu_s,
            "hits": times.n_hits,
            "photons": times.n_photons,
            "pairs": times.n_pairs,
        }

    return work


def _chain(path: Path, recipe_file: str, workers: int) -> Callable[[], dict[str, Any]]:
    from twinbeam.pipeline import process

    recipe = _recipe(recipe_file)
    _warm_up(path, recipe)

    def work() -> dict[str, Any]:
        result = process([path], recipe, workers=workers)
        return {
            "hits": result.n_hits,
            "photons": result.n_photons,
            "pairs": result.estimate.n_prompt,
            "span_s": result.duration_s,
        }

    return work


def _peer(name: str, path: Path) -> Callable[[], dict[str, Any]]:
    """Raw file → photons with another package, as its read-me says, all options left alone."""
    import numpy as np

    module = import_module(name)
    said = {"version": version(name)}
    if name == "tpx3awkward":

        def work() -> dict[str, Any]:
            words = np.fromfile(path, dtype=np.uint64)
            return {"photons": len(module.convert_tpx3_binary(words)[0]), **said}

    else:

        def work() -> dict[str, Any]:
            found = module.process_tpx3_neutrons(str(path), collect=True)
            return {"photons": len(found.to_numpy()["x"]), **said}

    return work


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except TwinbeamError as error:
        print(json.dumps({"what": error.what, "where": error.where, "hint": error.hint}))
        sys.exit(1)

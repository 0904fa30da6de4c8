"""Throughput and memory of the analysis on one raw file, beside other packages."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from twinbeam._version import __version__
from twinbeam.cli.bench_jobs import PEERS
from twinbeam.errors import RawDataError, TwinbeamError

__all__ = ["machine", "measure"]

Told = Callable[[str], None]


def measure(
    path: Path,
    *,
    repeat: int = 5,
    workers: int = 1,
    recipe: Path | None = None,
    peers: bool = True,
    on_repeat: Told = lambda job: None,
) -> dict[str, Any]:
    """Plain values: medians over the repeats, and the single measurements.

    Every job is a process of its own and does its work once untimed before.

    Parameters
    ----------
    path
        A checked raw file.
    repeat
        Timed repeats of every job.
    workers
        Threads of the second run of the whole chain; with 1 there is no second.
    recipe
        Recipe file, else the default recipe.
    peers
        Whether other packages are measured too, where they are installed.
    on_repeat
        Called with the name of a job that has done one more repeat.

    Raises
    ------
    RawDataError
        If the file holds no hits.
    RecipeError
        If the recipe is wrong.
    """

    def runs(job: str, threads: int = 1) -> list[dict[str, Any]]:
        found = []
        for one in _run(job, path, repeat, threads, recipe):
            found.append(one)
            on_repeat(job)
        return found

    stage_runs = runs("stages")
    hits = int(stage_runs[0]["hits"])
    if not hits:
        raise RawDataError("holds no hits to measure with", where=str(path))
    chain_runs = {n: runs("chain", n) for n in dict.fromkeys((1, workers))}
    first = chain_runs[1][0]
    chain = [{"workers": n, **_speed(r, hits)} for n, r in chain_runs.items()]
    values: dict[str, Any] = {
        "file": {
            "path": str(path),
            "bytes": path.stat().st_size,
            **{name: first[name] for name in ("hits", "photons", "pairs", "span_s")},
        },
        "repeat": repeat,
        "stages": {
            stage: _speed(
                [
                    {"wall_s": one["stages_wall_s"][stage], "cpu_s": one["stages_cpu_s"][stage]}
                    for one in stage_runs
                ],
                hits,
            )
            for stage in stage_runs[0]["stages_wall_s"]
        },
        "chain": chain,
        "peers": {},
    }
    for peer in PEERS if peers else ():
        values["peers"][peer] = _measure_peer(peer, runs, hits, chain)
    return values


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    processor = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else processor
    return {
        "processor": processor,
        "usable_processors": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "numba": version("numba"),
        "twinbeam": __version__,
    }


def _measure_peer(
    peer: str,
    runs: Callable[[str], list[dict[str, Any]]],
    hits: int,
    chain: list[dict[str, Any]],
) -> dict[str, Any]:
    if find_spec(peer) is None:
        return {"problem": "not installed"}
    try:
        found = runs(peer)
    except TwinbeamError as error:
        return {"problem": error.what}
    if not found[0]["photons"]:
        return {"problem": "finds no photon in this file", "version": found[0]["version"]}
    speed = _speed(found, hits)
    ratios = {str(c["workers"]): c["mhit_per_s"] / speed["mhit_per_s"] for c in chain}
    return {
        "version": found[0]["version"],
        "photons": found[0]["photons"],
        **speed,
        "twinbeam_is_faster_by": ratios,
    }


def _speed(runs: list[dict[str, Any]], hits: int) -> dict[str, Any]:
    """Medians of the repeats of a job; memory is that of the whole process."""
    wall, cpu = [run["wall_s"] for run in runs], [run["cpu_s"] for run in runs]
    values: dict[str, Any] = {
        "mhit_per_s": 1e-6 * hits / max(median(wall), 1e-9),
        "cpu_ns_per_hit": 1e9 * median(cpu) / hits,
        "wall_s": wall,
        "cpu_s": cpu,
    }
    if "peak_bytes" in runs[-1]:
        peak = runs[-1]["peak_bytes"]
        values["peak_bytes"] = peak
        values["above_idle_bytes"] = peak - runs[-1]["idle_bytes"]
        values["above_bare_bytes"] = peak - runs[-1]["bare_bytes"]
    return values


def _run(
    job: str, path: Path, repeat: int, workers: int, recipe: Path | None
) -> Iterator[dict[str, Any]]:
    """What a job says after each repeat; it is gone when this ends, whatever happens."""
    # -P: files of the present folder are no modules
    command = [sys.executable, "-P", "-m", "twinbeam.cli.bench_jobs", job, str(path)]
    command += [str(repeat), str(workers), str(recipe or "")]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            problem: dict[str, Any] | None = None
            for line in process.stdout:
                values = json.loads(line)
                if "what" in values:
                    problem = values
                else:
                    yield values
            if problem is not None:
                raise TwinbeamError(**problem)
            if process.wait():
                said.seek(0)
                last = (said.read().strip().splitlines() or ["no word why"])[-1]
                raise TwinbeamError(
                    f"failed with status {process.returncode}: {last}", where=f"bench, {job}"
                )
        finally:
            process.kill()

"""Reprocessing at scale: `python benchmarks/reprocess.py --gigabytes 5`.

Makes raw files with the simulator, each an acquisition of its own, in a temporary folder, processes
them with one, two, … processes and, where it is installed, with a Dask cluster, and prints a table.
The results must be the same, bit for bit; apart from that it only measures.

A stretch of simulated data is written again and again with its clock moved on, because simulating
takes longer than processing; every byte is read and every hit decoded.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from twinbeam.cli.bench_run import machine
from twinbeam.cli.bench_table import machine_line
from twinbeam.replay import RawRun, raw_run_of_files, reprocess
from twinbeam.simulate import PRESETS, Experiment, SimulationParameters
from twinbeam.tpx3 import read_hits
from twinbeam.tpx3.encode import encode_hits

_STRETCH_S = 5.0
_GAP_TICKS = 640_000  # 1 ms between two stretches
_ACQUISITIONS = 2


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--gigabytes", type=float, default=5.0, help="raw data in all (5)")
    parser.add_argument(
        "--workers", type=int, nargs="+", default=[1, cores], help="processes to try (1, all)"
    )
    parser.add_argument("--folder", type=Path, help="where the raw files are made and removed")
    parser.add_argument("--no-dask", action="store_true", help="do not try a Dask cluster")
    parser.add_argument("--json", action="store_true", help="print all measurements as JSON")
    given = parser.parse_args()
    if given.gigabytes <= 0.0 or min(given.workers) < 1:
        parser.error("--gigabytes and --workers are above 0")
    before = machine()
    with tempfile.TemporaryDirectory(prefix="twinbeam-reprocess-", dir=given.folder) as folder:
        run = make_files(Path(folder), given.gigabytes * 1e9)
        ways: list[tuple[str, dict[str, Any]]] = [
            (f"{n} process{'es' if n > 1 else ''}", {"workers": n})
            for n in dict.fromkeys(given.workers)
        ]
        most = max(given.workers)
        if not given.no_dask and find_spec("distributed") is not None:
            ways.append((f"Dask, {most} processes", {"workers": most, "scheduler": "local"}))
        cache = Path(folder) / "cache"
        ways.append((f"{most} processes, keeping parts", {"workers": most, "cache": cache}))
        ways.append(("again, with the parts", {"workers": most, "cache": cache}))
        measured = [measure(run, name, options) for name, options in ways]
    if len({values["digest"] for values in measured}) != 1:
        sys.exit("the results differ")
    if given.json:
        print(json.dumps({"machine": before, "measured": measured}, indent=2))
        return
    console = Console(highlight=False)
    console.print(machine_line(before))
    console.print(table_of(measured))


def make_files(folder: Path, n_bytes: float) -> RawRun:
    """Raw files of about so many bytes in all."""
    hits, length = _stretch(folder)
    paths = [folder / f"acquisition_{n}.tpx3" for n in range(_ACQUISITIONS)]
    for number, path in enumerate(paths):
        print(f"making {1e-9 * n_bytes / len(paths):.2f} GB …", file=sys.stderr)
        written, shift = 0, 1_000_003 * number  # equal data would be found in the parts
        with path.open("wb") as file:
            while written < n_bytes / len(paths):
                written += file.write(encode_hits(hits.__class__(hits.t + shift, *_rest(hits))))
                shift += length
    return raw_run_of_files(paths, "benchmark")


def _stretch(folder: Path) -> tuple[Any, int]:
    """Hits of a stretch of the benchmark in the order of the stream, and how long it is."""
    parameters: SimulationParameters = PRESETS["benchmark"]
    experiment = Experiment(parameters, 1)
    path = folder / "stretch.tpx3"
    with path.open("wb") as file:
        file.write(experiment.start())
        for _ in range(round(10 * _STRETCH_S)):
            file.write(experiment.advance(0.1))
        file.write(experiment.stop())
    hits = read_hits(path)
    path.unlink()
    return hits, int(hits.t.max() - hits.t.min()) + _GAP_TICKS


def _rest(hits: Any) -> list[NDArray[Any]]:
    return [np.asarray(hits.x), hits.y, hits.tot_ns, hits.chip]


def measure(run: RawRun, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Process everything once; the start of the workers is in the time."""
    print(f"{name} …", file=sys.stderr)
    begun, used = time.perf_counter(), _cpu_s()
    (one,) = reprocess([run], **options)
    seconds, cpu_s = time.perf_counter() - begun, _cpu_s() - used
    return {
        "name": name,
        "workers": options["workers"],
        "bytes": run.n_bytes,
        "hits": one.result.n_hits,
        "pairs": len(one.result.pairs),
        "seconds": seconds,
        "cpu_s": cpu_s,
        "mhit_per_s": 1e-6 * one.result.n_hits / seconds,
        "digest": one.result.digest(),
    }


def _cpu_s() -> float:
    """Processor time of this process and of its children that have ended."""
    return sum(os.times()[:4])


def table_of(measured: list[dict[str, Any]]) -> Table:
    """A row a way of working."""
    first = measured[0]
    title = (
        f"{1e-9 * first['bytes']:.2f} GB, {1e-6 * first['hits']:,.0f} Mhit, "
        f"{first['pairs']:,} pairs; all results bit-identical"
    )
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("", style="cyan")
    for head in ("s", "Mhit/s", "Mhit/s\na worker", "Mhit a\nCPU second", "faster\nthan the first"):
        table.add_column(head, justify="right")
    for values in measured:
        table.add_row(
            values["name"],
            f"{values['seconds']:.1f}",
            f"{values['mhit_per_s']:.1f}",
            f"{values['mhit_per_s'] / values['workers']:.1f}",
            f"{1e-6 * values['hits'] / values['cpu_s']:.1f}",
            f"{first['seconds'] / values['seconds']:.2f} ×",
        )
    return table


if __name__ == "__main__":
    main()

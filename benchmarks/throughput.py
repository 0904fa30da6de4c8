"""Throughput of the analysis at several photon rates: `python benchmarks/throughput.py`.

Makes a raw file for every rate with the simulator, measures the stages and whole files as
`twinbeam bench` does, and prints a table. It only measures; nothing passes or fails.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from twinbeam.cli.bench_run import machine, measure
from twinbeam.cli.bench_table import machine_line
from twinbeam.cli.workers import default_workers
from twinbeam.simulate import PRESETS, SimulationParameters, simulate

#: What is simulated, by photons per second; 4.3e5 has the pairs of the published measurement.
RATES: dict[str, SimulationParameters] = {
    "1e5": SimulationParameters(pair_rate_hz=200.0, background_rate_hz=1e5),
    "4.3e5": PRESETS["chx"],
    "2.5e6": PRESETS["benchmark"],
    "2e7": SimulationParameters(pair_rate_hz=13_757.0, background_rate_hz=2e7, sample="none"),
}
_HITS_A_PHOTON = 1.5


def main() -> None:
    """Measure all rates and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hits", type=float, default=5e6, help="hits at each rate (5e6)")
    parser.add_argument("--repeat", type=int, default=5, help="timed repeats (5)")
    parser.add_argument("--workers", type=int, default=default_workers(), help="threads")
    parser.add_argument("--rates", nargs="+", choices=RATES, default=list(RATES), help="photons/s")
    parser.add_argument("--json", action="store_true", help="print all measurements as JSON")
    given = parser.parse_args()
    if given.hits < 1 or given.repeat < 1 or given.workers < 1:
        parser.error("--hits, --repeat and --workers are 1 or more")
    before = machine()
    measured = {}
    with tempfile.TemporaryDirectory(prefix="twinbeam-bench-") as folder:
        for name in given.rates:
            parameters = RATES[name]
            print(f"{name} photons per s …", file=sys.stderr)
            path = Path(folder) / "rate.tpx3"
            photons = parameters.background_rate_hz + 2.0 * parameters.pair_rate_hz
            simulate(path, seconds=given.hits / (_HITS_A_PHOTON * photons), parameters=parameters)
            measured[name] = measure(path, repeat=given.repeat, workers=given.workers, peers=False)
    if given.json:
        print(json.dumps({"machine": before, "rates": measured}, indent=2))
        return
    console = Console(highlight=False)
    console.print(machine_line(before))
    console.print(speed_table(measured))
    console.print(stage_table(measured))
    console.print(
        f"Medians of {given.repeat}. Margin: speed with the most workers over that of the beam."
    )


def speed_table(measured: dict[str, dict[str, Any]]) -> Table:
    """A row a rate: speed of whole files."""
    table = Table(title="file → result", title_justify="left", title_style="bold")
    table.add_column("photons/s", style="cyan", no_wrap=True)
    workers = [chain["workers"] for chain in next(iter(measured.values()))["chain"]]
    heads = [f"Mhit/s\n{n} worker{'s' if n > 1 else ''}" for n in workers]
    for head in ("Mhit/s\nof the beam", *heads, "margin", "peak\nMB"):
        table.add_column(head, justify="right", no_wrap=True)
    for name, values in measured.items():
        file, chain = values["file"], values["chain"]
        rate = 1e-6 * file["hits"] / file["span_s"]
        table.add_row(
            name,
            f"{rate:.3g}",
            *(f"{c['mhit_per_s']:.1f}" for c in chain),
            f"{chain[-1]['mhit_per_s'] / rate:,.2g} ×",
            f"{1e-6 * max(c['peak_bytes'] for c in chain):.0f}",
        )
    return table


def stage_table(measured: dict[str, dict[str, Any]]) -> Table:
    """A row a rate: processor time of the stages on one thread."""
    table = Table(title="CPU ns/hit by stage", title_justify="left", title_style="bold")
    table.add_column("photons/s", style="cyan", no_wrap=True)
    for stage in next(iter(measured.values()))["stages"]:
        table.add_column(stage, justify="right", no_wrap=True)
    for name, values in measured.items():
        stages = values["stages"].values()
        table.add_row(name, *(f"{stage['cpu_ns_per_hit']:.1f}" for stage in stages))
    return table


if __name__ == "__main__":
    main()

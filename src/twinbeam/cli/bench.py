"""`twinbeam bench`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from twinbeam.cli.console import out, plain, show_json, warning
from twinbeam.cli.progress import QuietOption, bar
from twinbeam.cli.workers import default_workers

__all__ = ["bench"]

_HITS = 10_000_000
_PRESET = "benchmark"
_MEASUREMENTS = {"stages": "stage by stage", "chain": "file to result"}


def bench(
    file: Annotated[
        Path | None,
        typer.Option(help="Raw .tpx3 file to measure with; else one is simulated and removed."),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.001, max=1e4, help="Simulate this much beam time in s, 3.7 Mhit each."),
    ] = None,
    hits: Annotated[
        float | None,
        typer.Option(min=1e4, max=1e10, help=f"Or about this many hits. Default: {_HITS:.0e}."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            help="Threads of the parallel run. Default: usable processors, at most 4.",
        ),
    ] = None,
    repeat: Annotated[
        int, typer.Option(min=1, max=1000, help="Timed repeats; the median counts.")
    ] = 5,
    recipe: Annotated[
        Path | None, typer.Option(help="Recipe (YAML) to use instead of the default one.")
    ] = None,
    no_peers: Annotated[bool, typer.Option("--no-peers", help="Measure no other package.")] = False,
    _quiet: QuietOption = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all measurements as JSON on stdout.")
    ] = False,
) -> None:
    """Throughput and memory on this machine, stage by stage and of whole files.

    Other packages that find photons (tpx3awkward, rustpix) are measured in the same run where they
    are installed; they search no pairs. Nothing here passes or fails.

    Example: twinbeam bench --hits 2e7 --workers 4
    """
    if sum(option is not None for option in (file, seconds, hits)) > 1:
        raise typer.BadParameter("give only one of --file, --seconds and --hits")
    from twinbeam.cli.bench_run import machine, measure
    from twinbeam.pipeline import Recipe
    from twinbeam.tpx3 import check_raw_file

    begun = time.perf_counter()
    if recipe is not None:
        Recipe.load(recipe)
    before = machine()
    with (
        tempfile.TemporaryDirectory(prefix="twinbeam-bench-") as folder,
        bar("simulating", 1.0, silent=as_json) as shown,
    ):
        made = None
        if file is None:
            file = Path(folder) / "bench.tpx3"
            made = _simulate(file, seconds, hits, shown.update)
        check_raw_file(file)
        # stages, one worker, several workers; peers take as long as they take
        n_jobs = 2 + ((workers or default_workers()) > 1)
        shown.restart("measuring", n_jobs * repeat)

        def tell(job: str) -> None:
            shown.advance(1)
            shown.update(text=_MEASUREMENTS.get(job, job))

        values = measure(
            file,
            repeat=repeat,
            workers=workers or default_workers(),
            recipe=recipe,
            peers=not no_peers,
            on_repeat=tell,
        )
    values = {
        **values,
        "simulated": made,
        "machine": before,
        "seconds": time.perf_counter() - begun,
    }
    if before["load"] > 0.5:
        warning(f"the machine is busy (load {before['load']:.1f}); the numbers are lower limits")
    if as_json:
        show_json(values)
    else:
        _present(values)


def _simulate(
    path: Path, seconds: float | None, hits: float | None, on_share: Callable[[float], None]
) -> str:
    """Write the raw file; returns what it is."""
    from twinbeam.simulate import PRESETS, simulate

    parameters = PRESETS[_PRESET]
    if seconds is None:
        photons = parameters.background_rate_hz + 2.0 * parameters.pair_rate_hz
        seconds = (hits or _HITS) / (1.5 * photons)  # a photon leaves 1.5 hits
    done = 0.0

    def advance(step_s: float) -> None:
        nonlocal done
        done += step_s
        on_share(done / seconds)

    simulate(path, seconds=seconds, parameters=parameters, on_progress=advance)
    return f"{seconds:.3g} s of the simulator's {_PRESET} preset"


def _present(values: dict[str, Any]) -> None:
    from twinbeam.cli.bench_table import chain_table, file_line, machine_line, stage_table

    out.print(plain(file_line(values["file"], values["simulated"])))
    out.print(plain(machine_line(values["machine"])))
    out.print(stage_table(values))
    out.print(chain_table(values))
    for name, peer in values["peers"].items():
        if "problem" in peer:
            out.print(f"{name}: {plain(peer['problem'])}")
    out.print(
        f"Medians of {values['repeat']}. Above idle: peak memory less that of the same process "
        "with its libraries, before the data."
    )

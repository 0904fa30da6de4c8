"""`twinbeam process`."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn

from twinbeam.cli.console import contrast, err, number, out, plain, show_json, two_columns, warning
from twinbeam.errors import RawDataError, StorageError

__all__ = ["process", "summary_rows"]

_BAR_FROM_BYTES = 20_000_000


def process(
    raw: Annotated[list[Path], typer.Argument(help="Raw .tpx3 files, in order.", metavar="RAW…")],
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write the result to this NeXus/HDF5 file.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="Recipe (YAML) to use instead of the default one.")
    ] = None,
    photons: Annotated[
        bool, typer.Option("--photons", help="Keep the table of all photons in the result.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON on stdout.")
    ] = False,
) -> None:
    """Raw files → photons, pairs, accidentals and twin images.

    Example: twinbeam process run_000000.tpx3 run_000001.tpx3 --out result.h5
    """
    from twinbeam.pipeline import Recipe, summary, write_nexus
    from twinbeam.pipeline import process as process_files
    from twinbeam.tpx3 import check_raw_file

    started = time.perf_counter()
    chosen = Recipe.load(recipe) if recipe else Recipe()
    total = sum(check_raw_file(path).stat().st_size for path in raw)
    if total == 0:
        raise RawDataError("holds no data (0 bytes)", where=", ".join(str(path) for path in raw))
    if out_file is not None and any(_same_file(out_file, path) for path in raw):
        raise StorageError(
            "would replace a raw file", where=str(out_file), hint="choose another --out"
        )
    with Progress(
        SpinnerColumn(),
        *Progress.get_default_columns(),
        console=err,
        transient=True,
        disable=not err.is_terminal or total < _BAR_FROM_BYTES,
    ) as progress:
        bar = progress.add_task("processing", total=total)
        result = process_files(
            raw, chosen, keep_photons=photons, on_progress=lambda n: progress.advance(bar, n)
        )
    if out_file is not None:
        write_nexus(result, out_file, sources={str(path): _digest(path) for path in raw})
    values = {"files": [str(path) for path in raw], **summary(result)}
    values["damage"] = result.census.damage
    values["seconds"] = time.perf_counter() - started
    if result.census.damage:
        warning(f"the raw data are damaged: {result.census.describe_damage()}; the rest was used")
    if as_json:
        show_json(values)
        return
    out.print(two_columns(f"{len(raw)} raw file(s)", summary_rows(values)))
    if out_file is not None:
        out.print(f"result written to {plain(str(out_file))}", soft_wrap=True)


def _same_file(path: Path, other: Path) -> bool:
    return path.exists() and path.samefile(other)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def summary_rows(values: dict[str, Any]) -> list[tuple[str, str]]:
    """Rows for people of the values `twinbeam.pipeline.summary` gives."""
    pairs, rates, estimates = values["pairs"], values["rates_hz"], values["estimates"]
    rows = [
        ("bytes", number(values["bytes"])),
        ("hits", f"{number(values['hits'])}   {number(rates['hits'], 0, 'per s')}"),
        ("photons", f"{number(values['photons'])}   {number(rates['photons'], 0, 'per s')}"),
        ("duration", number(values["duration_s"], 3, "s")),
        ("pairs, prompt", number(pairs["prompt"])),
        ("accidentals", number(pairs["accidental"], 2)),
        ("pairs, net", f"{number(pairs['net'], 1)} ± {number(pairs['net_err'], 1)}"),
        ("pair rate", number(rates["pairs"], 3, "per s")),
        ("peak over floor", contrast(pairs)),
        ("S/B", number(pairs["s_over_b"], 1)),
        ("Δt, σ", number(estimates["dt_sigma_ns"], 1, "ns")),
    ]
    if estimates["detuning_deg"] is not None:
        spread = number(estimates["detuning_sigma_deg"], 5)
        rows.append(("detuning from pairs", f"{estimates['detuning_deg']:.5f}°, σ {spread}°"))
    if estimates["centre_px"] is not None:
        x, y = estimates["centre_px"]
        rows.append(("centre from pairs", f"{x:.2f}, {y:.2f} px"))
    for stage, account in values["ledger"].items():
        rejected = ", ".join(f"{n:,} {why}" for why, n in account["rejected"].items() if n)
        gone = account["used"] + sum(account["rejected"].values())
        balance = (
            "closes" if gone + account["dropped"] + account["held"] == account["in"] else "OPEN"
        )
        rows.append(
            (
                f"ledger: {stage}",
                f"{account['in']:,} in = {account['used']:,} used"
                + (f" + rejected ({rejected})" if rejected else "")
                + (f" + {account['dropped']:,} dropped" if account["dropped"] else "")
                + (f" + {account['held']:,} held" if account["held"] else "")
                + f"   {balance}",
            )
        )
    rows.append(("recipe", values["recipe_hash"]))
    return rows

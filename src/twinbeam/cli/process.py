"""`twinbeam process`."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Annotated

import typer

from twinbeam.cli.console import out, plain, show_json, two_columns, warning
from twinbeam.cli.out_file import check_out_file
from twinbeam.cli.progress import QuietOption, bar
from twinbeam.cli.summary_rows import summary_rows
from twinbeam.cli.workers import default_workers
from twinbeam.errors import RawDataError

__all__ = ["process"]


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
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            help="Threads that share the work; the result does not depend on them. Default: usable "
            "processors, at most 4.",
        ),
    ] = None,
    _quiet: QuietOption = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON on stdout.")
    ] = False,
) -> None:
    """Raw files → photons, pairs, accidentals and twin images.

    Example: twinbeam process run_000000.tpx3 run_000001.tpx3 --out result.h5
    """
    from twinbeam.pipeline import Recipe, acquisitions_of, summary, write_nexus
    from twinbeam.pipeline import process as process_files

    started = time.perf_counter()
    chosen = Recipe.load(recipe) if recipe else Recipe()
    total = sum(path.stat().st_size for files in acquisitions_of(raw) for path in files)
    if total == 0:
        raise RawDataError("holds no data (0 bytes)", where=", ".join(str(path) for path in raw))
    check_out_file(out_file, inputs=raw)
    with bar("processing", total, silent=as_json) as shown:
        result = process_files(
            raw,
            chosen,
            keep_photons=photons,
            workers=workers or default_workers(),
            on_progress=shown.advance,
        )
    if out_file is not None:
        with bar("writing", silent=as_json):
            write_nexus(result, out_file, sources={str(path): _digest(path) for path in raw})
    values = {"files": [str(path) for path in raw], **summary(result)}
    values["damage"] = result.census.damage
    values["seconds"] = time.perf_counter() - started
    if result.census.damage:
        warning(f"the raw data are damaged: {result.census.describe_damage()}; the rest was used")
    if as_json:
        show_json(values)
        return
    out.print(two_columns(f"{len(raw)} raw file(s)", summary_rows(values, result)))
    if out_file is not None:
        out.print(f"result written to {plain(str(out_file))}", soft_wrap=True)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

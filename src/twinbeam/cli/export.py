"""`twinbeam export`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from twinbeam.cli.catalog_option import DEFAULT_CATALOG, CatalogOption, open_existing
from twinbeam.cli.console import out, plain, show_json, warning
from twinbeam.cli.out_file import check_out_file
from twinbeam.cli.progress import QuietOption, bar
from twinbeam.cli.stored_runs import run_names
from twinbeam.errors import StorageError

__all__ = ["export"]


class Format(StrEnum):
    """Kinds of files."""

    NEXUS = "nexus"
    CSV = "csv"
    PARQUET = "parquet"
    ZARR = "zarr"


def export(
    out_file: Annotated[Path, typer.Option("--out", help="File to write; for zarr a folder.")],
    run: Annotated[
        str,
        typer.Argument(
            help="Uid or its beginning, scan id, or -1 for the newest run (default).",
            callback=run_names,
        ),
    ] = "-1",
    kind: Annotated[
        Format, typer.Option("--format", help="Kind of file.", case_sensitive=False)
    ] = Format.NEXUS,
    catalog: CatalogOption = DEFAULT_CATALOG,
    recipe_hash: Annotated[
        str | None,
        typer.Option(help="Hash of the recipe, or its beginning, when several results are stored."),
    ] = None,
    what: Annotated[
        str,
        typer.Option(
            help="Table or histogram that goes into csv or parquet: pairs, dt, dt_accidental, "
            "detuning, energy, …; a name that is not there is answered with those that are."
        ),
    ] = "pairs",
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file if it is there.")
    ] = False,
    _quiet: QuietOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """Hand a stored result on as NeXus, CSV, parquet or zarr, with all that says where it is from.

    NeXus and zarr hold all of it: pairs, images, histograms with their axes, estimates. CSV and
    parquet hold one table, named with --what. In each are the run, its start and stop documents,
    the recipe, the versions, and the raw files with their sizes and SHA-256: in NeXus under
    /entry/provenance, in zarr in the attributes, in CSV in the lines that begin with #, in parquet
    in the metadata of the schema under 'twinbeam'. Raw files that cannot be read are told, and the
    file says so too.

    Example: twinbeam export -1 --out newest.nxs

    Example: twinbeam export 3f4a8174 --format csv --out pairs.csv
    """
    from twinbeam.replay import find_run
    from twinbeam.store import export_result, raw_sources, read_result

    if out_file.exists() and not force:
        raise StorageError("is there already", where=str(out_file), hint="replace it with --force")
    if kind is not Format.ZARR:
        check_out_file(out_file)
    with open_existing(catalog) as stored:
        uid = str(find_run(stored.broker(), run).uid)
        total = sum(source.n_bytes or 0 for source in raw_sources(stored, uid))
        with bar("digests of the raw files", total, silent=as_json) as shown:
            result = read_result(stored, uid, recipe_hash, on_progress=shown.advance)
    with bar("writing", silent=as_json):
        export_result(result, out_file, kind.value, what=what, force=force)
    for source in result.sources:
        if source.problem is not None:
            warning(f"{source.path}: {source.problem}; the file says so too")
    if as_json:
        values = {"file": str(out_file), "format": kind.value, **result.provenance}
        show_json({key: values[key] for key in values if key not in ("start", "stop")})
        return
    out.print(
        plain(f"run {uid[:8]}, recipe {result.recipe_hash}: written to {out_file}"), soft_wrap=True
    )

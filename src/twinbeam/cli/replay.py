"""`twinbeam replay`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from twinbeam.cli.console import out, problem, show_json, two_columns
from twinbeam.cli.process import summary_rows

__all__ = ["replay"]


def replay(
    run: Annotated[
        str, typer.Argument(help="Uid or its beginning, scan id, or -1 for the newest run.")
    ] = "-1",
    catalog: Annotated[
        Path, typer.Option(help="Folder of the catalogue.", envvar="TWINBEAM_CATALOG")
    ] = Path("twinbeam-demo/catalog"),
    recipe: Annotated[
        Path | None, typer.Option(help="Recipe to use instead of the one the run was taken with.")
    ] = None,
    figures: Annotated[Path | None, typer.Option(help="Folder to write the figures to.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """A stored run through databroker into the live analysis.

    Example: twinbeam replay -- -1
    """
    from twinbeam.errors import StorageError
    from twinbeam.live import CoincidenceCallback
    from twinbeam.pipeline import Recipe, summary
    from twinbeam.replay import replay as send
    from twinbeam.store import open_catalog

    if not (catalog / "catalog.db").exists():
        raise StorageError(
            "no catalogue in this folder", where=str(catalog), hint="name it with --catalog"
        )
    started = time.perf_counter()
    callback = CoincidenceCallback(Recipe.load(recipe) if recipe else None)
    try:
        with open_catalog(catalog) as stored:
            uid = send(stored, run, callback)
        callback.wait()
    finally:
        callback.close()
    result, health = callback.latest
    if result is None:
        raise StorageError(
            "the run names no raw files", where=uid, hint="choose a run of collect_pairs"
        )
    values = {
        "run": uid,
        **summary(result),
        "digest": result.digest(),
        "problems": list(health.problems),
        "seconds": time.perf_counter() - started,
    }
    if figures is not None:
        from twinbeam.view import save_figures

        save_figures(result, figures, f"run {uid[:8]}")
    if as_json:
        show_json(values)
    else:
        rows = [*summary_rows(values), ("digest", str(values["digest"])[:16])]
        out.print(two_columns(f"run {uid[:8]}", rows))
    for text in health.problems:
        problem(text)
    if health.problems:
        raise typer.Exit(1)

"""`twinbeam replay`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from twinbeam.cli.console import out, problem, show_json, two_columns
from twinbeam.cli.summary_rows import summary_rows

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

    Without a run it takes the newest. Where a result of the same recipe is stored with the run, the
    two are compared bit by bit; status 1 if they differ.

    Example: twinbeam replay 3f4a8174 --catalog twinbeam-demo/catalog
    """
    from twinbeam.errors import StorageError
    from twinbeam.live import CoincidenceCallback
    from twinbeam.pipeline import Recipe, summary
    from twinbeam.replay import replay as send
    from twinbeam.store import open_catalog, stored_digest

    if not (catalog / "catalog.db").exists():
        raise StorageError(
            "no catalogue in this folder", where=str(catalog), hint="name it with --catalog"
        )
    if figures is not None and figures.exists() and not figures.is_dir():
        raise StorageError("is no folder for figures", where=str(figures))
    started = time.perf_counter()
    callback = CoincidenceCallback(Recipe.load(recipe) if recipe else None)
    try:
        with open_catalog(catalog) as stored:
            uid = send(stored, run, callback)
            callback.wait()
            result, health = callback.latest
            before = None if result is None else stored_digest(stored, uid, result.recipe.hash)
    finally:
        callback.close()
    problems = list(dict.fromkeys([*callback.errors, *health.problems]))
    if result is None:
        if problems:
            raise StorageError(f"cannot be analysed: {problems[0]}", where=f"run {uid}")
        raise StorageError(
            "the run names no raw files", where=f"run {uid}", hint="choose a run of collect_pairs"
        )
    if health.state == "running":
        problems.append("the run has no stop document; this is what it had measured by then")
    digest = result.digest()
    if before not in (None, digest):
        problems.append(
            "the result differs from the one stored with the run: raw files or program changed"
        )
    values: dict[str, Any] = {
        "run": uid,
        "state": health.state,
        **summary(result),
        "digest": digest,
        "same_as_stored": None if before is None else before == digest,
        "problems": problems,
        "seconds": time.perf_counter() - started,
    }
    if figures is not None:
        from twinbeam.view import save_figures

        save_figures(result, figures, f"run {uid[:8]}")
    if as_json:
        show_json(values)
    else:
        same = {None: "no stored result of this recipe", True: "bit-identical", False: "DIFFERENT"}
        rows = [*summary_rows(values, result), ("digest", digest[:16])]
        rows.append(("against the stored result", same[values["same_as_stored"]]))
        out.print(two_columns(f"run {uid[:8]}", rows))
    for text in problems:
        problem(text)
    if problems:
        raise typer.Exit(1)

"""`twinbeam ingest`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinbeam.cli.catalog_option import DEFAULT_CATALOG, CatalogOption, open_existing
from twinbeam.cli.console import out, plain, problem, show_json, warning
from twinbeam.cli.progress import QuietOption, bar
from twinbeam.errors import StorageError

if TYPE_CHECKING:
    from twinbeam.store import Catalog

__all__ = ["ingest"]


def ingest(
    lines: Annotated[
        list[Path] | None,
        typer.Argument(help="JSON-lines files of runs.", metavar="LINES…", show_default=False),
    ] = None,
    catalog: CatalogOption = DEFAULT_CATALOG,
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Every run in the catalogue's folder of JSON lines that is not stored whole.",
        ),
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Store runs anew that are stored already.")
    ] = False,
    _quiet: QuietOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """Put runs into the catalogue from their JSON lines, when storing them live has failed.

    The documents are stored as they were sent; a run that was cut off is stored as far as it came.
    With --all, what is stored of a run only in part is replaced, and a run that may still be being
    written is left alone. The status is 1 if a run could not be stored.

    Example: twinbeam ingest --all --catalog twinbeam-demo/catalog
    """
    if bool(lines) == every:
        raise typer.BadParameter("name files, or give --all", param_hint="LINES…")
    stored: list[dict[str, Any]] = []
    with open_existing(catalog) as opened, bar("storing", silent=as_json) as shown:
        todo = len(lines) if lines else len(list(opened.documents_directory.glob("*.jsonl")))
        shown.update(total=todo)
        for path, uid, anew, failure in _work(opened, lines or [], replace):
            shown.advance(1)
            stored.append({"file": str(path), "run": uid, "stored": failure is None})
            if failure is not None:
                problem(failure)
                stored[-1]["problem"] = failure
            elif not as_json:
                out.print(plain(f"run {uid} {'stored anew' if anew else 'stored'} from {path}"))
        if not stored and not as_json:
            out.print(f"every run in {plain(str(opened.documents_directory))} is stored whole")
    if as_json:
        show_json({"runs": stored})
    if any(not run["stored"] for run in stored):
        raise typer.Exit(1)


def _work(
    catalog: Catalog, lines: list[Path], replace: bool
) -> Any:  # an iterator of (path, uid, whether it was there, failure)
    from twinbeam.store import ingest as take_in
    from twinbeam.store import kept_runs

    if lines:
        for path in lines:
            try:
                yield path, take_in(catalog, path, replace=replace), replace, None
            except StorageError as error:
                yield path, None, False, str(error)
        return
    for run in kept_runs(catalog):
        if run.problem is not None:
            yield run.path, None, False, run.problem
        elif run.going_on:
            warning(f"run {run.run} may still be being written; it is left alone")
        elif not run.whole or replace:
            try:
                there = run.run in catalog.client[run.container]
                take_in(catalog, run.path, container=run.container, replace=True)
                yield run.path, run.run, there, None
            except StorageError as error:
                yield run.path, run.run, False, str(error)

"""`twinbeam relocate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from twinbeam.cli.catalog_option import DEFAULT_CATALOG, CatalogOption, open_existing
from twinbeam.cli.console import out, plain, problem, show_json
from twinbeam.cli.progress import QuietOption, bar

__all__ = ["relocate"]


def relocate(
    old: Annotated[Path, typer.Argument(help="Folder in which the raw files were.", metavar="OLD")],
    new: Annotated[Path, typer.Argument(help="Folder in which they are now.", metavar="NEW")],
    catalog: CatalogOption = DEFAULT_CATALOG,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check and print; change nothing.")
    ] = False,
    _quiet: QuietOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """Tell a catalogue that raw files were moved from one folder to another.

    Move the files first. Each run is changed only if all its files are at their new place with the
    size and the content that were registered; else it is left as it is, and the status is 1.

    Example: twinbeam relocate /data/2026-1 /archive/2026-1 --dry-run
    """
    from twinbeam.store import relocate as move

    with open_existing(catalog, readable=(new,)) as stored, bar("checking", silent=as_json):
        runs = move(stored, old, new, dry_run=dry_run)
    failed = [run for run in runs if run.problem is not None]
    if as_json:
        values: dict[str, Any] = {
            "old": str(old.absolute()),
            "new": str(new.absolute()),
            "dry_run": dry_run,
            "changed": 0 if dry_run else len(runs) - len(failed),
            "runs": [
                {
                    "run": run.run,
                    "files": [[str(before), str(after)] for before, after in run.files],
                    "problem": run.problem,
                }
                for run in runs
            ],
        }
        show_json(values)
    else:
        done = "would be changed" if dry_run else "changed"
        for run in runs:
            if run.problem is None:
                out.print(plain(f"run {run.run[:8]}: {len(run.files)} file(s) {done}"))
                for before, after in run.files:
                    out.print(plain(f"  {before} → {after}"), soft_wrap=True)
        out.print(f"{len(runs) - len(failed)} of {len(runs)} run(s) {done}")
        if not runs:
            out.print(
                "no registered file is in the old folder"
                + ("" if dry_run else "; runs whose events name files there now find the new one"),
                soft_wrap=True,
            )
    for run in failed:
        problem(f"run {run.run[:8]} is left as it is: {run.problem}")
    if failed:
        raise typer.Exit(1)

"""`twinbeam replay`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinbeam.cli.catalog_option import DEFAULT_CATALOG, CatalogOption, is_server, open_existing
from twinbeam.cli.console import out, plain, problem, show_json, two_columns, warning
from twinbeam.cli.progress import QuietOption
from twinbeam.cli.stored_runs import metadata_query, run_line, run_names
from twinbeam.cli.summary_rows import summary_rows
from twinbeam.errors import StorageError

if TYPE_CHECKING:
    from twinbeam.store import Catalog

__all__ = ["replay"]

_LISTED = 10  # runs that are named when several fit a search
_SAME = {None: "there was none of this recipe", True: "bit-identical", False: "DIFFERENT"}


def replay(
    run: Annotated[
        str | None,
        typer.Argument(
            help="Uid or its beginning, scan id, or -1 for the newest run (default).",
            callback=run_names,
        ),
    ] = None,
    catalog: CatalogOption = DEFAULT_CATALOG,
    recipe: Annotated[
        Path | None, typer.Option(help="Recipe to use instead of the one the run was taken with.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            help="Take the newest run whose metadata fit, as in sample=leaf or "
            "recipe.geometry.energy_kev=15. Repeatable: all must fit.",
            metavar="KEY=VALUE",
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="With --where: all runs that fit, the oldest first.")
    ] = False,
    lines: Annotated[
        Path | None,
        typer.Option(help="Take the documents from this JSON-lines file instead of databroker."),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(help="1 replays at the original pace, 10 ten times faster. Default: no wait."),
    ] = None,
    store: Annotated[
        bool,
        typer.Option("--store/--no-store", help="Store the result when its recipe has none yet."),
    ] = True,
    figures: Annotated[Path | None, typer.Option(help="Folder to write the figures to.")] = None,
    _quiet: QuietOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """Stored runs through databroker into the live analysis.

    Without a run it takes the newest. Where a result of the same recipe is stored with the run, the
    two are compared bit by bit; status 1 if they differ. The result of another recipe is stored
    beside it, under derived/<run>/<recipe hash>.

    Example: twinbeam replay 3f4a8174 --recipe wider.yaml

    Example: twinbeam replay --where sample=leaf --where plan_name=collect_pairs
    """
    if speed is not None and not (speed > 0.0 and math.isfinite(speed)):
        raise typer.BadParameter("must be a positive number", param_hint="--speed")
    if sum(given is not None for given in (run, where or None, lines)) > 1:
        raise typer.BadParameter("give only one of RUN, --where and --lines")
    if every and not where:
        raise typer.BadParameter("--all needs --where")
    query = metadata_query(where or [])
    if figures is not None and figures.exists() and not figures.is_dir():
        raise StorageError("is no folder for figures", where=str(figures))

    from contextlib import ExitStack

    from twinbeam.cli.replay_run import Source, replay_run
    from twinbeam.pipeline import Recipe

    chosen = Recipe.load(recipe) if recipe else None
    with ExitStack() as closing:
        stored: Catalog | None = None
        if lines is None:
            stored = closing.enter_context(open_existing(catalog))
            keys = _keys(stored, query, every=every) if query else [run or "-1"]
            sources = [Source.of_run(stored, key) for key in keys]
        else:
            sources = [Source.of_lines(lines)]
            if _is_there(catalog):
                stored = closing.enter_context(open_existing(catalog))
        shown: list[dict[str, Any]] = []
        for source in sources:
            values, result = replay_run(
                source, stored, chosen, speed=speed, store=store, silent=as_json
            )
            shown.append(values)
            name = f"run {source.uid[:8]}"
            if figures is not None:
                from twinbeam.view import save_figures

                save_figures(result, figures / source.uid[:8] if every else figures, name)
            if not as_json:
                rows = [*summary_rows(values, result), ("digest", values["digest"][:16])]
                rows.append(("against the stored result", _SAME[values["same_as_stored"]]))
                if values["stored_at"]:
                    rows.append(("stored at", values["stored_at"]))
                out.print(two_columns(name, rows))
            if left := values["left_over"]:
                warning(
                    f"{name}: {len(left)} raw file(s) of its acquisition are on disk, but no event "
                    f"names them, so they are not in the result: {', '.join(left[:_LISTED])}"
                    f"{' …' if len(left) > _LISTED else ''}; 'twinbeam process' reads them"
                )
            for text in values["problems"]:
                problem(text if len(sources) == 1 else f"{name}: {text}")
    if as_json:
        show_json(shown if every else shown[0])
    if any(values["problems"] for values in shown):
        raise typer.Exit(1)


def _is_there(catalog: str) -> bool:
    """Whether documents from a file can be compared with what is stored."""
    return is_server(catalog) or (Path(catalog) / "catalog.db").exists()


def _keys(stored: Any, query: dict[str, tuple[Any, ...]], *, every: bool) -> list[str]:
    """Uids of the runs that fit: the newest, or all of them with the oldest first."""
    from twinbeam.replay import find_runs

    starts = find_runs(stored.broker(), query)
    if not starts:
        asked = ", ".join(f"{key}={values[0]}" for key, values in query.items())
        raise StorageError(f"no run with {asked}", hint="check key and value; dots lead inwards")
    if every:
        return [str(start["uid"]) for start in reversed(starts)]
    if len(starts) > 1:
        listed = "; ".join(run_line(start) for start in starts[:_LISTED])
        more = f"; and {len(starts) - _LISTED} more" if len(starts) > _LISTED else ""
        warning(plain(f"{len(starts)} runs fit, the newest is replayed: {listed}{more}"))
    return [str(starts[0]["uid"])]

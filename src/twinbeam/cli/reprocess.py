"""`twinbeam reprocess`."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinbeam.cli.catalog_option import DEFAULT_CATALOG, CatalogOption, open_existing
from twinbeam.cli.console import number, out, plain, problem, show_json, two_columns
from twinbeam.cli.out_file import check_out_file
from twinbeam.cli.progress import QuietOption, bar
from twinbeam.cli.stored_runs import metadata_query, run_names
from twinbeam.cli.summary_rows import summary_rows
from twinbeam.errors import StorageError

if TYPE_CHECKING:
    from twinbeam.replay import Progress, RawRun, Reprocessed
    from twinbeam.store import Catalog

__all__ = ["reprocess"]

_SAME = {None: "there was none of this recipe", True: "bit-identical", False: "DIFFERENT"}


def reprocess(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            help="Runs: uid or its beginning, scan id, or -1 for the newest. Raw files with "
            "--files.",
            metavar="RUN…",
            callback=run_names,
        ),
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="Recipe to use instead of those the runs were taken with.")
    ] = None,
    files: Annotated[
        bool, typer.Option("--files", help="The arguments are raw .tpx3 files, in their order.")
    ] = False,
    where: Annotated[
        list[str] | None,
        typer.Option(
            help="Also all runs whose metadata fit, as in sample=leaf. Repeatable: all must fit.",
            metavar="KEY=VALUE",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1024,
            help="Processes that share the work; results do not depend on them. Default: usable "
            "processors.",
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of a Dask scheduler, as tcp://host:8786, or 'local' for a Dask cluster "
            "on this machine. Needs the extra 'dask'."
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Folder for partial results: started again, work goes on where it was. It may be "
            "deleted at any time.",
            envvar="TWINBEAM_CACHE",
        ),
    ] = None,
    catalog: CatalogOption = DEFAULT_CATALOG,
    store: Annotated[
        bool,
        typer.Option("--store/--no-store", help="Store a result when its recipe has none yet."),
    ] = True,
    out_file: Annotated[
        Path | None,
        typer.Option("--out", help="With --files: write the result to this NeXus/HDF5 file."),
    ] = None,
    _quiet: QuietOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """The raw files of many runs once more, with many processes or a Dask cluster.

    The results are bit-identical to those of 'twinbeam process' and 'twinbeam replay'. A worker
    that dies costs only time. Results of runs are stored beside them, under
    derived/<run>/<recipe hash>; where there is one already the two are compared, status 1 if they
    differ. The catalogue is open meanwhile: to work beside a session, name a server.

    Example: twinbeam reprocess 41 42 43 --recipe wider.yaml --cache parts

    Example: twinbeam reprocess --files run_*.tpx3 --workers 16 --out result.h5
    """
    query = metadata_query(where or [])
    if files and query:
        raise typer.BadParameter("give only one of --files and --where")
    if out_file is not None and not files:
        raise typer.BadParameter("--out needs --files; results of runs are stored with them")
    if not runs and not query:
        raise typer.BadParameter("name a run, or raw files with --files", param_hint="RUN…")

    from twinbeam.pipeline import Recipe
    from twinbeam.replay import raw_run_of_files
    from twinbeam.replay import reprocess as work

    chosen = Recipe.load(recipe) if recipe else None
    n_workers = workers or len(os.sched_getaffinity(0))
    begun = time.perf_counter()
    shown: list[dict[str, Any]] = []
    with ExitStack() as held:
        stored: Catalog | None = None
        if files:
            planned = [raw_run_of_files([Path(path) for path in runs or []])]
            raw = [path for each in planned[0].acquisitions for path in each]
            check_out_file(out_file, inputs=raw)
        else:
            stored = held.enter_context(open_existing(catalog))
            planned = _stored_runs(stored, runs or [], query)
        tell = held.enter_context(_bar(sum(run.n_bytes for run in planned), silent=as_json))
        results = work(
            planned,
            chosen,
            workers=n_workers,
            scheduler=scheduler,
            cache=cache,
            on_progress=tell,
        )
        for one in held.enter_context(closing(results)):
            values = _values(one, stored, store=store)
            shown.append(values)
            if out_file is not None:
                _write(one, out_file)
            if not as_json:
                _show(one, values)
    seconds = time.perf_counter() - begun
    hits = sum(values["hits"] for values in shown)
    if as_json:
        totals = {"hits": hits, "bytes": sum(values["bytes"] for values in shown)}
        show_json({"runs": shown, **totals, "workers": n_workers, "seconds": seconds})
    else:
        speed = number(1e-6 * hits / seconds, 1, "Mhit/s")
        out.print(f"{len(shown)} result(s), {hits:,} hits in {seconds:.1f} s, {speed}")
        if out_file is not None:
            out.print(f"result written to {plain(str(out_file))}", soft_wrap=True)
    for values in shown:
        for text in values["problems"]:
            problem(text if len(shown) == 1 else f"run {values['run'][:8]}: {text}")
    if any(values["problems"] for values in shown):
        raise typer.Exit(1)


def _stored_runs(
    stored: Catalog, names: list[str], query: dict[str, tuple[Any, ...]]
) -> list[RawRun]:
    """Runs by name, then those that fit a search with the oldest first; each once."""
    from twinbeam.replay import find_run, find_runs, stored_raw_run

    uids = [str(find_run(stored.broker(), name).uid) for name in names]
    if query:
        starts = find_runs(stored.broker(), query)
        if not starts:
            asked = ", ".join(f"{key}={values[0]}" for key, values in query.items())
            raise StorageError(f"no run with {asked}", hint="check key and value")
        uids += [str(start["uid"]) for start in reversed(starts)]
    return [stored_raw_run(stored, uid) for uid in dict.fromkeys(uids)]


def _values(one: Reprocessed, stored: Catalog | None, *, store: bool) -> dict[str, Any]:
    from twinbeam.cli.replay_run import against_stored
    from twinbeam.pipeline import summary

    problems = list(one.problems)
    before, stored_at = against_stored(one.run.name, stored, one.result, problems, store=store)
    digest = one.result.digest()
    return {
        "run": one.run.name,
        **summary(one.result),
        "digest": digest,
        "same_as_stored": None if before is None else before == digest,
        "stored_at": stored_at,
        "problems": problems,
    }


def _show(one: Reprocessed, values: dict[str, Any]) -> None:
    rows = [*summary_rows(values, one.result), ("digest", values["digest"][:16])]
    of_run = values["stored_at"] or values["same_as_stored"] is not None
    if of_run:
        rows.append(("against the stored result", _SAME[values["same_as_stored"]]))
    if values["stored_at"]:
        rows.append(("stored at", values["stored_at"]))
    n_files = sum(len(files) for files in one.run.acquisitions)
    out.print(two_columns(f"{one.run.name[:8]}, {n_files} raw file(s)", rows))


def _write(one: Reprocessed, path: Path) -> None:
    from twinbeam.pipeline import write_nexus

    sources = {}
    for files in one.run.acquisitions:
        for file in files:
            with file.open("rb") as stream:
                sources[str(file)] = hashlib.file_digest(stream, "sha256").hexdigest()
    write_nexus(one.result, path, sources=sources)


@contextmanager
def _bar(total: int, *, silent: bool) -> Iterator[Any]:
    """A bar with the time that is left; what is given tells it how far the work is."""
    with bar("reprocessing", total, silent=silent) as shown:

        def tell(now: Progress) -> None:
            done = f"{1e-9 * now.done_bytes:.2f} of {1e-9 * total:.2f} GB"
            kept = f", {1e-9 * now.cached_bytes:.2f} of them kept" if now.cached_bytes else ""
            shown.update(now.done_bytes, text=f"reprocessing {done}{kept}", left_s=now.eta_s)

        yield tell

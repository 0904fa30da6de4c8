"""`twinbeam compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twinbeam.cli.catalog_option import DEFAULT_CATALOG, CatalogOption, open_existing
from twinbeam.cli.compare_tables import comparison_tables
from twinbeam.cli.console import out, plain, show_json
from twinbeam.cli.progress import QuietOption, bar
from twinbeam.cli.stored_runs import run_names

if TYPE_CHECKING:
    from twinbeam.replay import ResultContent
    from twinbeam.store import Catalog

__all__ = ["compare"]

_HELP = (
    "RUN (uid or its beginning, scan id, or -1 for the newest), RUN@HASH for the result of the "
    "recipe whose hash begins so, RUN@RECIPE.yaml, or an HDF5 file of 'twinbeam process'."
)
_FILES = {".h5", ".hdf5", ".nxs"}


def compare(
    a: Annotated[str, typer.Argument(help=_HELP, metavar="A", callback=run_names)],
    b: Annotated[str, typer.Argument(help="The same.", metavar="B", callback=run_names)],
    catalog: CatalogOption = DEFAULT_CATALOG,
    _quiet: QuietOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """What changed from one result to another: recipe, ledger, estimates, images and pairs.

    Status 0 when they are bit-identical, 1 when not.

    Example: twinbeam compare -1 -1@wider.yaml

    Example: twinbeam compare before.h5 after.h5
    """
    from contextlib import ExitStack

    from twinbeam.replay import compare as find_differences
    from twinbeam.replay import content_of_file

    with ExitStack() as closing, bar("comparing", silent=as_json):
        stored = None
        contents = []
        for name in (a, b):
            if _is_file(name):
                contents.append(content_of_file(name))
                continue
            if stored is None:
                stored = closing.enter_context(open_existing(catalog))
            contents.append(_of_run(stored, name))
        found = find_differences(*contents)
    if as_json:
        show_json(found.as_dict())
    else:
        for table in comparison_tables(found):
            out.print(table)
        verdict = "bit-identical" if found.identical else "DIFFERENT"
        out.print(plain(f"{found.a} and {found.b}: {verdict}"), soft_wrap=True)
    if not found.identical:
        raise typer.Exit(1)


def _is_file(name: str) -> bool:
    return Path(name).is_file() or Path(name).suffix in _FILES


def _of_run(stored: Catalog, name: str) -> ResultContent:
    from twinbeam.pipeline import Recipe
    from twinbeam.replay import content_of_stored, find_run

    run, at, which = name.partition("@")
    uid = str(find_run(stored.broker(), run).uid)
    if not at:
        return content_of_stored(stored, uid)
    if Path(which).is_file():
        which = Recipe.load(which).hash
    return content_of_stored(stored, uid, which)

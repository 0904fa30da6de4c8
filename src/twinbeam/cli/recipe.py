"""`twinbeam recipe`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twinbeam.cli.catalog_option import DEFAULT_CATALOG, CatalogOption
from twinbeam.cli.console import out, plain, show_json, warning
from twinbeam.cli.stored_runs import NUMBERED_RUNS, run_names

if TYPE_CHECKING:
    from twinbeam.pipeline import Recipe

__all__ = ["recipe"]

recipe = typer.Typer(help="Parameters of the analysis.", no_args_is_help=True)

_Json = Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")]


@recipe.command()
def show(
    path: Annotated[
        Path | None, typer.Argument(help="Recipe file; the default recipe if none.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Print a complete recipe as YAML, with every default filled in.

    Example: twinbeam recipe show > my_recipe.yaml
    """
    from twinbeam.pipeline import Recipe

    _print(Recipe.load(path) if path else Recipe(), as_json=as_json)


@recipe.command()
def check(
    path: Annotated[Path, typer.Argument(help="Recipe file to check.")], as_json: _Json = False
) -> None:
    """Check a recipe file and the files it names; wrong keys and values are named.

    Relative paths in a recipe start from the folder the recipe is in.

    Example: twinbeam recipe check my_recipe.yaml
    """
    from twinbeam.pipeline import Recipe
    from twinbeam.pipeline.tables import Tables

    checked = Recipe.load(path)
    Tables.of(checked)
    if as_json:
        show_json({"file": str(path), "recipe_hash": checked.hash})
        return
    out.print(f"{plain(str(path))}: good, recipe {checked.hash}", soft_wrap=True)


@recipe.command(name="from-run", context_settings=NUMBERED_RUNS)
def from_run(
    source: Annotated[
        str,
        typer.Argument(
            help="Result file (HDF5), or a stored run: its uid, the first 5 characters of one, a "
            "scan id, or -1 for the newest.",
            metavar="RUN",
            callback=run_names,
        ),
    ],
    catalog: CatalogOption = DEFAULT_CATALOG,
    as_json: _Json = False,
) -> None:
    """Print the recipe a result or a stored run was made with.

    Example: twinbeam recipe from-run result.h5 > my_recipe.yaml
    """
    from twinbeam.cli.recipe_source import recipe_of_file, recipe_of_run

    path = Path(source)
    if path.is_file() or path.suffix in {".h5", ".hdf5", ".nxs"}:
        found, named = recipe_of_file(path)
        if named not in (None, found.hash):
            warning(
                f"{path}: its recipe was called {named} by another version of twinbeam, "
                f"which had other parameters; now it is {found.hash}"
            )
    else:
        found = recipe_of_run(source, catalog)
    _print(found, as_json=as_json)


def _print(shown: Recipe, *, as_json: bool) -> None:
    if as_json:
        show_json({"recipe_hash": shown.hash, "recipe": shown.as_dict()})
    else:
        print(f"# recipe {shown.hash}\n{shown.to_yaml()}", end="")

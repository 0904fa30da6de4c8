"""`twinbeam recipe`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twinbeam.cli.console import out, plain

__all__ = ["recipe"]

recipe = typer.Typer(help="Parameters of the analysis.", no_args_is_help=True)


@recipe.command()
def show(
    path: Annotated[
        Path | None, typer.Argument(help="Recipe file; the default recipe if none.")
    ] = None,
) -> None:
    """Print a complete recipe as YAML, with every default filled in.

    Example: twinbeam recipe show > my_recipe.yaml
    """
    from twinbeam.pipeline import Recipe

    chosen = Recipe.load(path) if path else Recipe()
    print(f"# recipe {chosen.hash}\n{chosen.to_yaml()}", end="")


@recipe.command()
def check(path: Annotated[Path, typer.Argument(help="Recipe file to check.")]) -> None:
    """Check a recipe file; wrong keys and values are named."""
    from twinbeam.pipeline import Recipe

    out.print(f"{plain(str(path))}: good, recipe {Recipe.load(path).hash}")

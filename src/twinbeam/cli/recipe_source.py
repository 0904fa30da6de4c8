"""Recipes that results and stored runs carry."""

from __future__ import annotations

import json
from pathlib import Path

from twinbeam.cli.catalog_option import open_existing
from twinbeam.errors import RecipeError, StorageError
from twinbeam.pipeline import Recipe, recipe_of_start

__all__ = ["recipe_of_file", "recipe_of_run"]


def recipe_of_file(path: Path) -> tuple[Recipe, str | None]:
    """The recipe in a result file, and the hash by which the file knows it.

    Raises
    ------
    StorageError
        If the file cannot be read or is no result.
    RecipeError
        If its recipe has keys or values this version does not know.
    """
    import h5py

    where = str(path)
    if not path.is_file():
        raise StorageError("no such file", where=where, hint="check the path")
    try:
        with h5py.File(path) as file:
            stored = file["entry/recipe"]
            values, named = json.loads(stored.asstr()[()]), stored.attrs.get("hash")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise StorageError(
            "holds no recipe", where=where, hint="name a file that 'twinbeam process' wrote"
        ) from error
    except OSError as error:
        raise StorageError(f"no HDF5 file: {error}", where=where) from error
    return Recipe.from_mapping(values, where=where), None if named is None else str(named)


def recipe_of_run(run: str, catalog: str) -> Recipe:
    """The recipe in the start document of a stored run.

    Raises
    ------
    StorageError
        If there is no such catalogue or run.
    RecipeError
        If the run names no recipe, or one that this version does not know.
    """
    from twinbeam.replay import find_run

    with open_existing(catalog) as stored:
        start = dict(find_run(stored.broker(), run).start)
    recipe = recipe_of_start(start)
    if recipe is None:
        raise RecipeError(
            "names no recipe",
            where=f"run {start['uid']}",
            hint="its live analysis used the default recipe",
        )
    return recipe

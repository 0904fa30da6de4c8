"""The recipe a run was taken with, among those it has results of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinbeam.store.catalog import Catalog

__all__ = ["own_recipe_hash"]


def own_recipe_hash(catalog: Catalog, run_uid: str) -> str | None:
    """Hash of the recipe in a run's start document; None when there is none to be found."""
    from twinbeam.errors import RecipeError
    from twinbeam.pipeline import Recipe, recipe_of_start

    try:
        start = catalog.raw[run_uid].metadata["start"]
        return (recipe_of_start(start) or Recipe()).hash
    except (KeyError, RecipeError):
        return None

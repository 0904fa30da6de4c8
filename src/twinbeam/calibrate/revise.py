"""How a calibrated value enters a recipe: checked, and only when the data support it."""

from __future__ import annotations

import math
from typing import Any

from twinbeam.errors import RecipeError
from twinbeam.pipeline import Recipe

__all__ = ["require_significant", "revised"]


def revised(recipe: Recipe, group: str, **values: Any) -> Recipe:
    """The recipe with some values of one group replaced, bounds checked.

    Raises
    ------
    RecipeError
        If a value is out of its bounds; the key is named.
    """
    plain = recipe.model_dump()
    plain[group] = {**plain[group], **values}
    return Recipe.from_mapping(plain, where="calibrated recipe")


def require_significant(
    quantity: str, value: float, error: float, *, least_sigmas: float = 5.0
) -> None:
    """Refuse a value that its data do not determine.

    Raises
    ------
    RecipeError
        If value or error is not finite, or the value is less than `least_sigmas` errors from zero.
    """
    hint = "take more data; the recipe was not changed"
    if not (math.isfinite(value) and math.isfinite(error) and error > 0.0):
        raise RecipeError("could not be determined", where=quantity, hint=hint)
    if abs(value) < least_sigmas * error:
        what = f"{value:.4g} ± {error:.2g} is not significant ({least_sigmas:g} errors are asked)"
        raise RecipeError(what, where=quantity, hint=hint)

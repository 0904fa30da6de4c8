"""The recipe a run asks for in its start document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinbeam.errors import RecipeError
from twinbeam.pipeline.recipe import Recipe

__all__ = ["recipe_of_start"]

#: Keys of runs taken without this package: field of the geometry, and its unit in that of the key.
_LEGACY = {
    "Epump": ("energy_kev", 1.0),  # keV
    "dd": ("distance_m", 100.0),  # cm
    "theta": ("bragg_deg", 1.0),
    "del_theta": ("detuning_deg", 1.0),
}


def recipe_of_start(start: Mapping[str, Any], base: Recipe | None = None) -> Recipe | None:
    """The recipe a start document names, or one with the geometry its older keys tell.

    Runs of the group before this package carry `Epump` (keV), `dd` (cm), `theta` and `del_theta`
    (degrees), `x_cen` and `y_cen` (pixels).

    Parameters
    ----------
    start
        A run's start document.
    base
        What the older keys do not say; the default recipe when left out.

    Returns
    -------
    Recipe or None
        None when the document says neither.

    Raises
    ------
    RecipeError
        If the recipe has unknown keys or wrong values, or an older key is no number.
    """
    where = f"start document of run {start.get('uid', '?')}"
    if start.get("recipe"):
        return Recipe.from_mapping(start["recipe"], where=where)
    geometry: dict[str, Any] = {}
    for key, (field, unit) in _LEGACY.items():
        if key in start:
            geometry[field] = _number(start, key, where) / unit
    values = (base or Recipe()).as_dict()
    for axis, key in enumerate(("x_cen", "y_cen")):
        if key in start:
            centre = geometry.setdefault("centre_px", list(values["geometry"]["centre_px"]))
            centre[axis] = _number(start, key, where)
    if not geometry:
        return None
    values["geometry"] = {**values["geometry"], **geometry}
    return Recipe.from_mapping(values, where=where)


def _number(start: Mapping[str, Any], key: str, where: str) -> float:
    try:
        return float(start[key])
    except (TypeError, ValueError):
        raise RecipeError(f"'{key}' is no number: {start[key]!r}", where=where) from None

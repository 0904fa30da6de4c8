"""What the start documents of our runs say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from twinbeam.pipeline import Recipe
from twinbeam.plans._guards import plain

__all__ = ["pair_metadata", "recipe_metadata", "recipe_of", "start_document", "versions"]

_ANGLES = ("theta", "del_theta")
_PACKAGES = ("twinbeam", "bluesky", "ophyd", "numpy")


def versions() -> dict[str, str]:
    """Versions of what a run was made with."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def recipe_of(
    recipe_md: Mapping[str, Any] | None,
    plan: str,
    *,
    bragg_deg: float | None = None,
    detuning_deg: float | None = None,
) -> Recipe:
    """The recipe that plain values mean, with the angles of this run; the default without any.

    Raises
    ------
    BeamlineError, RecipeError
        If they cannot be stored, or are no recipe.
    """
    values = plain(plan, "recipe_md", recipe_md or {})
    geometry = values.get("geometry", {})
    if not isinstance(geometry, dict):  # then the recipe says what is wrong
        return Recipe.from_mapping(values, where=f"{plan}: recipe_md")
    geometry = dict(geometry)
    if bragg_deg is not None:
        geometry["bragg_deg"] = bragg_deg
    if detuning_deg is not None and detuning_deg > 0.0:
        geometry["detuning_deg"] = detuning_deg
    return Recipe.from_mapping({**values, "geometry": geometry}, where=f"{plan}: recipe_md")


def recipe_metadata(recipe: Recipe) -> dict[str, Any]:
    """What every run of the detector says about its recipe: whole, its hash, and its geometry.

    With them go the keys of `pair_metadata` that do not depend on where theta stands.
    """
    legacy = {key: value for key, value in recipe.legacy_metadata().items() if key not in _ANGLES}
    legacy["dd"] = round(legacy["dd"], 9)
    stored = recipe.as_dict()
    return {
        **legacy,
        "recipe": stored,
        "recipe_hash": recipe.hash,
        "geometry": stored["geometry"],
    }


def pair_metadata(
    recipe: Mapping[str, Any] | None,
    bragg_deg: float,
    detuning_deg: float,
    *,
    plan: str = "collect_pairs",
) -> dict[str, Any]:
    """The recipe with its hash and geometry, and the keys that existing notebooks read.

    Those are `Epump` (photon energy, keV), `dd` (distance, cm), `theta` (Bragg angle, degrees),
    `del_theta` (detuning, degrees), `x_cen` and `y_cen` (centre of the ring, pixels of the 514
    grid). The recipe that is stored holds the angles given here, whatever it held before, and
    every value that was left out; without a recipe it is the default one.

    Parameters
    ----------
    recipe
        Plain values of a recipe, or None.
    bragg_deg, detuning_deg
        Angles of the run, in degrees.
    plan
        Named in errors.

    Raises
    ------
    BeamlineError, RecipeError
        If the recipe has values that cannot be stored, or is none.
    """
    whole = recipe_of(recipe, plan, bragg_deg=bragg_deg, detuning_deg=detuning_deg)
    return {**recipe_metadata(whole), "theta": bragg_deg, "del_theta": detuning_deg}


def start_document(
    plan: str,
    arguments: Mapping[str, Any],
    *,
    detectors: Sequence[Any] = (),
    motors: Sequence[Any] = (),
    dimensions: Sequence[str] = ("time",),
    md: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Metadata of a run: plan, arguments, instruments, versions, and what the user adds.

    Proposal and sample come from `md`, or from `RE.md`, which bluesky adds itself.

    Parameters
    ----------
    plan
        Name of the plan.
    arguments
        Its arguments, plain values.
    detectors, motors
        Devices that are read and moved.
    dimensions
        Event keys of the axes a table or plot begins with.
    md
        The user's own; wins over everything else.
    more
        More keys.

    Raises
    ------
    BeamlineError
        If something in `md` cannot be stored.
    """
    own = plain(plan, "md", md or {})
    return {
        "plan_name": plan,
        "detectors": [each.name for each in detectors],
        **({"motors": [each.name for each in motors]} if motors else {}),
        "plan_args": plain(plan, "arguments", arguments),
        "hints": {"dimensions": [([key], "primary") for key in dimensions]},
        "versions": versions(),
        **more,
        **own,
    }

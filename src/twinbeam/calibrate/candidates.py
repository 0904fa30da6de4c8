"""Pairs for calibrations: wider cuts than the recipe's, so that they do not decide the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from twinbeam.pairs import Cut
from twinbeam.pipeline import Recipe, Result, process

__all__ = ["find_candidates", "widened"]

# cuts that decide neither about centre nor detuning, and those that know of ToT besides
_HARMLESS = ("dt_ns", "r1", "r2", "alpha1_deg", "alpha2_deg", "azimuth_deg")
_ENERGY = ("energy_sum_kev", "e1", "e2", "tot1", "tot2")


def widened(
    recipe: Recipe,
    *,
    pool_px: float = 25.0,
    detuning: tuple[float, float] = (0.25, 2.0),
    energy: bool = True,
) -> Recipe:
    """The recipe with cuts that leave room around what is calibrated.

    Parameters
    ----------
    pool_px
        Largest distance of a pair's line from the recipe's centre.
    detuning
        Range of the pair detuning in units of the recipe's.
    energy
        Whether cuts on ToT and its energies stay; a calibration of energy must do without. The
        range of single photons in `pairing` stays, or elastic light would swamp the pairs.
    """
    nominal = recipe.geometry.detuning_deg
    keep = (*_HARMLESS, *_ENERGY) if energy else _HARMLESS
    kept = [cut for cut in recipe.selection.cuts if cut.quantity in keep]
    cuts = [
        *kept,
        Cut(quantity="dp_px", low=0.0, high=pool_px),
        Cut(quantity="detuning_deg", low=detuning[0] * nominal, high=detuning[1] * nominal),
    ]
    selection = recipe.selection.model_copy(update={"cuts": tuple(cuts)})
    return recipe.model_copy(update={"selection": selection})


def find_candidates(
    paths: Sequence[str | Path],
    recipe: Recipe,
    *,
    energy: bool = True,
    pool_px: float = 25.0,
    on_progress: Callable[[int], None] | None = None,
) -> Result:
    """Process raw files with widened cuts.

    Raises
    ------
    RawDataError
        As `twinbeam.pipeline.process`.
    """
    return process(paths, widened(recipe, pool_px=pool_px, energy=energy), on_progress=on_progress)

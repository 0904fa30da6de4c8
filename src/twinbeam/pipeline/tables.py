"""What a recipe is turned into once, before data come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbeam.images import Axes
from twinbeam.pairs import Selection
from twinbeam.pairs.region_file import read_regions
from twinbeam.photons import ResponseTables, pixel_rules
from twinbeam.pipeline.recipe import Recipe

__all__ = ["Tables"]


@dataclass(frozen=True, eq=False)
class Tables:
    """Tables of a recipe, shared by all that work with it.

    Attributes
    ----------
    recipe
        Where they come from.
    rules
        Pixels that do not count, see `pixel_rules`.
    response
        Energy and timewalk of a hit.
    regions
        Map of signal and idler region, None for halves and quadrants.
    selection
        The cuts with absolute bounds.
    axes
        Edges of the histograms.
    """

    recipe: Recipe
    rules: NDArray[np.uint16]
    response: ResponseTables
    regions: NDArray[np.uint8] | None
    selection: Selection
    axes: Axes

    @classmethod
    def of(cls, recipe: Recipe, masked: NDArray[np.bool_] | None = None) -> Tables:
        """Tables of a recipe; reads the files it names.

        Parameters
        ----------
        masked
            512 × 512 array indexed [y, x], True for further pixels that do not count.

        Raises
        ------
        RecipeError
            If a file the recipe names cannot be read or was changed.
        """
        return cls(
            recipe=recipe,
            rules=pixel_rules(recipe.geometry, masked),
            response=ResponseTables.of(recipe.response),
            regions=read_regions(recipe.pairing, recipe.geometry),
            selection=recipe.selection.resolved(recipe.geometry),
            axes=Axes.of(recipe.images, recipe.geometry, recipe.pairing.window_ns),
        )

"""Two masks in a file, as the recipe names it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import RecipeError
from twinbeam.pairs.halves import region_map
from twinbeam.pairs.parameters import Pairing
from twinbeam.parameters import read_arrays
from twinbeam.physics import Geometry

__all__ = ["read_regions"]


def read_regions(pairing: Pairing, geometry: Geometry) -> NDArray[np.uint8] | None:
    """The map of regions the recipe names, None when it names none.

    Raises
    ------
    RecipeError
        If the file cannot be read, holds something else, or a mask is wrong.
    """
    if pairing.regions is None:
        return None
    path = pairing.regions.path
    masks = read_arrays(pairing.regions)
    if set(masks) != {"signal", "idler"}:
        raise RecipeError(
            f"holds {', '.join(sorted(masks)) or 'nothing'}",
            where=path,
            hint="a file of regions holds the masks 'signal' and 'idler'",
        )
    return region_map(masks["signal"] != 0, masks["idler"] != 0, geometry.side_px)

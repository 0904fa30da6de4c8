"""Two masks in a file, as the recipe names it."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import RecipeError
from twinbeam.pairs.halves import region_map
from twinbeam.pairs.parameters import Pairing
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
    try:
        with np.load(io.BytesIO(pairing.regions.read()), allow_pickle=False) as file:
            masks = {name: file[name] for name in file.files}
    except (ValueError, OSError, AttributeError) as error:
        raise RecipeError(f"no valid npz file: {error}", where=path) from error
    if set(masks) != {"signal", "idler"}:
        raise RecipeError(
            f"holds {', '.join(sorted(masks)) or 'nothing'}",
            where=path,
            hint="a file of regions holds the masks 'signal' and 'idler'",
        )
    return region_map(masks["signal"] != 0, masks["idler"] != 0, geometry.side_px)

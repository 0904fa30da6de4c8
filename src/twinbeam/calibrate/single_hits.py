"""Which photons of pairs are single hits, though the pair table does not say it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import RecipeError
from twinbeam.pairs import Pairs
from twinbeam.photons import Response, energy_by_tot_kev
from twinbeam.tpx3 import TOT_STEP_NS

__all__ = ["single_hit_photons"]


def single_hit_photons(
    pairs: Pairs, response: Response
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """ToT in ns of all photons 1, then all photons 2, and which of them are single hits.

    ToT is not additive: only for a single hit is the energy of the photon that of its whole ToT.

    Parameters
    ----------
    response
        The response the pairs were found with, one for all pixels.

    Raises
    ------
    RecipeError
        If the response is one per pixel, which hides how many hits a photon has.
    """
    if response.per_pixel is not None:
        raise RecipeError(
            "single hits cannot be told apart with a response per pixel",
            where="response.per_pixel",
            hint="find the pairs with one response for all pixels",
        )
    tot = np.concatenate((pairs.tot1, pairs.tot2)).astype(np.float64)
    seen = np.concatenate((pairs.e1, pairs.e2))
    by_tot = energy_by_tot_kev(response)
    whole = by_tot[np.minimum(tot / TOT_STEP_NS, 1023).astype(np.int64)]
    return tot, np.abs(seen - whole) < 1e-3

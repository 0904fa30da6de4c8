"""Images and histograms with the accidentals subtracted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["net_array"]


def net_array(
    arrays: Mapping[str, NDArray[np.int64]], name: str, replicas: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What remains of an array of pairs without its accidentals, and the variance of each value.

    ``prompt - replica/n`` and ``prompt + replica/n²``, n replicas being summed in the array whose
    name ends in ``_accidental``.

    Raises
    ------
    KeyError
        If one of the two arrays does not exist.
    """
    prompt, accidental = arrays[name], arrays[name + "_accidental"]
    return prompt - accidental / replicas, prompt + accidental / replicas**2

"""Hits that never take part: named, counted steps before clustering."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import Hits

__all__ = ["select_hits"]


def select_hits(hits: Hits, masked: NDArray[np.bool_] | None) -> tuple[Hits, dict[str, int]]:
    """Drop repeated hits, hits without charge, then hits of masked pixels.

    A pixel is dead for hundreds of nanoseconds after a hit, so a second one at the same tick is a
    packet that was sent twice.

    Parameters
    ----------
    hits
        Hits in order of (t, y, x).
    masked
        512 × 512 array indexed [y, x], True where a pixel does not count; None masks nothing.

    Returns
    -------
    Hits
        The hits that stay, in their order.
    dict
        How many each step rejected: ``repeated``, ``zero_tot``, ``masked``.
    """
    repeated = np.zeros(len(hits), dtype=bool)
    repeated[1:] = (np.diff(hits.t) == 0) & (np.diff(hits.x) == 0) & (np.diff(hits.y) == 0)
    rejected = {}
    hits, rejected["repeated"] = _without(hits, repeated)
    hits, rejected["zero_tot"] = _without(hits, hits.tot_ns == 0)
    rejected["masked"] = 0
    if masked is not None:
        hits, rejected["masked"] = _without(hits, masked[hits.y, hits.x])
    return hits, rejected


def _without(hits: Hits, unwanted: NDArray[np.bool_]) -> tuple[Hits, int]:
    n = int(np.count_nonzero(unwanted))
    return (hits[~unwanted] if n else hits), n

"""Hits that never take part: named, counted steps before clustering."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbeam.tpx3 import Hits

__all__ = ["select_hits"]


def select_hits(hits: Hits, masked: NDArray[np.bool_] | None) -> tuple[Hits, dict[str, int]]:
    """Drop hits without charge, then hits of masked pixels.

    Parameters
    ----------
    masked
        512 × 512 array indexed [y, x], True where a pixel does not count; None masks nothing.

    Returns
    -------
    Hits
        The hits that stay, in their order.
    dict
        How many each step rejected: ``zero_tot``, ``masked``.
    """
    rejected = {"zero_tot": 0, "masked": 0}
    empty = hits.tot_ns == 0
    if empty.any():
        rejected["zero_tot"] = int(np.count_nonzero(empty))
        hits = hits[~empty]
    if masked is not None and len(hits):
        hidden = masked[hits.y, hits.x]
        if hidden.any():
            rejected["masked"] = int(np.count_nonzero(hidden))
            hits = hits[~hidden]
    return hits, rejected

"""Time differences of horizontally neighbouring hits of one cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbeam.calibrate.clusters import ClusteredHits
from twinbeam.tpx3 import CHIP_PIXELS, TOT_STEP_NS, to_chip

__all__ = ["N_DOUBLE_COLUMNS", "NeighbourSteps", "neighbour_steps"]

N_DOUBLE_COLUMNS = CHIP_PIXELS // 2


@dataclass(frozen=True, eq=False)
class NeighbourSteps:
    """Pairs of hits of one cluster in the same row and neighbouring columns of one chip.

    Attributes
    ----------
    chip, column
        Chip, and column of the pair's lower-column hit, in the chip's own numbering.
    ticks
        Time of the higher-column hit minus time of the lower-column hit.
    rejected
        Pairs left out because one of the hits has too little charge.
    """

    chip: NDArray[np.uint8]
    column: NDArray[np.int64]
    ticks: NDArray[np.float64]
    rejected: int

    @property
    def crosses(self) -> NDArray[np.bool_]:
        """Whether the two hits are in different double columns."""
        return self.column % 2 == 1

    @property
    def border(self) -> NDArray[np.int64]:
        """Double column of the lower-column hit."""
        return self.column // 2


def neighbour_steps(
    clustered: ClusteredHits, walk_ticks: NDArray[np.float64], least_tot_ns: float
) -> NeighbourSteps:
    """All neighbouring pairs whose hits both have at least `least_tot_ns`.

    Parameters
    ----------
    walk_ticks
        Timewalk of each of the 1024 ToT values in ticks, subtracted from the times.
    """
    hits = clustered.hits
    chip, column, row = to_chip(hits.x, hits.y)
    place = (clustered.label.astype(np.int64) * 4 + chip) * CHIP_PIXELS**2
    place += row * CHIP_PIXELS + column
    unique, index = np.unique(place, return_index=True)  # of a pixel that fired twice, the first
    following = np.flatnonzero((np.diff(unique) == 1) & (column[index[:-1]] != CHIP_PIXELS - 1))
    low, high = index[following], index[following + 1]
    charge = np.minimum(hits.tot_ns[low], hits.tot_ns[high])
    enough = charge >= least_tot_ns
    low, high = low[enough], high[enough]
    step = np.minimum(hits.tot_ns // TOT_STEP_NS, walk_ticks.size - 1)
    time = hits.t - hits.t.min(initial=np.iinfo(np.int64).max) - walk_ticks[step]
    return NeighbourSteps(
        chip=chip[low],
        column=column[low],
        ticks=time[high] - time[low],
        rejected=int(np.count_nonzero(~enough)),
    )

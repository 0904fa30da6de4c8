"""The table of TDC edges."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from twinbeam.columns import Columns
from twinbeam.tpx3.packets import TICK_NS

__all__ = ["TDC_STEPS_PER_TICK", "TDC_STEP_NS", "TdcEdges", "TdcFault"]

TDC_STEPS_PER_TICK = 6
TDC_STEP_NS = TICK_NS / TDC_STEPS_PER_TICK  # 0.2604 ns, a twelfth of the coarse 3.125 ns


class TdcFault(StrEnum):
    """Why a TDC word is no edge; in the order in which the decoder counts them."""

    EDGE = "edge unknown"
    FINE_ZERO = "fine time 0"
    FINE_LARGE = "fine time above 12"
    DAMAGED_CHUNK = "in a damaged chunk"


@dataclass(frozen=True, eq=False)
class TdcEdges(Columns):
    """Edges on the two TDC inputs, each once, in the order in which a chip first told of it.

    Attributes
    ----------
    t_steps
        Time in steps of 0.2604 ns (a sixth of a tick), exact, on the clock of the hits.
    input
        TDC input, 1 or 2.
    rising
        Whether the input went up.
    count
        The detector's 12-bit edge counter.
    """

    t_steps: NDArray[np.int64]
    input: NDArray[np.uint8]
    rising: NDArray[np.bool_]
    count: NDArray[np.uint16]

    DTYPES: ClassVar = {
        "t_steps": np.dtype(np.int64),
        "input": np.dtype(np.uint8),
        "rising": np.dtype(np.bool_),
        "count": np.dtype(np.uint16),
    }

    @property
    def t_ticks(self) -> NDArray[np.float64]:
        """Time in ticks of 1.5625 ns, the unit of `Hits.t`."""
        return self.t_steps / TDC_STEPS_PER_TICK

    @classmethod
    def from_rows(cls, rows: NDArray[np.int64]) -> TdcEdges:
        """Edges from rows of time, kind (0 to 3: input 1 rise, fall, input 2 rise, fall), count."""
        kind = rows[:, 1]
        inputs, counts = (kind // 2 + 1).astype(np.uint8), rows[:, 2].astype(np.uint16)
        return cls(rows[:, 0], inputs, kind % 2 == 0, counts)

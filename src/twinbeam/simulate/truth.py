"""What was really emitted: the table a result is judged against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from twinbeam.columns import Columns
from twinbeam.simulate.truth_files import TruthFile, read_truth

__all__ = ["Truth"]


@dataclass(frozen=True, eq=False)
class Truth(Columns):
    """Pairs with both photons on the sensor area, in order of emission.

    Attributes
    ----------
    t
        Time of the pair in ticks of 1.5625 ns on the clock of the acquisition.
    x1, y1, e1, x2, y2, e2
        Position on the 514 grid in pixels and energy in keV of signal (upper half) and idler.
    detuning_deg
        Detuning at which the pair was emitted.
    transmitted
        Whether the signal photon passed the sample.
    detected
        Whether both photons left at least one hit.
    """

    t: NDArray[np.float64]
    x1: NDArray[np.float64]
    y1: NDArray[np.float64]
    e1: NDArray[np.float64]
    x2: NDArray[np.float64]
    y2: NDArray[np.float64]
    e2: NDArray[np.float64]
    detuning_deg: NDArray[np.float64]
    transmitted: NDArray[np.bool_]
    detected: NDArray[np.bool_]

    DTYPES: ClassVar = {
        **{
            name: np.dtype(np.float64)
            for name in ("t", "x1", "y1", "e1", "x2", "y2", "e2", "detuning_deg")
        },
        "transmitted": np.dtype(np.bool_),
        "detected": np.dtype(np.bool_),
    }

    def write_parquet(self, path: str | Path) -> None:
        """Write the table; the file appears under its name only when it is complete."""
        file = TruthFile(path, Truth)
        try:
            file.write(self)
            file.finish()
        finally:
            file.discard()

    @classmethod
    def read_parquet(cls, path: str | Path) -> Truth:
        """Read a table written by `write_parquet`.

        Raises
        ------
        RawDataError
            If the file is missing or is no truth table.
        """
        return read_truth(path, cls)

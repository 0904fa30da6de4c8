"""Every photon that came to the sensor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from twinbeam.columns import Columns

__all__ = ["PhotonKind", "PhotonTruth"]


class PhotonKind(IntEnum):
    """Where a photon came from."""

    SIGNAL = 0
    IDLER = 1
    ELASTIC = 2
    FLUORESCENCE = 3
    DARK = 4

    @property
    def label(self) -> str:
        """Lower-case name, as in tables and summaries."""
        return self.name.lower()


@dataclass(frozen=True, eq=False)
class PhotonTruth(Columns):
    """Photons on the sensor area behind the sample, in order of time; the row is their number.

    Background and dark photons are those that the silicon stops; of pairs every photon is listed.

    Attributes
    ----------
    t
        Time of arrival in ticks of 1.5625 ns on the clock of the acquisition.
    x, y
        Position on the 514 grid in pixels.
    energy_kev
        Energy in keV.
    kind
        `PhotonKind`.
    pair
        Row of the pair in the table of pairs; -1 without a twin on the sensor area.
    n_hits
        Hits it left in the raw data.
    recorded
        Whether it left any.
    """

    t: NDArray[np.float64]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    energy_kev: NDArray[np.float32]
    kind: NDArray[np.uint8]
    pair: NDArray[np.int64]
    n_hits: NDArray[np.uint8]
    recorded: NDArray[np.bool_]

    DTYPES: ClassVar = {
        "t": np.dtype(np.float64),
        "x": np.dtype(np.float32),
        "y": np.dtype(np.float32),
        "energy_kev": np.dtype(np.float32),
        "kind": np.dtype(np.uint8),
        "pair": np.dtype(np.int64),
        "n_hits": np.dtype(np.uint8),
        "recorded": np.dtype(np.bool_),
    }

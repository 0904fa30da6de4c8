"""The table of pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from twinbeam.columns import Columns
from twinbeam.pairs.derived import derived_quantity
from twinbeam.physics import Geometry

__all__ = ["Pairs"]


@dataclass(frozen=True, eq=False)
class Pairs(Columns):
    """Two photons of opposite halves within the time window, in order of t.

    Attributes
    ----------
    t
        Time of photon 1 in ticks of 1.5625 ns.
    dt_ns
        Time of photon 2 minus time of photon 1, in a replica after the shift.
    x1, y1, e1, tot1, x2, y2, e2, tot2
        Place on the 514 grid in pixels, energy in keV and ToT in ns of photon 1 (signal half) and
        photon 2 (idler half).
    r1, r2
        Distances from the axis in pixels.
    detuning_deg
        Detuning the two radii imply (Eq. 1).
    dp_px
        Distance of the axis from the line that joins the photons.
    replica
        0 for prompt pairs, otherwise the turns by which the idler half was shifted.
    """

    t: NDArray[np.float64]
    dt_ns: NDArray[np.float64]
    x1: NDArray[np.float64]
    y1: NDArray[np.float64]
    e1: NDArray[np.float64]
    tot1: NDArray[np.int32]
    x2: NDArray[np.float64]
    y2: NDArray[np.float64]
    e2: NDArray[np.float64]
    tot2: NDArray[np.int32]
    r1: NDArray[np.float64]
    r2: NDArray[np.float64]
    detuning_deg: NDArray[np.float64]
    dp_px: NDArray[np.float64]
    replica: NDArray[np.int32]

    DTYPES: ClassVar = {
        "t": np.dtype(np.float64),
        "dt_ns": np.dtype(np.float64),
        "x1": np.dtype(np.float64),
        "y1": np.dtype(np.float64),
        "e1": np.dtype(np.float64),
        "tot1": np.dtype(np.int32),
        "x2": np.dtype(np.float64),
        "y2": np.dtype(np.float64),
        "e2": np.dtype(np.float64),
        "tot2": np.dtype(np.int32),
        "r1": np.dtype(np.float64),
        "r2": np.dtype(np.float64),
        "detuning_deg": np.dtype(np.float64),
        "dp_px": np.dtype(np.float64),
        "replica": np.dtype(np.int32),
    }

    def quantity(self, name: str, geometry: Geometry | None = None) -> NDArray[np.float64]:
        """A column or a derived quantity, as the cuts name it.

        Parameters
        ----------
        name
            A column, or one of `DERIVED_UNITS`, see `derived_quantity`.
        geometry
            What the derived quantities are computed with; ``energy_sum_kev`` needs none.

        Raises
        ------
        KeyError
            If there is no such quantity.
        ValueError
            If it needs the geometry and none is given.
        """
        if name in self.DTYPES:
            return np.asarray(getattr(self, name))
        return derived_quantity(self, name, geometry)

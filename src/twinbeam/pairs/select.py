"""Candidates → pairs by ordered, counted cuts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbeam.pairs.pairs import Pairs
from twinbeam.pairs.parameters import Selection
from twinbeam.physics import Geometry

__all__ = ["SelectedPairs"]


class SelectedPairs:
    """Which candidates pass which cuts.

    Parameters
    ----------
    geometry
        For cuts with relative bounds or on quantities that are derived with it.

    Attributes
    ----------
    passed
        Mask of the candidates that pass every cut.
    rejected
        Prompt candidates by the first cut they fail, in the order of the cuts.
    rejected_replicas
        The same for candidates of the shifted replicas.
    """

    def __init__(
        self, pairs: Pairs, selection: Selection, geometry: Geometry | None = None
    ) -> None:
        if geometry is not None:
            selection = selection.resolved(geometry)
        elif any(cut.relative for cut in selection.cuts):
            raise ValueError("cuts with relative bounds need the geometry")
        self._names = [cut.quantity for cut in selection.cuts]
        values = [pairs.quantity(name, geometry) for name in self._names]
        self._masks = [
            (value >= cut.low) & (value <= cut.high)
            for value, cut in zip(values, selection.cuts, strict=True)
        ]
        prompt = pairs.replica == 0
        alive = np.ones(len(pairs), dtype=bool)
        self.rejected: dict[str, int] = {}
        self.rejected_replicas: dict[str, int] = {}
        for name, mask in zip(self._names, self._masks, strict=True):
            fails = alive & ~mask
            self.rejected[name] = int(np.count_nonzero(fails & prompt))
            self.rejected_replicas[name] = int(np.count_nonzero(fails & ~prompt))
            alive &= mask
        self.passed: NDArray[np.bool_] = alive

    def all_but(self, quantity: str) -> NDArray[np.bool_]:
        """Mask of the candidates that pass every cut except the one on `quantity`."""
        mask = np.ones(self.passed.shape, dtype=bool)
        for name, passes in zip(self._names, self._masks, strict=True):
            if name != quantity:
                mask &= passes
        return mask

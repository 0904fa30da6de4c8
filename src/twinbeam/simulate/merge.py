"""The candidates of a piece of time → what comes to the sensor, in order of time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.simulate.arrivals import Arrivals, pair_arrivals
from twinbeam.simulate.emission import Piece
from twinbeam.simulate.parameters import SimulationParameters
from twinbeam.simulate.sample import Mask
from twinbeam.simulate.truth import Truth

__all__ = ["arrivals_in_order"]


def arrivals_in_order(
    piece: Piece,
    detuning_deg: float,
    parameters: SimulationParameters,
    mask: Mask | None = None,
) -> tuple[dict[str, NDArray[Any]], Arrivals]:
    """Pairs on the sensor area, and all that comes to the sensor, both in order of time."""
    tables = list(piece.photons)
    pairs: list[dict[str, NDArray[Any]]] = []
    n_pairs = 0
    for candidates in piece.pairs:
        on_sensor, signal, idler = pair_arrivals(candidates, detuning_deg, parameters, mask)
        for photons in (signal, idler):
            moved = np.where(photons.pair >= 0, photons.pair + n_pairs, -1)
            tables.append(Arrivals(**{**photons.columns(), "pair": moved}))
        pairs.append(on_sensor)
        n_pairs += on_sensor["t_ns"].size
    arrivals = Arrivals.concatenate(tables)
    arrivals = arrivals[np.argsort(arrivals.t_ns, kind="stable")]
    if not pairs:
        names = (*(name for name in Truth.DTYPES if name not in ("t", "detected")), "t_ns")
        return {name: np.empty(0) for name in names}, arrivals
    joined = {name: np.concatenate([table[name] for table in pairs]) for name in pairs[0]}
    if len(pairs) > 1:  # levels of the flux are drawn one by one
        order = np.argsort(joined["t_ns"], kind="stable")
        rank = np.empty(order.size, dtype=np.int64)
        rank[order] = np.arange(order.size)
        joined = {name: column[order] for name, column in joined.items()}
        new = np.append(rank, -1)[arrivals.pair]
        arrivals = Arrivals(**{**arrivals.columns(), "pair": new})
    return joined, arrivals

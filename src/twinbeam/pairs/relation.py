"""Relations: when two detections belong together, and the estimate of any relation."""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from twinbeam.columns import Columns
from twinbeam.pairs.estimate import Estimate
from twinbeam.pairs.halves import region_of
from twinbeam.pairs.observables import pair_table
from twinbeam.pairs.parameters import Pairing, Selection
from twinbeam.pairs.replica import Replica
from twinbeam.pairs.select import SelectedPairs
from twinbeam.pairs.shared import SharedCounts
from twinbeam.photons import Photons
from twinbeam.physics import Geometry
from twinbeam.tpx3 import TICK_NS

__all__ = ["BackToBack", "Relation", "estimate_relation", "related"]

FIRST, SECOND = 1, 2

Table = TypeVar("Table", bound=Columns)
Taken = TypeVar("Taken", bound=Columns, contravariant=True)


class Relation(Protocol[Taken]):
    """What makes two detections of a table with a column ``t`` a pair.

    Photons with times, time tags of a SPAD array, or photon numbers with the number of their frame
    are such tables; the relation knows which.
    """

    @property
    def window(self) -> float:
        """Largest time difference, in the unit of ``t``; 0 for "in the same frame"."""
        ...

    def regions(self, detections: Taken) -> NDArray[np.uint8]:
        """Which part each detection can take: 0 none, 1 first, 2 second, 3 either.

        Where parts are not told apart, `holds` should accept a pair in one order only: the error
        of an estimate does not know of pairs that are counted twice.
        """
        ...

    def holds(self, first: Taken, second: Taken, dt: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether rows of two equally long tables belong together.

        `dt` is the time of the second, after the shift of a replica, minus that of the first.
        """
        ...


class BackToBack:
    """The relation of SPDC pairs: opposite regions, Δt within the window, and all cuts.

    The cuts hold the physics: dp (opposite azimuth), detuning (α₁α₂ = 2 Δθ sin 2θ, Eq. 1), and
    the energies' sum.

    Parameters
    ----------
    regions
        A map of `region_map`, which takes the place of `pairing.signal_half`.
    """

    def __init__(
        self,
        pairing: Pairing,
        selection: Selection,
        geometry: Geometry,
        regions: NDArray[np.uint8] | None = None,
    ) -> None:
        self._regions = pairing.signal_half if regions is None else regions
        self._pairing = pairing
        self._selection = selection
        self._geometry = geometry

    @property
    def window(self) -> float:
        """Half width of the time window in ticks."""
        return self._pairing.window_ns / TICK_NS

    def regions(self, photons: Photons) -> NDArray[np.uint8]:
        """Signal and idler region of the photons in the energy band."""
        low, high = self._pairing.photon_kev
        region = region_of(photons.x, photons.y, self._regions, self._geometry.centre_px)
        region[(photons.energy_kev < low) | (photons.energy_kev > high)] = 0
        return region

    def holds(self, signal: Photons, idler: Photons, dt: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether the pairs pass every cut."""
        label = np.zeros(len(signal), np.int32)
        pairs = pair_table(signal, idler, dt * TICK_NS, label, self._geometry)
        return SelectedPairs(pairs, self._selection, self._geometry).passed


def related(
    detections: Table, relation: Relation[Table], replica: Replica
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """All pairs of a whole table for which a relation holds, in every copy.

    Plain arrays instead of the compiled search, so that any relation can be tried; the pipeline's
    search of SPDC pairs gives the same pairs.

    Parameters
    ----------
    detections
        In order of ``t``.

    Returns
    -------
    tuple of arrays
        Rows of the first and of the second detection, and the label of the copy.
    """
    t = detections.columns()["t"]
    region = relation.regions(detections)
    ones, twos = np.flatnonzero(region & FIRST), np.flatnonzero(region & SECOND)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]] = []
    for label, shift in zip(*replica.shifts(), strict=True):
        low = np.searchsorted(t[twos], t[ones] - shift - relation.window, side="left")
        high = np.searchsorted(t[twos], t[ones] - shift + relation.window, side="right")
        n = high - low
        first = np.repeat(ones, n)
        place = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n) + np.repeat(low, n)
        second = twos[place]
        other = first != second
        first, second = first[other], second[other]
        dt = t[second] + shift - t[first]
        held = relation.holds(detections[first], detections[second], dt)
        found.append((first[held], second[held], np.full(held.sum(), label, np.int32)))
    one, two, labels = (np.concatenate(part) for part in zip(*found, strict=True))
    return one, two, labels


def estimate_relation(detections: Table, relation: Relation[Table], replica: Replica) -> Estimate:
    """The estimate of a relation in a whole table: prompt pairs against unrelated copies."""
    one, two, label = related(detections, relation, replica)
    prompt = label == 0
    shared = SharedCounts()
    for rows in (one, two):
        p = np.bincount(rows[prompt], minlength=len(detections))
        r = np.bincount(rows[~prompt], minlength=len(detections))
        shared += SharedCounts(int(p @ (p - 1)), int(p @ r), int(r @ (r - 1)))
    n_prompt = int(np.count_nonzero(prompt))
    return Estimate(n_prompt, label.size - n_prompt, len(replica.shifts()[0]) - 1, shared)

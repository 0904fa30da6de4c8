"""How often selected pairs share a photon: the covariance the replicas bring into the estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from twinbeam.pairs.pairs import Pairs
from twinbeam.pairs.parameters import Pairing, Replicas
from twinbeam.pairs.search import replica_shifts
from twinbeam.tpx3 import TICK_NS

__all__ = ["SharedCounts", "SharedPhotons", "shared_counts"]

_ROWS_AT_ONCE = 4096  # pairs that are gathered before they are counted together


@dataclass(frozen=True)
class SharedCounts:
    """Ordered pairs of two different selected pairs that have one photon in common.

    With p prompt pairs and r replica pairs of one photon, summed over the photons of both regions.

    Attributes
    ----------
    prompt
        Σ p (p - 1).
    mixed
        Σ p r.
    replica
        Σ r (r - 1), over all replicas together.
    """

    prompt: int = 0
    mixed: int = 0
    replica: int = 0

    def __add__(self, other: SharedCounts) -> SharedCounts:
        return SharedCounts(
            self.prompt + other.prompt, self.mixed + other.mixed, self.replica + other.replica
        )


class _Side:
    """Pairs per photon of one region, summed once the photon can have no further pair."""

    def __init__(self) -> None:
        self._open = np.empty((0, 6))
        self.closed = SharedCounts()

    def add(self, rows: NDArray[np.float64], before: float) -> None:
        """Take rows of (t, x, y, energy, prompt, replica); photons before `before` are complete."""
        rows = np.concatenate((self._open, rows))
        if not len(rows):
            return
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        new = _unlike_the_last(rows)
        if not np.array_equal(new[1:], rows[1:, 0] != rows[:-1, 0]):  # two photons at one time
            rows = rows[np.lexsort(rows[:, 3::-1].T)]
            new = _unlike_the_last(rows)
        first = np.flatnonzero(new)
        photons = rows[first]
        photons[:, 4:] = np.add.reduceat(rows[:, 4:], first)
        done = photons[:, 0] < before
        self.closed += _count(photons[done])
        self._open = photons[~done]

    def counts(self) -> SharedCounts:
        return self.closed + _count(self._open)


def _unlike_the_last(rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows are of another photon than the row before."""
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (rows[1:, :4] != rows[:-1, :4]).any(axis=1)
    return new


def _count(photons: NDArray[np.float64]) -> SharedCounts:
    p, r = photons[:, 4:].astype(np.int64).T
    return SharedCounts(int(np.sum(p * (p - 1))), int(np.sum(p * r)), int(np.sum(r * (r - 1))))


class SharedPhotons:
    """Counts, while selected pairs come in, how often two of them share a photon.

    Exact integers that do not depend on how the pairs were cut into pieces. A photon is known by
    its time, place and energy; it is forgotten when no further pair can hold it.

    Parameters
    ----------
    replicas, pairing
        As they were used to find the pairs: the shifts give the idler's own time back, shifts and
        window say how long a photon must be remembered.
    """

    def __init__(self, replicas: Replicas, pairing: Pairing) -> None:
        turns, shifts = replica_shifts(replicas)
        order = np.argsort(turns)
        self._turns, self._shifts = turns[order], shifts[order]
        self._reach = float(np.abs(shifts).max()) + pairing.window_ns / TICK_NS
        self._signal, self._idler = _Side(), _Side()
        self._waiting: list[Pairs] = []
        self._n_waiting = 0
        self._past = SharedCounts()

    def add(self, pairs: Pairs) -> None:
        """Take the next selected pairs, prompt and replica ones, in order of their signal time."""
        if not len(pairs):
            return
        self._waiting.append(pairs)
        self._n_waiting += len(pairs)
        if self._n_waiting >= _ROWS_AT_ONCE:
            self._count_waiting()

    def _count_waiting(self) -> None:
        pairs = Pairs.concatenate(self._waiting)
        self._waiting, self._n_waiting = [], 0
        if not len(pairs):
            return
        prompt = (pairs.replica == 0).astype(np.float64)
        kind = (prompt, 1.0 - prompt)
        shift = self._shifts[np.searchsorted(self._turns, pairs.replica)]
        # exact: times are multiples of 1/16 tick, and a tick is 25/16 ns
        idler_t = pairs.t + pairs.dt_ns / TICK_NS - shift
        latest = float(pairs.t.max())
        self._signal.add(np.stack((pairs.t, pairs.x1, pairs.y1, pairs.e1, *kind), axis=1), latest)
        self._idler.add(
            np.stack((idler_t, pairs.x2, pairs.y2, pairs.e2, *kind), axis=1), latest - self._reach
        )

    def next_acquisition(self) -> None:
        """Forget all photons; the next pairs have another clock."""
        self._past = self.counts()
        self._signal, self._idler = _Side(), _Side()

    def counts(self) -> SharedCounts:
        """The counts so far."""
        self._count_waiting()
        return self._past + self._signal.counts() + self._idler.counts()

    def merge(self, other: Self) -> None:
        """Add what another reducer counted in acquisitions that have ended in both."""
        self.next_acquisition()
        self._past += other.counts()


def shared_counts(pairs: Pairs, replicas: Replicas, pairing: Pairing | None = None) -> SharedCounts:
    """The counts of a whole table of selected pairs of one acquisition, in any order."""
    shared = SharedPhotons(replicas, pairing or Pairing())
    shared.add(pairs)
    return shared.counts()

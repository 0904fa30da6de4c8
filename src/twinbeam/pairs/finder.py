"""Photons → candidate pairs, continuously."""

from __future__ import annotations

import math

from twinbeam.pairs.halves import split_halves
from twinbeam.pairs.observables import measure_pairs
from twinbeam.pairs.pairs import Pairs
from twinbeam.pairs.parameters import Pairing, Replicas
from twinbeam.pairs.search import coincidences, replica_shifts
from twinbeam.photons import Photons
from twinbeam.physics import Geometry
from twinbeam.tpx3 import TICK_NS

__all__ = ["PairFinder"]


class PairFinder:
    """Finds all prompt and shifted pairs of one acquisition as its photons come.

    A signal photon is tried once no idler photon that could pair with it, in any replica, can
    still come; the pairs, taken together, do not depend on how the photons were cut into pieces.
    """

    def __init__(self, pairing: Pairing, replicas: Replicas, geometry: Geometry) -> None:
        self._pairing = pairing
        self._geometry = geometry
        self._window = pairing.window_ns / TICK_NS
        self._turns, self._shifts = replica_shifts(replicas)
        self._reach = float(abs(self._shifts).max()) + self._window
        self._signal = Photons.empty()
        self._idler = Photons.empty()
        self.n_in = 0
        self.n_signal = 0
        self.n_idler = 0
        self.rejected: dict[str, int] = {"energy_low": 0, "energy_high": 0, "crowded": 0}

    def feed(self, photons: Photons, bound: float) -> Pairs:
        """Candidates of the signal photons that are now decided.

        Parameters
        ----------
        photons
            The next photons in order of time.
        bound
            No photon still to come is before this tick; infinity at the end.
        """
        self.n_in += len(photons)
        signal, idler, rejected = split_halves(photons, self._pairing, self._geometry)
        for reason, n in rejected.items():
            self.rejected[reason] += n
        self.n_signal += len(signal)
        self.n_idler += len(idler)
        self._signal = Photons.concatenate((self._signal, signal))
        self._idler = Photons.concatenate((self._idler, idler))
        decided = self._signal.t + self._reach < bound
        ready, self._signal = self._signal[decided], self._signal[~decided]
        index, crowded = coincidences(ready.t, self._idler.t, self._shifts, self._window)
        self.n_signal -= crowded
        self.rejected["crowded"] += crowded
        pairs = measure_pairs(ready, self._idler, index, self._turns, self._shifts, self._geometry)
        oldest = float(self._signal.t[0]) if len(self._signal) else bound
        if not math.isinf(oldest):
            self._idler = self._idler[self._idler.t >= oldest - self._reach]
        return pairs

    def finish(self) -> Pairs:
        """Candidates of the signal photons that were still waiting."""
        pairs = self.feed(Photons.empty(), math.inf)
        self._idler = Photons.empty()
        return pairs

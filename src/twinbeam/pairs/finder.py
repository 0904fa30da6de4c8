"""Photons → candidate pairs, continuously."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.pairs import _tried_kernel as kernel
from twinbeam.pairs._reach_kernel import PADDING
from twinbeam.pairs._sift_kernel import QUANTITIES, UNKNOWN, sift
from twinbeam.pairs.halves import REGION_CODES
from twinbeam.pairs.observables import pair_table
from twinbeam.pairs.pairs import Pairs
from twinbeam.pairs.parameters import Pairing, Replicas, Selection
from twinbeam.pairs.search import most_partners, replica_shifts
from twinbeam.photons import Photons
from twinbeam.physics import Geometry
from twinbeam.tpx3 import TICK_NS

__all__ = ["PairFinder"]

_NO_REGIONS: NDArray[np.uint8] = np.empty((0, 0), np.uint8)


class PairFinder:
    """Finds all prompt and shifted pairs of one acquisition as its photons come.

    A signal photon is tried once no idler photon that could pair with it, in any replica, can
    still come, nor a signal photon before it; the pairs, taken together, do not depend on how the
    photons were cut into pieces.

    Parameters
    ----------
    selection
        Candidates that fail two of these cuts or more are counted instead of returned; without it
        all are returned.
    regions
        A map of `region_map`, which takes the place of `pairing.signal_half`.

    Raises
    ------
    ValueError
        If copies that are a turn apart would overlap.

    Attributes
    ----------
    candidates
        Prompt and replica candidates so far.
    dropped
        Those that were counted instead of returned: prompt and replica, by the first cut they fail.
    """

    def __init__(
        self,
        pairing: Pairing,
        replicas: Replicas,
        geometry: Geometry,
        selection: Selection | None = None,
        regions: NDArray[np.uint8] | None = None,
    ) -> None:
        self._pairing = pairing
        self._geometry = geometry
        if replicas.turn_ns < 2.0 * pairing.window_ns + TICK_NS:
            raise ValueError("a turn must be longer than twice the window by a tick or more")
        self._window = pairing.window_ns / TICK_NS
        self._most = most_partners(self._window)
        self._turns, self._shifts = replica_shifts(replicas)
        self._turn_ticks = replicas.turn_ns / TICK_NS
        self._column_by_turn = np.argsort(self._turns)
        self._shift_by_turn = self._shifts[self._column_by_turn]
        self._reach = float(abs(self._shifts).max()) + self._window
        self._code = REGION_CODES["map" if regions is not None else pairing.signal_half]
        self._regions = _NO_REGIONS if regions is None else regions
        cuts = selection.resolved(geometry).cuts if selection is not None else ()
        known = QUANTITIES
        self._quantities = np.array(
            [known.index(cut.quantity) if cut.quantity in known else UNKNOWN for cut in cuts],
            np.int64,
        )
        self._lows = np.array([cut.low for cut in cuts], np.float64)
        self._highs = np.array([cut.high for cut in cuts], np.float64)
        self._signal = np.empty((1 << 10, kernel.N_COLUMNS))
        self._idler = np.empty((1 << 10, kernel.N_COLUMNS))
        self._n_signal = 0
        self._n_idler = 0
        self._counts = np.zeros(kernel.N_COUNTS, np.int64)
        self._found = np.empty((1 << 14, 3), np.int32)
        self.candidates = np.zeros(2, np.int64)
        self.dropped = np.zeros((2, len(cuts)), np.int64)
        self.n_in = 0

    @property
    def memory_ticks(self) -> int:
        """For how long a photon can matter to those after it."""
        return 2 * math.ceil(self._reach)

    def restart(self) -> None:
        """Forget everything but the buffers."""
        self._n_signal = 0
        self._n_idler = 0
        self._counts[:] = 0
        self.candidates[:] = 0
        self.dropped[:] = 0
        self.n_in = 0

    @property
    def n_signal(self) -> int:
        """Photons that are tried as signal."""
        return int(self._counts[kernel.SIGNAL])

    @property
    def n_idler(self) -> int:
        """Photons that are tried as idler."""
        return int(self._counts[kernel.IDLER])

    @property
    def n_waiting(self) -> int:
        """Signal photons that wait for their partners; they are in `n_signal`."""
        return self._n_signal

    @property
    def rejected(self) -> dict[str, int]:
        """Photons that are not tried, by reason."""
        counts = self._counts
        reasons = {
            "energy_low": int(counts[kernel.LOW]),
            "energy_high": int(counts[kernel.HIGH]),
            "crowded": int(counts[kernel.CROWDED]),
        }
        if self._code > REGION_CODES["right"]:
            reasons["elsewhere"] = int(counts[kernel.ELSEWHERE])
        return reasons

    def feed(self, photons: Photons, bound: float) -> Pairs:
        """Candidates of the signal photons that are now decided.

        Parameters
        ----------
        photons
            The next photons, in any order; none before the bound of the feed before.
        bound
            No photon still to come is before this tick; infinity at the end.
        """
        self.n_in += len(photons)
        self._append(photons)
        times = self._signal[: self._n_signal, kernel.T]
        ready = int(np.searchsorted(times, bound - self._reach, side="left"))
        pairs = self._search(ready) if ready else Pairs.empty()
        self._n_signal = _drop_front(self._signal, ready, self._n_signal)
        oldest = float(self._signal[0, kernel.T]) if self._n_signal else bound
        if math.isfinite(oldest):
            times = self._idler[: self._n_idler, kernel.T]
            gone = int(np.searchsorted(times, oldest - self._reach, side="left"))
            self._n_idler = _drop_front(self._idler, gone, self._n_idler)
        return pairs

    def _append(self, photons: Photons) -> None:
        n = len(photons)
        if not n:
            return
        self._signal = _with_room(self._signal, self._n_signal, n + 1)
        self._idler = _with_room(self._idler, self._n_idler, n + 1)
        before = self._n_signal, self._n_idler
        low, high = self._pairing.photon_kev
        self._n_signal, self._n_idler = kernel.add_tried(
            photons.t,
            photons.x,
            photons.y,
            photons.energy_kev,
            photons.tot_ns,
            np.float32(low),
            np.float32(high),
            np.float32(self._geometry.centre_px[0]),
            np.float32(self._geometry.centre_px[1]),
            self._code,
            self._regions,
            self._signal,
            self._n_signal,
            self._idler,
            self._n_idler,
            self._counts,
            np.empty(n + 1, np.int32),
        )
        _put_in_order(self._signal, before[0], self._n_signal)
        _put_in_order(self._idler, before[1], self._n_idler)

    def _search(self, ready: int) -> Pairs:
        g = self._geometry
        geometry = (
            g.centre_px[0],
            g.centre_px[1],
            g.pixel_um * 1e-6 / g.distance_m,
            math.degrees(1.0 / (2.0 * math.sin(2.0 * math.radians(g.bragg_deg)))),
        )
        padded = np.full(self._n_idler + PADDING, np.inf)
        idler_t = padded[: self._n_idler]
        idler_t[:] = self._idler[: self._n_idler, kernel.T]
        crowded = np.empty(ready, np.bool_)
        n_crowded = kernel.find_crowded(
            self._signal, ready, idler_t, self._shifts, self._window, self._most, crowded
        )
        self._counts[kernel.SIGNAL] -= n_crowded
        self._counts[kernel.CROWDED] += n_crowded
        parts: list[NDArray[np.int32]] = []
        place = np.full(2, -1, np.int64)
        done = not idler_t.size
        while not done:
            n, done = sift(
                self._signal,
                ready,
                self._idler,
                padded,
                self._turn_ticks,
                self._shift_by_turn,
                self._column_by_turn,
                self._window,
                crowded,
                self._quantities,
                self._lows,
                self._highs,
                geometry,
                self.candidates,
                self.dropped,
                place,
                self._found,
            )
            if n:
                parts.append(self._found[:n].copy())
        if not parts:
            return Pairs.empty()
        found = np.concatenate(parts)
        if len(parts) > 1:  # the rows of a signal photon may be in two parts
            found = found[np.lexsort((found[:, 1], found[:, 2], found[:, 0]))]
        return self._table(found)

    def _table(self, found: NDArray[np.int32]) -> Pairs:
        one, two = self._signal[found[:, 0]], self._idler[found[:, 1]]
        shift = self._shifts[found[:, 2]]
        dt_ns = (two[:, kernel.T] + shift - one[:, kernel.T]) * TICK_NS
        turns = self._turns[found[:, 2]]
        return pair_table(_photons(one), _photons(two), dt_ns, turns, self._geometry)

    def state(self) -> tuple[Any, ...]:
        """All on which the future depends; finders in equal states go on alike."""
        return (
            self._signal[: self._n_signal].tobytes(),
            self._idler[: self._n_idler].tobytes(),
        )

    def shift_clock(self, ticks: int) -> None:
        """Add ticks to all times that are held."""
        self._signal[: self._n_signal, kernel.T] += ticks
        self._idler[: self._n_idler, kernel.T] += ticks


def _photons(rows: NDArray[np.float64]) -> Photons:
    nothing = np.zeros(len(rows), np.int32)
    columns: list[Any] = [*rows.T, nothing, nothing]
    return Photons(*columns)


def _put_in_order(rows: NDArray[np.float64], start: int, n: int) -> None:
    if not kernel.put_in_order(rows, start, n):
        columns = (kernel.ENERGY, kernel.X, kernel.Y, kernel.T)
        rows[:n] = rows[np.lexsort([rows[:n, column] for column in columns])]


def _with_room(rows: NDArray[np.float64], n: int, more: int) -> NDArray[np.float64]:
    if n + more <= len(rows):
        return rows
    grown = np.empty((max(n + more, 2 * len(rows)), rows.shape[1]))
    grown[:n] = rows[:n]
    return grown


def _drop_front(rows: NDArray[np.float64], gone: int, n: int) -> int:
    """Move the rows from `gone` to the front; the number of rows that are left."""
    if gone:
        rows[: n - gone] = rows[gone:n].copy()
    return n - gone

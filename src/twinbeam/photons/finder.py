"""Hits → photons, continuously."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from twinbeam.photons.cluster import label_clusters, pixel_map
from twinbeam.photons.measure import energy_by_tot_kev, measure_clusters, walk_by_tot_ticks
from twinbeam.photons.order import TimeOrder
from twinbeam.photons.parameters import Clustering, Response
from twinbeam.photons.photons import Photons
from twinbeam.photons.select import select_hits
from twinbeam.tpx3 import TICK_NS, Hits

__all__ = ["PhotonFinder"]


class PhotonFinder:
    """Orders, selects, clusters and measures the hits of one acquisition as they come.

    The photons, taken together, do not depend on how the hits were cut into pieces.
    """

    def __init__(
        self,
        clustering: Clustering,
        response: Response,
        gap_px: int = 2,
        masked: NDArray[np.bool_] | None = None,
    ) -> None:
        self._window = math.floor(clustering.window_ns / TICK_NS)
        self._longest = math.floor(clustering.longest_us * 1e3 / TICK_NS)
        self._order = TimeOrder(math.ceil(clustering.reorder_ms * 1e6 / TICK_NS))
        self._energy = energy_by_tot_kev(response)
        self._walk = walk_by_tot_ticks(response)
        self._gap_px = gap_px
        self._masked = masked
        self._map = pixel_map()
        self._open = Hits.empty()
        self._pending = Photons.empty()
        self.n_in = 0
        self.n_used = 0
        self._rejected = {"repeated": 0, "zero_tot": 0, "masked": 0}

    @property
    def rejected(self) -> dict[str, int]:
        """Hits rejected so far, by reason."""
        return {**self._order.rejected, **self._rejected}

    @property
    def n_held(self) -> int:
        """Hits that are waiting for an earlier hit or for the rest of their cluster."""
        return self._order.n_held + len(self._open)

    @property
    def span_s(self) -> float:
        """Seconds from the earliest to the latest hit that was not rejected for its time."""
        return self._order.span_s

    @property
    def n_pending(self) -> int:
        """Photons that are waiting for an earlier photon."""
        return len(self._pending)

    def feed(self, hits: Hits) -> tuple[Photons, float]:
        """Photons that are complete, and the tick before which no further one will come."""
        self.n_in += len(hits)
        ordered, bound = self._order.push(hits)
        return self._advance(ordered, bound)

    def finish(self) -> Photons:
        """All remaining photons."""
        photons, _ = self._advance(self._order.finish(), np.iinfo(np.int64).max)
        return photons

    def _advance(self, ordered: Hits, bound: int) -> tuple[Photons, float]:
        selected, rejected = select_hits(ordered, self._masked)
        for reason, n in rejected.items():
            self._rejected[reason] += n
        hits = Hits.concatenate((self._open, selected))
        final = bound == np.iinfo(np.int64).max
        if len(hits):
            label = label_clusters(hits.t, hits.x, hits.y, self._window, self._longest, self._map)
            columns = measure_clusters(
                hits.t,
                hits.x,
                hits.y,
                hits.tot_ns,
                label,
                bound if final else bound - self._window,
                self._energy,
                self._walk,
                self._gap_px,
            )
            self._open = hits[columns[7]]
            self.n_used += len(hits) - len(self._open)
            self._pending = Photons.concatenate((self._pending, Photons(*columns[:7])))
        earliest = int(self._open.t[0]) if len(self._open) else bound
        limit = math.inf if final else float(earliest) - float(self._walk.max())
        ready = self._pending.t < limit
        out, self._pending = self._pending[ready], self._pending[~ready]
        return out[_canonical_order(out)], limit


def _canonical_order(photons: Photons) -> NDArray[np.intp]:
    """Order by (t, y, x, energy); nearly sorted already, so only equal times are looked at twice.

    Without the further keys, photons of equal time would stand as the stream was cut.
    """
    order = np.argsort(photons.t, kind="stable")
    t = photons.t[order]
    same = t[1:] == t[:-1]
    if same.any():
        tied = np.zeros(t.size, dtype=bool)
        tied[1:] |= same
        tied[:-1] |= same
        rows = order[tied]
        keys = (photons.energy_kev[rows], photons.x[rows], photons.y[rows], photons.t[rows])
        order[tied] = rows[np.lexsort(keys)]
    return order

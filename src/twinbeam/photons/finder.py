"""Hits → photons, continuously."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.photons import _photon_kernel as kernel
from twinbeam.photons._cluster_kernel import N_REJECTED
from twinbeam.photons._photon_buffer import PhotonBuffer
from twinbeam.photons.order import END, TimeOrder
from twinbeam.photons.packed import T_SHIFT, PackedHits
from twinbeam.photons.parameters import Clustering, Response
from twinbeam.photons.photons import Photons
from twinbeam.photons.pixels import PIXEL_REASONS
from twinbeam.photons.response import ResponseTables, column_offset_table
from twinbeam.tpx3 import SENSOR_PIXELS, TICK_NS, Hits

__all__ = ["PhotonFinder"]

_REASONS = ("repeated", *PIXEL_REASONS, "zero_tot", "tot_ceiling")
_ORDER = ("repeated", "zero_tot", *PIXEL_REASONS, "tot_ceiling")  # as the steps are made
_NO_RULES: NDArray[np.uint16] = np.empty((0, 0), np.uint16)


class PhotonFinder:
    """Orders, selects, clusters and measures the hits of one acquisition as they come.

    The photons, taken together, do not depend on how the hits were cut into pieces.

    Parameters
    ----------
    gap_px
        Pixels between the chips, by which places from 256 on are moved.
    rules
        What `pixel_rules` gives; None when every hit counts.
    tables
        `ResponseTables` of the response, when they are at hand.
    ordered
        Whether photons come in order of time. Otherwise they come as soon as they are complete, as
        views that are valid until the next feed.
    """

    def __init__(
        self,
        clustering: Clustering,
        response: Response,
        gap_px: int = 2,
        rules: NDArray[np.uint16] | None = None,
        tables: ResponseTables | None = None,
        *,
        ordered: bool = True,
    ) -> None:
        self._window = math.floor(clustering.window_ns / TICK_NS)
        self._longest = math.floor(clustering.longest_us * 1e3 / TICK_NS)
        self._order = TimeOrder(
            math.ceil(clustering.reorder_ms * 1e6 / TICK_NS),
            column_offset_table(response.column_offsets),
            margin_ticks=self._window + self._longest + 1,
        )
        self._tables = tables or ResponseTables.of(response)
        self._gap_px = gap_px
        self._ordered = ordered
        self._spread = clustering.spread_edges
        self._rules = _NO_RULES if rules is None else rules
        self._latest = np.zeros(SENSOR_PIXELS * SENSOR_PIXELS, np.int32)
        self._open = np.empty(0, np.uint64)
        self._open_epoch = 0
        self._photons = PhotonBuffer()
        self._rejected = np.zeros(N_REJECTED, np.int64)
        self._unlike = self._spread or self._tables.per_pixel.size > 0
        self._grow(1 << 12)
        self.n_in = 0
        self.n_used = 0

    def _grow(self, n: int) -> None:
        self._words = np.empty(n, np.uint64)
        self._near = np.empty(n, np.int64)
        self._slots = np.empty(n, np.int32)
        self._parent = np.empty(n, np.int32)
        self._sums = np.empty((n, kernel.N_SUMS), np.int64)
        self._special = np.empty((n if self._unlike else 0, 4), np.int64)

    @property
    def memory_ticks(self) -> int:
        """For how long a hit can matter to those after it."""
        return self._order.memory_ticks + self._window + self._longest

    def restart(self) -> None:
        """Forget everything but the buffers."""
        self._order.restart()
        self._open = np.empty(0, np.uint64)
        self._open_epoch = 0
        self._photons.n = 0
        self._rejected[:] = 0
        self.n_in = 0
        self.n_used = 0

    @property
    def rejected(self) -> dict[str, int]:
        """Hits rejected so far, by reason."""
        counts = dict(zip(_REASONS, self._rejected.tolist(), strict=True))
        return {**self._order.rejected, **{reason: counts[reason] for reason in _ORDER}}

    @property
    def n_held(self) -> int:
        """Hits that are waiting for an earlier hit or for the rest of their cluster."""
        return self._order.n_held + self._open.size

    @property
    def first_tick(self) -> int | None:
        """Earliest tick of a hit that was not rejected for its time."""
        return self._order.earliest

    @property
    def last_tick(self) -> int | None:
        """Latest tick of a hit that was not rejected for its time."""
        return self._order.latest

    @property
    def n_pending(self) -> int:
        """Photons that are waiting for an earlier photon."""
        return self._photons.n

    def feed(self, hits: Hits) -> tuple[Photons, float]:
        """Photons that are complete, and the tick before which no further one will come."""
        return self.cluster(self.arrange(hits))

    def arrange(self, hits: Hits) -> list[tuple[PackedHits, int]]:
        """The first half of `feed`: hits in order of time, in batches, each with its bound."""
        self.n_in += len(hits)
        return self._order.push(hits)

    def cluster(self, batches: Sequence[tuple[PackedHits, int]]) -> tuple[Photons, float]:
        """The second half of `feed`; what it needs is its own, so the halves can overlap."""
        limit = -math.inf
        for packed, bound in batches:
            limit = self._cluster(packed, bound)
        if not batches:
            return Photons.empty(), limit
        return self._release(limit), limit

    def keep_for(self, calls: int) -> None:
        """Let what each half gives out stay valid during so many further calls of it."""
        self._order.keep_for(calls)
        self._photons.keep_for(calls)

    def finish(self) -> Photons:
        """All remaining photons."""
        for packed, bound in self._order.finish():
            self._cluster(packed, bound)
        return self._release(math.inf)

    def _release(self, limit: float) -> Photons:
        return self._photons.release(limit) if self._ordered else self._photons.release_unordered()

    def _cluster(self, hits: PackedHits, bound: int) -> float:
        """Sum up hits that are in order; return the limit no later photon can be before."""
        n_open, epoch = self._open.size, hits.epoch
        n = n_open + len(hits)
        if n > self._words.size:
            self._grow(max(n, 2 * self._words.size))
        if n_open:
            moved = (epoch - self._open_epoch) << T_SHIFT
            np.subtract(self._open, np.uint64(moved & 0xFFFF_FFFF_FFFF_FFFF), self._words[:n_open])
        self._words[n_open:n] = hits.words
        tables = self._tables
        final = bound == END
        photons = self._photons
        photons.make_room(n)
        still_open = np.empty(n, np.uint64)
        counted, photons.n, n_open = kernel.find_photons(
            self._words,
            n,
            n_open,
            bound if final else bound - self._window - epoch,
            self._window,
            self._longest,
            epoch,
            self._rules,
            tables.energy,
            tables.walk,
            tables.per_pixel,
            tables.walk_pole,
            self._gap_px,
            self._spread,
            self._latest,
            self._near,
            self._slots,
            self._parent,
            self._sums,
            self._special,
            self._rejected,
            still_open,
            photons.n,
            *photons.columns,
        )
        self.n_used += counted - n_open
        self._open = still_open[:n_open].copy()
        self._open_epoch = epoch
        if final:
            return math.inf
        earliest = epoch + int(self._open[0] >> np.uint64(T_SHIFT)) if n_open else bound
        return float(min(earliest, bound)) - tables.largest_walk_ticks

    def state(self) -> tuple[Any, ...]:
        """All on which the future depends; finders in equal states go on alike."""
        waiting = PackedHits(self._open, self._open_epoch)
        return (
            self._order.state(),
            waiting.t.tobytes(),
            (waiting.words & np.uint64((1 << T_SHIFT) - 1)).tobytes(),
            self._photons.state(),
        )

    def restart_span(self) -> None:
        """Let the earliest tick be the latest so far, or that of an earlier hit still to come."""
        self._order.restart_span()

    def shift_clock(self, ticks: int) -> None:
        """Add a multiple of 2^34 ticks to all times that are held."""
        self._order.shift_clock(ticks)
        self._open_epoch += ticks
        self._photons.shift_clock(ticks)

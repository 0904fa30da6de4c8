"""Hits in order of time with the cluster each belongs to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbeam.photons import Clustering, label_clusters, pixel_map
from twinbeam.tpx3 import TICK_NS, Hits

__all__ = ["ClusteredHits", "cluster_hits", "join_clusters"]


@dataclass(frozen=True, eq=False)
class ClusteredHits:
    """Hits of one acquisition in order of (t, y, x), and what they form.

    Attributes
    ----------
    hits
        The hits that take part.
    label
        Cluster of every hit, as the index of the cluster's first hit.
    size
        Number of hits in the cluster of every hit.
    rejected
        How many hits were left out, by reason.
    """

    hits: Hits
    label: NDArray[np.int32]
    size: NDArray[np.int64]
    rejected: dict[str, int]

    def __len__(self) -> int:
        return len(self.hits)

    @property
    def singles(self) -> Hits:
        """Hits that are a cluster by themselves: all of a photon's charge in one pixel."""
        return self.hits[self.size == 1]


def cluster_hits(
    hits: Hits,
    clustering: Clustering | None = None,
    masked: NDArray[np.bool_] | None = None,
) -> ClusteredHits:
    """Order, select and cluster all hits of one acquisition.

    Parameters
    ----------
    hits
        Hits in any order.
    masked
        512 × 512 array indexed [y, x], True where a pixel does not count.
    """
    clustering = clustering or Clustering()
    order = np.lexsort((hits.x, hits.y, hits.t))
    chosen, rejected = _select(hits[order], masked)
    label = label_clusters(
        chosen.t,
        chosen.x,
        chosen.y,
        math.floor(clustering.window_ns / TICK_NS),
        math.floor(clustering.longest_us * 1e3 / TICK_NS),
        pixel_map(),
    )
    size = np.bincount(label, minlength=len(chosen))[label].astype(np.int64)
    return ClusteredHits(chosen, label, size, rejected)


def join_clusters(parts: Sequence[ClusteredHits]) -> ClusteredHits:
    """Clusters of several acquisitions as one table; no cluster is in two of them."""
    starts = np.cumsum([0] + [len(part) for part in parts])
    labels = [part.label + start for part, start in zip(parts, starts, strict=False)]
    reasons = {reason for part in parts for reason in part.rejected}
    return ClusteredHits(
        Hits.concatenate(part.hits for part in parts),
        np.concatenate([np.empty(0, np.int32), *labels]).astype(np.int32),
        np.concatenate([np.empty(0, np.int64), *(part.size for part in parts)]),
        {reason: sum(part.rejected.get(reason, 0) for part in parts) for reason in reasons},
    )


def _select(hits: Hits, masked: NDArray[np.bool_] | None) -> tuple[Hits, dict[str, int]]:
    """Ordered hits without packets sent twice, hits without charge, and masked pixels."""
    same = (np.diff(hits.t) == 0) & (np.diff(hits.x) == 0) & (np.diff(hits.y) == 0)
    repeated = np.concatenate((np.zeros(min(len(hits), 1), bool), same))
    empty = ~repeated & (hits.tot_ns == 0)
    out = np.zeros(len(hits), bool) if masked is None else masked[hits.y, hits.x]
    out &= ~repeated & ~empty
    rejected = {"repeated": repeated, "zero_tot": empty, "masked": out}
    kept = hits[~(repeated | empty | out)]
    return kept, {reason: int(np.count_nonzero(mask)) for reason, mask in rejected.items()}

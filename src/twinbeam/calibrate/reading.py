"""Raw files as what calibrations work on: clusters, or hits per pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinbeam.calibrate.clusters import ClusteredHits, cluster_hits, join_clusters
from twinbeam.calibrate.pixels import hits_per_pixel
from twinbeam.photons import pixel_rules
from twinbeam.physics import Geometry
from twinbeam.pipeline import Recipe, acquisitions_of
from twinbeam.tpx3 import SENSOR_PIXELS, TICK_NS, Decoder, Hits, iterate_bytes

__all__ = ["known_pixels", "read_clusters", "read_counts"]

Progress = Callable[[int], None]


def read_clusters(
    paths: Sequence[str | Path],
    recipe: Recipe,
    on_progress: Progress | None = None,
    *,
    masked: NDArray[np.bool_] | None = None,
) -> ClusteredHits:
    """Clusters of all hits of raw files, pixels left out as the recipe says.

    Which files are pieces of one acquisition and share its clock, `acquisitions_of` of the pipeline
    says. All hits are held in memory, about 100 bytes each.

    Parameters
    ----------
    paths
        Raw `.tpx3` files in their order.
    recipe
        Its clustering, and its pixels that do not count.
    on_progress
        Called with the number of bytes of every block that was read.
    masked
        512 × 512 array indexed [y, x], True for further pixels that do not count.

    Raises
    ------
    RawDataError
        If a file is missing, unreadable, foreign or given twice.
    """
    out = known_pixels(recipe.geometry) > 0
    if masked is not None:
        out |= masked
    parts = []
    for blocks in _acquisitions(paths, on_progress):
        parts.append(cluster_hits(Hits.concatenate(blocks), recipe.clustering, out))
    return join_clusters(parts)


def read_counts(
    paths: Sequence[str | Path], on_progress: Progress | None = None
) -> tuple[NDArray[np.int64], float]:
    """Hits in each pixel of raw files, [y, x], and the seconds they cover; memory is bounded.

    Raises
    ------
    RawDataError
        If a file is missing, unreadable, foreign or given twice.
    """
    counts = np.zeros((SENSOR_PIXELS, SENSOR_PIXELS), np.int64)
    seconds = 0.0
    for blocks in _acquisitions(paths, on_progress):
        first, last = np.inf, -np.inf
        for hits in blocks:
            counts += hits_per_pixel(hits)
            if len(hits):
                first, last = min(first, float(hits.t.min())), max(last, float(hits.t.max()))
        seconds += max(last - first, 0.0) * TICK_NS * 1e-9
    return counts, seconds


def known_pixels(geometry: Geometry) -> NDArray[np.uint8]:
    """`PixelReason` of every pixel as the recipe's geometry has it, [y, x]."""
    rules = pixel_rules(geometry)
    if not rules.size:
        return np.zeros((SENSOR_PIXELS, SENSOR_PIXELS), np.uint8)
    return (rules >> 10).astype(np.uint8)


def _acquisitions(
    paths: Sequence[str | Path], on_progress: Progress | None
) -> Iterator[Iterator[Hits]]:
    """The hits of each acquisition, block by block."""
    for files in acquisitions_of(paths):
        yield _blocks(files, on_progress)


def _blocks(files: list[Path], on_progress: Progress | None) -> Iterator[Hits]:
    decoder = Decoder()
    for file in files:
        for block in iterate_bytes(file):
            yield decoder.feed(block)
            if on_progress is not None:
                on_progress(len(block))

"""The stages of the analysis one after the other on one thread, with the time each takes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from twinbeam.images import Images
from twinbeam.pairs import PairFinder, Pairs, SelectedPairs, SharedPhotons
from twinbeam.photons import PhotonFinder
from twinbeam.pipeline import Recipe
from twinbeam.pipeline.slabs import slabs_of
from twinbeam.pipeline.tables import Tables
from twinbeam.tpx3 import Decoder

__all__ = ["STAGES", "StageTimes", "time_stages"]

#: Stages in order, with what each does.
STAGES = {
    "read": "bytes of the file, block by block",
    "decode": "bytes → hits on one clock",
    "photons": "order, cluster, measure",
    "pairs": "all pairs and all replicas",
    "images": "cuts, maps, histograms",
}
_CANDIDATES_AT_ONCE = 1 << 13  # as the pipeline


@dataclass
class StageTimes:
    """Seconds of each stage and what was found.

    Attributes
    ----------
    wall_s, cpu_s
        Elapsed time and processor time by stage.
    n_bytes, n_hits, n_photons, n_pairs
        Bytes read, hits decoded, photons found, prompt pairs that pass all cuts.
    """

    wall_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    cpu_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    n_bytes: int = 0
    n_hits: int = 0
    n_photons: int = 0
    n_pairs: int = 0

    @contextmanager
    def watch(self, stage: str) -> Iterator[None]:
        """Add the time of what is inside to a stage."""
        wall, cpu = time.perf_counter(), time.thread_time()
        yield
        self.wall_s[stage] += time.perf_counter() - wall
        self.cpu_s[stage] += time.thread_time() - cpu


def time_stages(path: str | Path, recipe: Recipe | None = None) -> StageTimes:
    """Take a raw file through all stages block by block, as the pipeline does.

    Every block is in the processor's cache from one stage to the next, so the times are those
    inside the whole chain; it also has to account for them, which is the rest of its time.

    Raises
    ------
    RawDataError
        If the file cannot be read.
    """
    path = Path(path)
    tables = Tables.of(recipe or Recipe())
    recipe = tables.recipe
    times = StageTimes(n_bytes=path.stat().st_size)
    decoder = Decoder()
    photon_finder = PhotonFinder(
        recipe.clustering,
        recipe.response,
        recipe.geometry.gap_px,
        tables.rules,
        tables.response,
        ordered=False,
    )
    pair_finder = PairFinder(
        recipe.pairing, recipe.replicas, recipe.geometry, tables.selection, tables.regions
    )
    counter = _PairCounter(tables)
    slabs = slabs_of([path], max(times.n_bytes, 1))
    blocks = (block for slab in slabs for block in slab.blocks())
    block: memoryview | None = memoryview(b"")
    while block is not None:
        with times.watch("read"):
            block = next(blocks, None)
        if block is None:
            with times.watch("photons"):
                photons, bound = photon_finder.finish(), math.inf
        else:
            with times.watch("decode"):
                hits = decoder.feed(block)
            with times.watch("photons"):
                photons, bound = photon_finder.feed(hits)
        times.n_photons += len(photons)
        with times.watch("pairs"):
            pairs = pair_finder.feed(photons, bound)
        with times.watch("images"):
            counter.images.add_photons(photons)
            counter.add(pairs, at_end=block is None)
    times.n_hits = decoder.census().n_hits
    times.n_pairs = counter.n_pairs
    return times


class _PairCounter:
    """Counts candidates many at a time, as the pipeline does."""

    def __init__(self, tables: Tables) -> None:
        self.images = Images(tables.axes, tables.recipe.geometry)
        self._shared = SharedPhotons(tables.recipe.replicas, tables.recipe.pairing)
        self._tables = tables
        self._waiting: list[Pairs] = []
        self.n_pairs = 0

    def add(self, pairs: Pairs, *, at_end: bool) -> None:
        """Take candidates; they are counted when there are enough."""
        if len(pairs):
            self._waiting.append(pairs)
        if sum(map(len, self._waiting)) < _CANDIDATES_AT_ONCE and not at_end:
            return
        together, self._waiting = Pairs.concatenate(self._waiting), []
        if len(together):
            geometry = self._tables.recipe.geometry
            selected = SelectedPairs(together, self._tables.selection, geometry)
            self.images.add_pairs(together, selected)
            kept = together[selected.passed]
            self._shared.add(kept)
            self.n_pairs += int(np.count_nonzero(kept.replica == 0))

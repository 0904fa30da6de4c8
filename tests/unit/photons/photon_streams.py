"""Hits for tests of the photon finder: crowded in space and time, and disordered."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from twinbeam.photons import Clustering, PhotonFinder, Photons, Response
from twinbeam.tpx3 import Hits, chip_of

DATA = Path(__file__).parents[4] / "shared" / "data"


def hits_of(rows: list[tuple[int, int, int, int]]) -> Hits:
    """Hits from (t, x, y, ToT in steps of 25 ns)."""
    t, x, y, tot = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return Hits(t, x, y, 25 * tot, chip_of(x, y))


def crowded_hits(seed: int, n: int = 200) -> Hits:
    """Hits around the middle of the quad, so many that they touch, in a disordered stream."""
    rng = np.random.default_rng(seed)
    t = rng.integers(0, 20 * n, n) + rng.choice([0, 0, 3_000_000], n)
    x, y = rng.integers(250, 262, (2, n))
    hits = Hits(t, x, y, 25 * rng.integers(0, 40, n), chip_of(x, y))
    return hits[np.argsort(t + rng.integers(0, 2_000, n), kind="stable")]


def find(
    pieces: list[Hits], *, gap_px: int = 2, **clustering: float
) -> tuple[Photons, PhotonFinder]:
    """All photons of hits that come in pieces."""
    finder = PhotonFinder(Clustering(**clustering), Response(), gap_px)
    photons = [finder.feed(piece)[0] for piece in pieces]
    return Photons.concatenate([*photons, finder.finish()]), finder


def split(hits: Hits, places: list[int]) -> list[Hits]:
    """The hits between places, taken modulo the length."""
    borders = sorted({p % (len(hits) + 1) for p in places})
    ends = [0, *borders, len(hits)]
    return [hits[a:b] for a, b in pairwise(ends)]


seeds = st.integers(0, 2**32 - 1)
places = st.lists(st.integers(0, 2**16), max_size=10)

"""Extreme recipes and times: the same photons as by plain comparison of all hits with all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photon_streams import places, seeds, split

from twinbeam.photons import (
    Clustering,
    PhotonFinder,
    Photons,
    Response,
    energy_by_tot_kev,
    walk_by_tot_ticks,
)
from twinbeam.tpx3 import TICK_NS, Hits, chip_of

RESPONSES = {
    "usual": Response(),
    "pole above the energies": Response(walk="pole", walk_t_kev=5.0, walk_d_ns=-300.0),
    "long walk": Response(timewalk_ns=1000.0, timewalk_decay_per_ns=1e-3),
    "no energy below 10 us": Response(b_ns=1e4, c_ns_kev=0.0),
    "all energies high": Response(b_ns=-1e4),
}
JUMPS = [0, 2**30, 2**36 - 5, 2**36, 2**36 + 10**9]  # around what fits behind one epoch
STARTS = [0, -5, -(2**40), 2**45]


def clusters(hits: Hits, window: int, longest: int) -> list[int]:
    t, x, y = (c.astype(np.int64).tolist() for c in (hits.t, hits.x, hits.y))
    parent = list(range(len(t)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    for i in range(len(t)):
        j = i - 1
        while j >= 0 and t[i] - t[j] <= window:
            if abs(x[i] - x[j]) <= 1 and abs(y[i] - y[j]) <= 1:
                first, second = sorted((root(i), root(j)))
                if t[i] - t[first] <= longest:
                    parent[second] = first
            j -= 1
    return [root(i) for i in range(len(t))]


def plain(hits: Hits, clustering: Clustering, response: Response, gap_px: int) -> Photons:
    """Photons of hits in order, in whole numbers of any size."""
    longest = int(clustering.longest_us * 1e3 / TICK_NS)
    label = np.array(clusters(hits, int(clustering.window_ns / TICK_NS), longest))
    steps, walk = energy_by_tot_kev(response) * 65536, walk_by_tot_ticks(response)
    rows = []
    for one in np.unique(label):
        mine = hits[label == one]
        e = [int(step) for step in steps[mine.tot_ns // 25]]
        x, y = ([256 * (int(v) + gap_px * (v >= 256)) for v in c] for c in (mine.x, mine.y))
        largest = e.index(max(e))
        edge = np.isin(mine.x, (255, 256)) | np.isin(mine.y, (255, 256))
        rows.append(
            (
                float(mine.t[largest]) - walk[mine.tot_ns[largest] // 25],
                float(sum(a * b for a, b in zip(e, x, strict=True))) / float(sum(e)) / 256,
                float(sum(a * b for a, b in zip(e, y, strict=True))) / float(sum(e)) / 256,
                float(sum(e)) / 65536,
                int(mine.tot_ns.astype(int).sum()),
                len(mine),
                int(edge.any()) | 2 * int((mine.tot_ns >= 25 * 1022).any()),
            )
        )
    photons = Photons(*(np.array(column) for column in zip(*rows, strict=True)))
    return photons[np.lexsort((photons.energy_kev, photons.x, photons.y, photons.t))]


def found(
    pieces: list[Hits], clustering: Clustering, response: Response, gap_px: int, *, ordered: bool
) -> tuple[Photons, PhotonFinder]:
    """All photons in order; checks the account and the promised times after every piece."""
    finder = PhotonFinder(clustering, response, gap_px, ordered=ordered)
    limit = -np.inf
    parts = []
    for piece in pieces:
        photons, promised = finder.feed(piece)
        assert np.all(photons.t >= limit)
        assert finder.n_in == finder.n_used + finder.n_held + sum(finder.rejected.values())
        limit = max(limit, promised)
        parts.append(photons[np.arange(len(photons))])
    photons = Photons.concatenate([*parts, finder.finish()])
    assert finder.n_held == 0
    assert finder.n_used == photons.n_hits.sum()
    return photons[np.lexsort((photons.energy_kev, photons.x, photons.y, photons.t))], finder


@pytest.mark.parametrize("name", RESPONSES)
@settings(max_examples=40, deadline=None, database=None)
@given(
    seed=seeds,
    where=places,
    window_ns=st.sampled_from([1.6, 200.0, 3000.0, 1e5]),
    longest_us=st.sampled_from([1e-3, 0.3, 10.0, 1e4]),
    reorder_ms=st.sampled_from([1e-6, 0.01, 2.0, 1e4]),
    gap_px=st.integers(0, 10),
    span=st.sampled_from([30, 500, 20_000, 10**6, 2**37]),
    side=st.sampled_from([2, 5, 30]),
    jump=st.sampled_from(JUMPS),
    start=st.sampled_from(STARTS),
)
def test_extreme_recipes_and_times(
    name: str,
    seed: int,
    where: list[int],
    window_ns: float,
    longest_us: float,
    reorder_ms: float,
    gap_px: int,
    span: int,
    side: int,
    jump: int,
    start: int,
) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 300))
    t = start + np.sort(rng.integers(0, span, n)) + jump * np.cumsum(rng.random(n) < 0.01)
    x, y = 255 - side // 2 + rng.integers(0, side, (2, n))
    keys, first = np.unique(np.stack((t, y, x), axis=1), axis=0, return_index=True)
    t, y, x = keys.T
    hits = Hits(t, x, y, 25 * rng.integers(1, 1024, n)[first], chip_of(x, y))
    clustering = Clustering(window_ns=window_ns, longest_us=longest_us, reorder_ms=reorder_ms)
    arguments = (clustering, RESPONSES[name], gap_px)
    whole, finder = found([hits], *arguments, ordered=True)
    for ordered in (True, False):
        again, other = found(split(hits, where), *arguments, ordered=ordered)
        assert again.equals(whole)
        assert other.rejected == finder.rejected
    if not sum(finder.rejected.values()):
        assert whole.equals(plain(hits, *arguments))

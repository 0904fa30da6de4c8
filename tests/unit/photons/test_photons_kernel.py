"""The fast pass against the plain one: clusters by the map, sums by numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photon_streams import find, hits_of, seeds

from twinbeam.photons import (
    Clustering,
    PhotonFinder,
    Photons,
    Response,
    energy_by_tot_kev,
    label_clusters,
    pixel_map,
    walk_by_tot_ticks,
)
from twinbeam.tpx3 import Hits, chip_of


def plain(hits: Hits, longest_us: float = 10.0) -> Photons:
    """Photons of hits in order, cluster by cluster in plain numpy."""
    longest = int(longest_us * 1e3 / 1.5625)
    label = label_clusters(hits.t, hits.x, hits.y, 128, longest, pixel_map())
    table, walk = energy_by_tot_kev(Response()), walk_by_tot_ticks(Response())
    rows = []
    for root in np.unique(label):
        mine = hits[label == root]
        energy = table[mine.tot_ns // 25]
        x, y = (c.astype(float) + 2 * (c >= 256) for c in (mine.x, mine.y))
        largest = int(np.argmax(energy))
        t = mine.t[largest] - walk[mine.tot_ns[largest] // 25]
        place = (energy @ x / energy.sum(), energy @ y / energy.sum())
        rows.append((t, *place, energy.sum(), mine.tot_ns.sum(), len(mine), 0))
    photons = Photons(*np.array(rows).reshape(-1, 7).T)
    return photons[np.lexsort((photons.energy_kev, photons.x, photons.y, photons.t))]


def dense(seed: int, n: int, spread: int, ticks: int) -> Hits:
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, ticks, n))
    x, y = rng.integers(200, 200 + spread, (2, n))
    hits = Hits(t, x, y, 25 * rng.integers(1, 40, n), chip_of(x, y))
    hits = hits[np.lexsort((hits.tot_ns, hits.x, hits.y, hits.t))]
    again = np.zeros(n, bool)
    again[1:] = (np.diff(hits.t) == 0) & (np.diff(hits.x) == 0) & (np.diff(hits.y) == 0)
    return hits[~again]


@settings(max_examples=30, deadline=None, database=None)
@given(
    seeds,
    st.sampled_from([(300, 300, 100_000), (300, 4, 3_000), (400, 20, 300), (400, 100, 40)]),
)
def test_the_fast_pass_finds_the_same_photons(seed: int, kind: tuple[int, int, int]) -> None:
    hits = dense(seed, *kind)
    photons, finder = find([hits])
    expected = plain(hits)
    assert len(photons) == len(expected)
    assert np.array_equal(photons.t, expected.t)
    assert np.array_equal(photons.n_hits, expected.n_hits)
    assert np.array_equal(photons.tot_ns, expected.tot_ns)
    assert np.allclose(photons.energy_kev, expected.energy_kev, rtol=1e-6)
    for axis in ("x", "y"):
        # places are summed in steps of 1/65536 keV times 1/256 px, without rounding
        ours, theirs = getattr(photons, axis), getattr(expected, axis)
        assert np.allclose(ours, theirs, atol=1e-4, rtol=0)
    assert finder.n_used == len(hits)


def test_a_crowd_within_the_window_takes_no_quadratic_time() -> None:
    # 130,000 hits within 100 ns: looking back over all of them would take minutes
    n = 130_000
    rng = np.random.default_rng(3)
    t = np.sort(rng.integers(0, 64, n))
    x, y = rng.integers(0, 200, (2, n))
    finder = PhotonFinder(Clustering(), Response())
    finder.feed(Hits(t, x, y, rng.integers(1, 40, n) * 25, chip_of(x, y)))
    photons = finder.finish()
    # nearly all pixels were hit, so everything is one photon, if it counts at all
    assert len(photons) == 1
    assert photons.n_hits[0] + sum(finder.rejected.values()) == n


@pytest.mark.parametrize("ordered", [True, False])
def test_unordered_photons_are_the_same_photons(ordered: bool) -> None:
    hits = dense(5, 400, 40, 20_000)
    finder = PhotonFinder(Clustering(reorder_ms=0.001), Response(), ordered=ordered)
    parts = []
    for piece in np.array_split(np.arange(len(hits)), 9):
        photons, limit = finder.feed(hits[piece])
        parts.append(photons[np.arange(len(photons))])  # views are valid until the next feed
        if ordered:
            assert np.all(photons.t < limit)
    parts.append(finder.finish())
    photons = Photons.concatenate(parts)
    order = np.lexsort((photons.energy_kev, photons.x, photons.y, photons.t))
    assert photons[order].equals(find([hits])[0])


def test_states_are_equal_after_the_same_hits_whatever_came_before() -> None:
    rng = np.random.default_rng(8)
    early = hits_of([(10 * i, int(rng.integers(512)), 5, 9) for i in range(50)])
    hits = dense(9, 400, 40, 40_000)
    x = hits.x + 40  # on two chips, so that the jump is believed at once
    hits = Hits(hits.t + 5_000_000, x, hits.y, hits.tot_ns, chip_of(x, hits.y))
    short = {"reorder_ms": 0.001}
    one = PhotonFinder(Clustering(**short), Response())
    two = PhotonFinder(Clustering(**short), Response())
    one.feed(early)
    one.feed(hits[:150])
    one.feed(hits[150:])
    two.feed(hits)
    assert one.state() == two.state()
    turn = 1 << 34
    one.shift_clock(turn)
    assert one.state() != two.state()
    more = hits_of([(5_040_100 + turn, 9, 9, 9)])
    photons, limit = one.feed(more)
    two.shift_clock(turn)
    again, same = two.feed(more)
    assert photons.equals(again)
    assert limit == same

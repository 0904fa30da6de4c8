"""Clusters against connected components found by brute force."""

from __future__ import annotations

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from photon_streams import hits_of

from twinbeam.photons import label_clusters, pixel_map
from twinbeam.tpx3 import Hits

WINDOW = 128
ENDLESS = 2**40

# few pixels and few times, at the border of all four chips or in the corner of the sensor
rows = st.integers(0, 1).flatmap(
    lambda corner: st.lists(
        st.tuples(
            st.integers(0, 600),
            st.integers(508, 511) if corner else st.integers(254, 258),
            st.integers(508, 511) if corner else st.integers(254, 258),
            st.just(10),
        ),
        max_size=40,
    )
)


def label(hits: Hits, longest: int = ENDLESS) -> list[int]:
    scratch = pixel_map()
    labels = label_clusters(hits.t, hits.x, hits.y, WINDOW, longest, scratch)
    assert np.all(scratch == -1), "the scratch map is left as it was found"
    return labels.tolist()


def brute_force(hits: Hits) -> list[int]:
    """Index of the first hit of each hit's connected component, by comparing all with all."""
    t, x, y = (hits.columns()[name].astype(np.int64) for name in ("t", "x", "y"))
    touch = np.abs(t[:, None] - t) <= WINDOW
    touch &= (np.abs(x[:, None] - x) <= 1) & (np.abs(y[:, None] - y) <= 1)
    labels = np.arange(len(hits))
    while True:
        spread = np.array([labels[row].min() for row in touch], dtype=np.int64)
        if np.array_equal(spread, labels):
            return labels.tolist()
        labels = spread


@settings(max_examples=60, deadline=None, database=None)
@given(rows)
def test_clusters_are_the_connected_components(hits: list[tuple[int, int, int, int]]) -> None:
    ordered = hits_of(sorted(hits))
    assert label(ordered) == brute_force(ordered)


def test_a_dense_sensor() -> None:
    rng = np.random.default_rng(5)
    n = 3000
    t, (x, y) = np.sort(rng.integers(0, 2000, n)), rng.integers(240, 272, (2, n))
    hits = Hits(t, x, y, np.full(n, 250), np.zeros(n))
    assert label(hits) == brute_force(hits)


def test_neighbours_in_time_and_space() -> None:
    together = [(0, 10, 10, 1), (128, 11, 11, 1)]
    assert label(hits_of(together)) == [0, 0]
    assert label(hits_of([(0, 10, 10, 1), (129, 11, 11, 1)])) == [0, 1]
    assert label(hits_of([(0, 10, 10, 1), (5, 12, 10, 1)])) == [0, 1]
    assert label(hits_of([(0, 10, 10, 1), (5, 10, 10, 1)])) == [0, 0]


def test_a_late_bridge_joins_two_clusters() -> None:
    assert label(hits_of([(0, 10, 10, 1), (1, 12, 10, 1), (2, 11, 10, 1)])) == [0, 0, 0]


def test_clusters_cross_the_borders_of_chips() -> None:
    corner = [(i, x, y, 1) for i, (x, y) in enumerate(((255, 255), (256, 255), (256, 256)))]
    assert label(hits_of(corner)) == [0, 0, 0]


def test_the_sensor_does_not_wrap_around() -> None:
    assert label(hits_of([(0, 511, 10, 1), (1, 0, 11, 1), (2, 0, 10, 1)])) == [0, 1, 1]


def test_a_cluster_ends_when_it_has_lasted_too_long() -> None:
    chain = hits_of([(100 * i, 10, 10, 1) for i in range(11)])
    assert label(chain, longest=1000) == [0] * 11
    assert label(chain, longest=999) == [0] * 10 + [10]
    assert label(chain, longest=400) == [0] * 5 + [5] * 5 + [10]


def test_endless_clusters_take_no_more_time_than_others() -> None:
    n = 200_000
    x = 10 + np.arange(n) % 3
    hits = Hits(50 * np.arange(n), x, np.full(n, 7), np.full(n, 250), np.zeros(n))
    label(hits[:10])  # compiled
    began = time.process_time()
    labels = label(hits, longest=6400)
    assert time.process_time() - began < 2.0
    assert np.bincount(np.unique(labels, return_inverse=True)[1]).max() == 129

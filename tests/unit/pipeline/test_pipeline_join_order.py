"""Photons and pairs depend neither on the order of arrival within the hold-back nor on cuts."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from piecewise import simulated

from twinbeam.pairs import PairFinder, Pairs
from twinbeam.photons import PhotonFinder, Photons
from twinbeam.pipeline import Recipe
from twinbeam.pipeline.tables import Tables
from twinbeam.tpx3 import TICK_NS, Decoder, Hits

RECIPES = {
    "default": Recipe(),
    "wide": Recipe.from_mapping(
        {
            "clustering": {"spread_edges": True, "reorder_ms": 1.0},
            "selection": {"cuts": [{"quantity": "dt_ns", "low": -250.0, "high": 250.0}]},
        }
    ),
}


@pytest.fixture(scope="module")
def hits() -> Hits:
    """A tenth of a second, ordered by time."""
    found = Decoder().feed(simulated(21, 0.1, pair_rate_hz=2e4))
    return found[np.argsort(found.t, kind="stable")]


def found(pieces: list[Hits], recipe: Recipe, *, ordered: bool) -> tuple[Photons, Pairs]:
    tables = Tables.of(recipe)
    photon_finder = PhotonFinder(
        recipe.clustering, recipe.response, 2, tables.rules, tables.response, ordered=ordered
    )
    pair_finder = PairFinder(
        recipe.pairing, recipe.replicas, recipe.geometry, tables.selection, tables.regions
    )
    photons, pairs = [], []
    for piece in pieces:
        some, bound = photon_finder.feed(piece)
        pairs.append(pair_finder.feed(some, bound))
        photons.append(some[:])
        if not ordered:  # they are views of a buffer that is used again
            photons[-1] = Photons(*(column.copy() for column in some.columns().values()))
    some = photon_finder.finish()
    pairs.append(pair_finder.feed(some, math.inf))
    photons.append(some)
    rejected = photon_finder.rejected
    assert rejected["late"] == rejected["astray"] == rejected["crowded"] == 0
    return Photons.concatenate(photons), Pairs.concatenate(pairs)


@pytest.fixture(scope="module")
def expected(hits: Hits) -> dict[str, tuple[Photons, Pairs]]:
    return {name: found([hits], recipe, ordered=True) for name, recipe in RECIPES.items()}


@settings(max_examples=40, deadline=None, database=None)
@given(
    st.sampled_from(sorted(RECIPES)),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.001, 0.3, 0.999]),
    st.lists(st.integers(0, 2**20), max_size=12),
    st.booleans(),
)
def test_arrivals_shuffled_within_the_hold_back(
    hits: Hits,
    expected: dict[str, tuple[Photons, Pairs]],
    name: str,
    seed: int,
    share: float,
    where: list[int],
    ordered: bool,
) -> None:
    recipe = RECIPES[name]
    hold = share * recipe.clustering.reorder_ms * 1e6 / TICK_NS
    delay = np.random.default_rng(seed).uniform(0.0, hold, len(hits))
    shuffled = hits[np.argsort(hits.t + delay, kind="stable")]
    borders = sorted({w % (len(hits) + 1) for w in where} | {0, len(hits)})
    photons, pairs = found([shuffled[a:b] for a, b in pairwise(borders)], recipe, ordered=ordered)
    wanted_photons, wanted_pairs = expected[name]
    assert len(wanted_pairs) > 500
    assert pairs.equals(wanted_pairs)
    if not ordered:
        photons = photons[np.lexsort((photons.energy_kev, photons.x, photons.y, photons.t))]
    assert photons.equals(wanted_photons)


def test_repeats_of_a_hit_are_told_wherever_the_pass_is_divided() -> None:
    """Hits are taken thousands at a time; a hit that comes twice must not fall between."""
    n = 10_000
    t = 1000 * (np.arange(n) // 2)  # every hit twice
    hits = Hits(t, np.full(n, 20), np.full(n, 30), np.full(n, 250), np.full(n, 3))
    for first in (0, 1):  # so that one of the two would be at any border
        finder = PhotonFinder(RECIPES["default"].clustering, RECIPES["default"].response)
        photons = Photons.concatenate([finder.feed(hits[first:])[0], finder.finish()])
        assert finder.rejected["repeated"] == n // 2 - first
        assert np.all(photons.n_hits == 1)
        assert len(photons) == n // 2

"""Reducers that compare photons, and regions other than halves, through the whole pipeline."""

from __future__ import annotations

import numpy as np
import pytest

from twinbeam.pairs import BackToBack, TurnShifts, estimate_relation
from twinbeam.pipeline import Pipeline, Recipe, Result

STREAMS = Recipe.from_mapping(
    {"images": {"g2": True, "g2_reach_us": 3.0, "distance": True, "symmetric": True}}
)


def run(raw: bytes, recipe: Recipe, step: int | None = None) -> Result:
    pipeline = Pipeline(recipe, keep_photons=True)
    for at in range(0, len(raw), step or len(raw)):
        pipeline.feed(raw[at : at + (step or len(raw))])
    return pipeline.finish()


@pytest.fixture(scope="module")
def streams(raw: bytes) -> Result:
    return run(raw, STREAMS)


@pytest.mark.parametrize("step", [40_009, 300_000])
def test_any_cutting_gives_the_same_sums(raw: bytes, streams: Result, step: int) -> None:
    assert run(raw, STREAMS, step).differences(streams) == []


def test_g2_and_distances_are_those_of_the_photons(streams: Result) -> None:
    photons = streams.photons
    assert photons is not None
    delays: list[np.ndarray] = []
    near: list[np.ndarray] = []
    for lag in range(1, 40):
        delay = photons.t[lag:] - photons.t[:-lag]
        delays.append(delay)
        x, y = (c.astype(float)[lag:] - c.astype(float)[:-lag] for c in (photons.x, photons.y))
        near.append(np.floor(np.hypot(x, y) + 0.5)[delay <= 64.0])
    assert delays[-1].min() > 3000.0 / 1.5625  # no further lag can be within reach
    width = STREAMS.images.g2_bin_ticks
    k = np.floor(np.concatenate(delays) / width + 0.5)
    n = streams.axes.g2_ns.size
    expected = np.bincount(k[k < n].astype(int), minlength=n)
    assert np.array_equal(streams.arrays["g2"][2:], expected[2:])
    assert streams.arrays["g2_overflow"][0] == streams.arrays["distance_overflow"][0] == 0
    distances = np.concatenate(near).astype(int)
    most = streams.axes.distance_px.size
    counted = 2 * np.bincount(distances[distances < most], minlength=most)
    assert np.array_equal(streams.arrays["distance"], counted)


def test_quadrants(raw: bytes, result: Result) -> None:
    quadrant = run(raw, Recipe.from_mapping({"pairing": {"signal_half": "top_left"}}))
    assert quadrant.ledger.closes
    assert quadrant.ledger.stages["photons"].rejected["elsewhere"] > 0.2 * quadrant.n_photons
    p, whole = quadrant.pairs, result.pairs
    assert ((p.x1 < 258) & (p.y1 >= 258) & (p.x2 >= 258) & (p.y2 < 258)).all()
    inside = (whole.x1 < 258) & (whole.y1 >= 258) & (whole.x2 >= 258) & (whole.y2 < 258)
    assert p.equals(whole[inside])
    assert 0.3 * len(whole) < len(p) < 0.7 * len(whole)


def test_the_estimate_is_that_of_the_relation(result: Result) -> None:
    recipe, photons = result.recipe, result.photons
    assert photons is not None
    relation = BackToBack(recipe.pairing, recipe.selection, recipe.geometry)
    found = estimate_relation(photons, relation, TurnShifts(recipe.replicas))
    assert found == result.estimate
    assert found.n_prompt > 100

"""The whole analysis against one that tries everything with everything; exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbeam.pipeline import Pipeline, Recipe, Result
from twinbeam.tpx3 import Hits, chip_of, encode_hits

CUTS = {
    "usual": None,
    "tot": [
        {"quantity": "tot1", "low": 0.0, "high": 400.0},
        {"quantity": "tot2", "low": 0.0, "high": 400.0},
        {"quantity": "dp_px", "low": 0.0, "high": 5.0},
    ],
    "wide": [
        {"quantity": "energy_sum_kev", "low": 10.0, "high": 17.0},
        {"quantity": "dp_px", "low": 0.0, "high": 25.0},
        {"quantity": "detuning_deg", "low": 0.0, "high": 1e-3},
        {"quantity": "dt_ns", "low": -100.0, "high": 80.0},
    ],
    "mixed": [
        {"quantity": "dt_ns", "low": -100.0, "high": 80.0},
        {"quantity": "e1", "low": 4.0, "high": 9.0},
        {"quantity": "tot2", "low": 100.0, "high": 500.0},
        {"quantity": "energy_sum_kev", "low": 8.0, "high": 19.0},
    ],
    "none": [],
}

crowds = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "n": st.integers(1, 150),
        "span": st.sampled_from([60, 2_000, 30_000, 400_000]),
        "side": st.sampled_from([3, 12, 60]),
        "disorder": st.sampled_from([0, 500, 10**6]),
    }
)
recipes = st.fixed_dictionaries(
    {
        "window_ns": st.sampled_from([1.6, 50.0, 200.0, 1000.0]),
        "pair_ns": st.sampled_from([10.0, 250.0, 1300.0]),
        "n_turns": st.integers(1, 4),
        "cuts": st.sampled_from(sorted(CUTS)),
        "gap_px": st.sampled_from([0, 2]),
        "turn_ns": st.sampled_from([2641.69, 2601.6, 5000.0]),
        "centre": st.sampled_from([(258.0, 258.0), (254.3, 257.1)]),
    }
)


def crowd(seed: int, n: int, span: int, side: int, disorder: int) -> Hits:
    """Hits around the middle of the quad; some in the same pixel and tick, some of ToT 0."""
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, span, n)) + 10**7
    x, y = 256 - side // 2 + rng.integers(0, side, (2, n))
    tot = rng.integers(0, 25, n)
    tot[rng.random(n) < 0.02] = 1022
    again = rng.random(n) < 0.1
    for column in (t, x, y):
        column[1:][again[1:]] = column[:-1][again[1:]]
    order = np.argsort(t + rng.integers(0, disorder + 1, n), kind="stable")
    return Hits(t, x, y, 25 * tot, chip_of(x, y))[order]


def recipe_of(
    window_ns: float,
    pair_ns: float,
    n_turns: int,
    cuts: str,
    gap_px: int,
    turn_ns: float,
    centre: tuple[float, float],
) -> Recipe:
    values: dict[str, Any] = {
        "clustering": {"window_ns": window_ns, "longest_us": 1e4},
        "pairing": {"window_ns": pair_ns},
        "replicas": {"n_turns": n_turns, "turn_ns": turn_ns},
        "geometry": {"gap_px": gap_px, "centre_px": centre},
    }
    if CUTS[cuts] is not None:
        values["selection"] = {"cuts": CUTS[cuts]}
    return Recipe.from_mapping(values)


def analysed(hits: Hits, recipe: Recipe) -> Result:
    pipeline = Pipeline(recipe, keep_photons=True)
    pipeline.feed(encode_hits(hits))
    return pipeline.finish()


def check_photons(result: Result, expected: list[plain.Photon]) -> None:
    photons = result.photons
    assert photons is not None
    names = ("t", "y", "x", "energy_kev", "tot_ns", "n_hits", "flags")
    found = sorted(
        plain.Photon(*row)
        for row in zip(*(getattr(photons, name).tolist() for name in names), strict=True)
    )
    assert found == expected
    assert np.all(np.diff(photons.t) >= 0.0)


def check_pairs(result: Result, expected: list[plain.Pair]) -> None:
    p = result.pairs
    names = ("replica", "t", "dt_ns", "x1", "y1", "e1", "tot1", "x2", "y2", "e2", "tot2")
    found = sorted(zip(*(getattr(p, name).tolist() for name in names), strict=True))
    wanted = sorted(
        (
            pair.replica,
            pair.one.t,
            pair.dt_ns,
            *(v for q in (pair.one, pair.two) for v in (q.x, q.y, q.energy_kev, q.tot_ns)),
        )
        for pair in expected
    )
    assert found == wanted
    assert result.estimate.n_prompt == sum(pair.replica == 0 for pair in expected)


@settings(max_examples=120, deadline=None, database=None)
@given(crowds, recipes)
def test_photons_and_pairs_of_a_crowd(
    crowded: dict[str, Any], given_recipe: dict[str, Any]
) -> None:
    hits, recipe = crowd(**crowded), recipe_of(**given_recipe)
    result = analysed(hits, recipe)
    stages = result.ledger.stages
    assert stages["hits"].rejected["late"] == stages["hits"].rejected["astray"] == 0
    photons = plain.photons_of(hits, recipe)
    check_photons(result, photons)
    if stages["photons"].rejected["crowded"]:
        return  # more partners than any beam can give: not tried, which the plain way does not know
    pairs = plain.candidates(photons, recipe)
    kept, rejected, rejected_replicas = plain.selected(pairs, recipe)
    check_pairs(result, kept)
    assert dict(stages["pairs"].rejected) == rejected
    assert dict(stages["accidentals"].rejected) == rejected_replicas
    assert stages["pairs"].taken + stages["accidentals"].taken == len(pairs)


@pytest.mark.parametrize("cuts", ["usual", "wide"])
def test_pairs_of_a_simulated_run(cuts: str) -> None:
    """Real rates, so that cuts on geometry are met by true pairs."""
    from twinbeam.simulate import Experiment, SimulationParameters
    from twinbeam.tpx3 import Decoder

    parameters = SimulationParameters(
        pair_rate_hz=5e4, background_rate_hz=2e4, sample="none", clock_start_s=5.0
    )
    experiment = Experiment(parameters, seed=5)
    raw = b"".join([experiment.start(), experiment.advance(0.006), experiment.stop()])
    recipe = recipe_of(200.0, 250.0, 2, cuts, 2, 2641.69, (258.0, 258.0))
    pipeline = Pipeline(recipe, keep_photons=True)
    pipeline.feed(raw)
    result = pipeline.finish()
    photons = plain.photons_of(Decoder().feed(raw), recipe)
    assert len(photons) > 500
    check_photons(result, photons)
    kept, _, _ = plain.selected(plain.candidates(photons, recipe), recipe)
    check_pairs(result, kept)
    if cuts == "usual":
        assert result.estimate.n_prompt > 50

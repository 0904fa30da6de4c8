"""Halves, cuts and the estimate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photon_lists import find, photons_at, random_photons, seeds

from twinbeam.errors import RecipeError
from twinbeam.pairs import (
    Cut,
    Estimate,
    Pairing,
    Replicas,
    SelectedPairs,
    Selection,
    split_halves,
)
from twinbeam.physics import Geometry

CORNERS = photons_at([0.0, 1.0, 2.0, 3.0], [100.0, 400.0, 100.0, 400.0], [400.0, 400.0, 9.0, 9.0])


@pytest.mark.parametrize(
    ("half", "signal"),
    [("top", [0, 1]), ("bottom", [2, 3]), ("left", [0, 2]), ("right", [1, 3])],
)
def test_the_signal_half(half: str, signal: list[int]) -> None:
    pairing = Pairing.from_mapping({"signal_half": half})
    one, two, _ = split_halves(CORNERS, pairing, Geometry())
    assert one.t.tolist() == signal
    assert sorted([*one.t, *two.t]) == [0, 1, 2, 3]


@pytest.mark.parametrize(("half", "in_signal"), [("top", True), ("bottom", False)])
def test_the_line_through_the_axis_belongs_to_the_upper_half(half: str, in_signal: bool) -> None:
    on_line = photons_at([0.0], [100.0], [258.0])
    pairing = Pairing.from_mapping({"signal_half": half})
    assert len(split_halves(on_line, pairing, Geometry())[0]) == in_signal


def test_photons_outside_the_energy_range_are_counted_by_side() -> None:
    photons = photons_at(np.arange(5.0), 100.0, 400.0, [2.4, 2.5, 7.0, 12.5, 12.6])
    one, two, rejected = split_halves(photons, Pairing(), Geometry())
    assert (len(one), len(two)) == (3, 0)
    assert rejected == {"energy_low": 1, "energy_high": 1}


@settings(max_examples=30, deadline=None, database=None)
@given(seeds, st.permutations(range(4)))
def test_every_candidate_passes_or_fails_exactly_one_cut(seed: int, order: list[int]) -> None:
    pairs, _ = find(random_photons(seed, 200))
    cuts = (
        Cut(quantity="energy_sum_kev", low=12.0, high=18.0),
        Cut(quantity="dp_px", low=0.0, high=120.0),
        Cut(quantity="r1", low=50.0, high=250.0),
        Cut(quantity="dt_ns", low=-100.0, high=100.0),
    )
    selection = Selection(cuts=tuple(cuts[i] for i in order))
    selected = SelectedPairs(pairs, selection)
    assert list(selected.rejected) == [cut.quantity for cut in selection.cuts]
    alive = np.ones(len(pairs), dtype=bool)
    prompt = pairs.replica == 0
    for cut in selection.cuts:
        values = pairs.quantity(cut.quantity)
        fails = alive & ~((cut.low <= values) & (values <= cut.high))
        assert selected.rejected[cut.quantity] == np.count_nonzero(fails & prompt)
        assert selected.rejected_replicas[cut.quantity] == np.count_nonzero(fails & ~prompt)
        alive &= ~fails
        others = [c for c in cuts if c != cut]
        assert np.array_equal(
            selected.all_but(cut.quantity),
            SelectedPairs(pairs, Selection(cuts=tuple(others))).passed,
        )
    assert np.array_equal(selected.passed, alive)
    # the order changes what is counted where, never what passes
    assert np.array_equal(selected.passed, SelectedPairs(pairs, Selection(cuts=cuts)).passed)


def test_without_cuts_every_candidate_is_a_pair() -> None:
    pairs, _ = find(random_photons(1))
    selected = SelectedPairs(pairs, Selection(cuts=()))
    assert selected.passed.all()
    assert selected.all_but("dt_ns").all()


def test_borders_of_a_cut_pass() -> None:
    pairs, _ = find(photons_at([0.0, 16.0], 300.0, [400.0, 100.0]))
    on_border = Selection(cuts=(Cut(quantity="dt_ns", low=25.0, high=25.0),))
    assert SelectedPairs(pairs, on_border).passed.tolist() == [True]


@pytest.mark.parametrize(
    ("group", "values", "message"),
    [
        (Cut, {"quantity": "dt_ns", "low": 2.0, "high": 1.0}, "low must not exceed high"),
        (Cut, {"quantity": "mass", "low": 0.0, "high": 1.0}, "'quantity'"),
        (Selection, {"cuts": [{"quantity": "r1", "low": 0, "high": 1}] * 2}, "can be cut once"),
        (Pairing, {"photon_kev": [9.0, 9.0]}, "low < high"),
        (Pairing, {"window_ns": 0.0}, "greater than 0"),
        (Replicas, {"n_turns": 0}, "greater than or equal to 1"),
    ],
)
def test_contradictions_are_recipe_errors(group, values: dict, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        group.from_mapping(values)


@settings(max_examples=60, deadline=None, database=None)
@given(st.integers(0, 10**6), st.integers(0, 10**7), st.integers(1, 2000))
def test_estimate(n_prompt: int, n_replicas: int, replicas: int) -> None:
    estimate = Estimate(n_prompt, n_replicas, replicas)
    assert estimate.net == pytest.approx(n_prompt - n_replicas / replicas)
    assert estimate.net_err == pytest.approx(math.sqrt(n_prompt + n_replicas / replicas**2))
    assert (estimate.s_over_b is None) == (n_replicas == 0)
    if n_replicas:
        assert estimate.s_over_b == pytest.approx(estimate.net / estimate.accidental)


def test_estimate_of_unrelated_photons_scatters_as_its_error_says() -> None:
    rng = np.random.default_rng(3)
    pulls = []
    for _ in range(200):
        t = np.sort(rng.integers(0, 16 * 10**6, 2000)) / 16
        y = np.where(rng.random(2000) < 0.5, 400.0, 100.0)
        pairs, _ = find(photons_at(t, 300.0, y), replicas=Replicas(n_turns=10))
        prompt = int(np.count_nonzero(pairs.replica == 0))
        estimate = Estimate(prompt, len(pairs) - prompt, 20)
        pulls.append(estimate.net / estimate.net_err)
    assert np.mean(pulls) == pytest.approx(0.0, abs=0.3)
    assert np.std(pulls) == pytest.approx(1.0, abs=0.25)

"""Accidentals in a bunch train: whole turns measure them right, half turns and far windows not."""

from __future__ import annotations

import numpy as np
import pytest

from twinbeam.pairs import Replicas, coincidences, replica_shifts

TURN_NS, TICK_NS = 2641.69, 1.5625
WINDOW = 36.0 / TICK_NS
SECONDS, RATE_HZ = 4.0, 5e5


@pytest.fixture(scope="module")
def halves() -> tuple[np.ndarray, np.ndarray]:
    """Times of unrelated photons in two halves, 1000 of 1320 buckets filled."""
    rng = np.random.default_rng(11)

    def times() -> np.ndarray:
        n = rng.poisson(RATE_HZ * SECONDS)
        turn = rng.integers(0, int(SECONDS * 1e9 / TURN_NS), n)
        t = (turn + rng.integers(0, 1000, n) / 1320) * TURN_NS + 12.7 * rng.standard_normal(n)
        return np.sort(np.floor(t / TICK_NS))

    return times(), times()


def count(halves: tuple[np.ndarray, np.ndarray], shift_ns: float) -> int:
    shift = np.array([np.round(shift_ns / TICK_NS)])
    (signal, _, _), _ = coincidences(*halves, shift, WINDOW)
    return int(signal.size)


@pytest.fixture(scope="module")
def true_accidentals(halves: tuple[np.ndarray, np.ndarray]) -> int:
    return count(halves, 0.0)


def test_bunches_raise_the_accidentals_above_the_product_of_the_rates(
    halves: tuple[np.ndarray, np.ndarray], true_accidentals: int
) -> None:
    # |Δt| < 36 ns is 47 bins of the clock, that is 73.44 ns
    product = halves[0].size * halves[1].size / SECONDS * 47 * TICK_NS * 1e-9
    assert true_accidentals / product == pytest.approx(1.32, rel=0.02)


def test_whole_turns_give_the_true_accidentals_within_a_percent(
    halves: tuple[np.ndarray, np.ndarray], true_accidentals: int
) -> None:
    turns, shifts = replica_shifts(Replicas(turn_ns=TURN_NS, n_turns=10))
    (_, _, shift), crowded = coincidences(*halves, shifts, WINDOW)
    replicas = np.count_nonzero(turns[shift] != 0) / 20
    assert crowded == 0
    assert np.count_nonzero(turns[shift] == 0) == true_accidentals
    assert replicas == pytest.approx(true_accidentals, rel=0.01)


def test_half_a_turn_is_wrong_by_more_than_a_fifth(
    halves: tuple[np.ndarray, np.ndarray], true_accidentals: int
) -> None:
    assert count(halves, 0.5 * TURN_NS) < 0.8 * true_accidentals


def test_a_far_window_is_wrong_by_more_than_a_fifth(
    halves: tuple[np.ndarray, np.ndarray], true_accidentals: int
) -> None:
    assert count(halves, 500.0) < 0.8 * true_accidentals

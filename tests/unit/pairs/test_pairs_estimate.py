"""The estimate: its error against the scatter of many unrelated streams, limits, significance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from twinbeam.columns import Columns
from twinbeam.pairs import Estimate, SharedCounts, estimate_relation

N_REPLICAS, SHIFT, WINDOW, SPAN = 20, 40, 10, 100_000
RUNS = 300


@dataclass(frozen=True, eq=False)
class Tags(Columns):
    """Time tags of two arms."""

    t: np.ndarray
    arm: np.ndarray

    DTYPES: ClassVar = {"t": np.dtype(np.float64), "arm": np.dtype(np.uint8)}

    @classmethod
    def of(cls, one: np.ndarray, two: np.ndarray) -> Tags:
        t = np.concatenate((one, two))
        arm = np.repeat(np.array([1, 2], np.uint8), (one.size, two.size))
        order = np.argsort(t, kind="stable")
        return cls(t[order], arm[order])


class Near:
    """Tags of different arms closer than a window."""

    window = float(WINDOW)

    def regions(self, tags: Tags) -> np.ndarray:
        return tags.arm

    def holds(self, first: Tags, second: Tags, dt: np.ndarray) -> np.ndarray:
        return np.ones(len(first), dtype=bool)


class Shifts:
    """Twenty shifts, half of them backwards."""

    def shifts(self) -> tuple[np.ndarray, np.ndarray]:
        n = np.arange(1, N_REPLICAS // 2 + 1)
        label = np.concatenate(([0], n, -n)).astype(np.int32)
        return label, label.astype(np.float64) * SHIFT


def poisson(rng: np.random.Generator, mean: float) -> np.ndarray:
    return rng.integers(0, SPAN, rng.poisson(mean)).astype(np.float64)


def estimate_of(seed: int, kind: str) -> Estimate:
    """Both arms 0.5 in the window on average; none has anything to do with the other."""
    rng = np.random.default_rng(seed)
    mean = 0.5 * SPAN / (2 * WINDOW + 1)
    two = poisson(rng, mean)
    if kind == "fourfold":  # every idler is seen four times, as by a detector that splits them
        two = np.repeat(poisson(rng, mean / 4), 4)
    elif kind == "bursts":  # idlers come in flashes, with silence between them
        starts = poisson(rng, mean / 25)
        two = np.concatenate([s + rng.integers(0, 15, 25) for s in starts] or [starts])
    return estimate_relation(Tags.of(poisson(rng, mean), two), Near(), Shifts())


@cache
def estimates(kind: str) -> tuple[Estimate, ...]:
    return tuple(estimate_of(seed, kind) for seed in range(RUNS))


SCATTER = 4.0 / math.sqrt(2 * RUNS)  # four standard errors of a standard deviation of 1


@pytest.mark.parametrize("kind", ["poisson", "fourfold", "bursts"])
def test_unrelated_streams_scatter_as_the_error_says(kind: str) -> None:
    pulls = [e.net / e.net_err for e in estimates(kind)]
    assert np.mean(pulls) == pytest.approx(0.0, abs=4.0 / math.sqrt(RUNS))
    assert np.std(pulls) == pytest.approx(1.0, abs=SCATTER)


@pytest.mark.parametrize(("kind", "factor"), [("fourfold", 1.5), ("bursts", 2.0)])
def test_without_the_shared_photons_the_error_is_far_too_small(kind: str, factor: float) -> None:
    pulls = [e.net / math.sqrt(e.poisson_variance) for e in estimates(kind)]
    assert np.std(pulls) > factor


def test_the_shared_part_of_the_net_cancels_for_two_poisson_streams() -> None:
    found = estimates("poisson")
    shared = np.mean([e.shared_variance / e.poisson_variance for e in found])
    assert shared == pytest.approx(0.0, abs=0.02)


def test_the_accidentals_alone_scatter_far_more_than_by_their_number() -> None:
    found = estimates("poisson")
    true = SPAN / (2 * WINDOW + 1) * 0.25
    pulls = [(e.accidental - true) / e.accidental_err for e in found]
    naive = [(e.accidental - true) / (math.sqrt(e.n_replicas) / e.replicas) for e in found]
    assert np.std(pulls) == pytest.approx(1.0, abs=SCATTER)
    # 1 + n (m1 + m2) with half a partner in the window on either side
    assert np.std(naive) == pytest.approx(math.sqrt(1 + N_REPLICAS), rel=0.2)


def test_the_variance_is_the_mean_square_of_the_net() -> None:
    for kind in ("poisson", "fourfold", "bursts"):
        found = estimates(kind)
        variance = np.mean([e.poisson_variance + e.shared_variance for e in found])
        assert np.mean([e.net**2 for e in found]) == pytest.approx(variance, rel=0.35)


@settings(max_examples=60, deadline=None, database=None)
@given(st.integers(0, 10**6), st.integers(0, 10**7), st.integers(1, 2000))
def test_without_shared_photons_the_variance_is_that_of_two_counts(
    n_prompt: int, n_replicas: int, replicas: int
) -> None:
    e = Estimate(n_prompt, n_replicas, replicas)
    poisson_err = math.sqrt(n_prompt + n_replicas / replicas**2)
    assert e.net_err == pytest.approx(poisson_err)
    assert Estimate(n_prompt, n_replicas, replicas, SharedCounts()).net_err == e.net_err
    assert e.accidental_err == pytest.approx(math.sqrt(n_replicas) / replicas)
    assert (e.pull is None) == (n_prompt == n_replicas == 0)


def test_the_shared_part_by_hand() -> None:
    # signal A: 2 prompt, 1 replica; signal B: 3 replica pairs; no idler twice; n = 2
    e = Estimate(2, 4, 2, SharedCounts(prompt=2, mixed=2, replica=6))
    assert e.poisson_variance == 3.0
    weights = [2 * 1.0 - 1 * 0.5, -3 * 0.5]
    diagonal = 2 * 1.0 + 4 * 0.25
    assert e.shared_variance == sum(w * w for w in weights) - diagonal
    assert e.accidental_err == math.sqrt(4 + 6) / 2


def test_a_shared_part_that_is_negative_by_chance_does_not_shrink_the_error() -> None:
    e = Estimate(1, 2, 1, SharedCounts(mixed=2))
    assert e.shared_variance < 0.0
    assert e.net_err == math.sqrt(3.0)


# --- significance: Li and Ma (1983), eq. 17 ---


@pytest.mark.parametrize(
    ("on", "off", "n"),
    [(10, 20, 4), (100, 1000, 20), (5, 0, 20), (0, 40, 20), (3, 60, 20), (7, 140, 20)],
)
def test_significance_is_the_likelihood_ratio(on: int, off: int, n: int) -> None:
    def log_likelihood(signal: float, background: float) -> float:
        return float(
            stats.poisson.logpmf(on, signal + background)
            + stats.poisson.logpmf(off, n * background)
        )

    null = log_likelihood(0.0, (on + off) / (n + 1))
    best = log_likelihood(on - off / n, off / n)
    expected = math.sqrt(max(0.0, 2.0 * (best - null)))
    found = Estimate(on, off, n).significance
    assert abs(found) == pytest.approx(expected, abs=1e-6)
    assert found * (on - off / n) >= 0.0


def test_significance_of_nothing_is_nothing() -> None:
    assert Estimate(0, 0, 20).significance == 0.0
    assert Estimate(10, 200, 20).significance == pytest.approx(0.0, abs=1e-6)


def test_significance_of_poisson_counts_is_a_standard_normal() -> None:
    rng = np.random.default_rng(5)
    found = [
        Estimate(int(on), int(off), 20).significance
        for on, off in zip(rng.poisson(30.0, 4000), rng.poisson(600.0, 4000), strict=True)
    ]
    assert np.std(found) == pytest.approx(1.0, abs=0.05)
    assert np.mean(np.abs(found) < 1.0) == pytest.approx(0.683, abs=0.03)


# --- limits ---


def test_limits_of_few_counts() -> None:
    none = Estimate(50, 0, 20)
    assert none.s_over_b is None
    assert none.accidental_upper() == pytest.approx(-math.log(0.05) / 20, rel=1e-9)
    assert (
        50 / none.accidental_upper() > none.s_over_b_lower() > 0.75 * 50 / none.accidental_upper()
    )
    assert Estimate(50, 10, 20).accidental_upper() == pytest.approx(
        stats.chi2.ppf(0.95, 22) / 2 / 20, rel=1e-9
    )
    assert Estimate(0, 5, 20).s_over_b_lower() == -1.0


@pytest.mark.parametrize("mean_off", [0.5, 4.0, 200.0])
def test_limits_hold_as_often_as_they_say(mean_off: float) -> None:
    rng = np.random.default_rng(8)
    n, runs = 20, 3000
    truth, mean_on = 30.0, mean_off / n * 31.0
    counts = zip(rng.poisson(mean_on, runs), rng.poisson(mean_off, runs), strict=True)
    found = [Estimate(int(on), int(off), n) for on, off in counts]
    assert np.mean([e.s_over_b_lower(0.9) <= truth for e in found]) > 0.885
    assert np.mean([e.accidental_upper(0.9) >= mean_off / n for e in found]) > 0.885


def test_peak_over_floor_of_counts() -> None:
    e = Estimate(1010, 200, 20)
    # within ±2σ: S/B = 0.598 peak/floor
    ratio = e.peak_over_floor(36.0, 18.0)
    assert ratio is not None
    assert e.s_over_b is not None
    assert e.s_over_b / ratio == pytest.approx(0.598, abs=5e-4)
    assert 0.0 < e.peak_over_floor_lower(36.0, 18.0) < ratio
    assert Estimate(9, 0, 20).peak_over_floor(36.0, 18.0) is None
    assert Estimate(9, 0, 20).peak_over_floor_lower(36.0, 18.0) > 0.0


# --- sums ---


def test_estimates_add() -> None:
    one = Estimate(3, 40, 20, SharedCounts(1, 2, 3))
    both = one + Estimate(5, 60, 20, SharedCounts(10, 20, 30))
    assert both == Estimate(8, 100, 20, SharedCounts(11, 22, 33))
    assert (one + Estimate(1, 1, 20)).shared is None
    with pytest.raises(ValueError, match="20 and 10 replicas"):
        one + Estimate(1, 1, 10)

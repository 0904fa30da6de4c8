"""g²(τ) and coincidences by distance: against all pairs, against theory, for any cutting."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbeam.images import (
    Autocorrelation,
    Axes,
    CoincidencesByDistance,
    ImageParameters,
    Images,
    coincidence_probability,
    g2,
    offsets_at_distance,
)
from twinbeam.photons import Photons
from twinbeam.physics import Geometry

EXAMPLES = settings(max_examples=40, deadline=None, database=None)
TICK_NS = 1.5625
seeds = st.integers(0, 2**32 - 1)
cuts = st.lists(st.integers(0, 10**6), max_size=8)


def axes(**parameters: object) -> Axes:
    return Axes.of(ImageParameters.model_validate(parameters), Geometry(), 250.0)


def photons(t: np.ndarray, x: np.ndarray | float = 0.0, y: np.ndarray | float = 0.0) -> Photons:
    t, x, y = np.broadcast_arrays(t, x, y)
    order = np.argsort(t, kind="stable")
    columns = {"t": t[order], "x": x[order], "y": y[order]}
    return Photons(**{name: columns.get(name, np.ones(t.size)) for name in Photons.DTYPES})


def dense(seed: int, n: int = 150, span: int = 4000) -> Photons:
    rng = np.random.default_rng(seed)
    return photons(rng.integers(0, 16 * span, n) / 16, *rng.uniform(0, 30, (2, n)))


def pieces(table: Photons, where: list[int]) -> list[Photons]:
    borders = sorted({0, len(table), *(p % (len(table) + 1) for p in where)})
    return [table[a:b] for a, b in pairwise(borders)]


def reduced(reducer: Autocorrelation | CoincidencesByDistance, parts: list[Photons]) -> dict:
    for part in parts:
        reducer.add_photons(part)
    return {name: array.copy() for name, array in reducer.arrays().items()}


# --- g² ---


@EXAMPLES
@given(seeds, cuts, st.integers(1, 20))
def test_g2_counts_all_pairs_for_any_cutting(seed: int, where: list[int], width: int) -> None:
    table = dense(seed)
    a = axes(g2=True, g2_bin_ticks=width, g2_reach_us=0.5)
    found = reduced(Autocorrelation(a), pieces(table, where))
    delays = (table.t[None, :] - table.t[:, None])[~np.eye(len(table), dtype=bool)]
    k = np.floor(delays / width + 0.5)
    expected = [np.count_nonzero(k == n) for n in range(a.g2_ns.size)]
    assert found["g2"].tolist() == expected
    assert found["g2_overflow"][0] == 0


@EXAMPLES
@given(seeds, cuts)
def test_the_overflow_of_g2_does_not_depend_on_the_cutting(seed: int, where: list[int]) -> None:
    table, a = dense(seed), axes(g2=True, g2_reach_us=1.0, g2_partners=5)
    whole = reduced(Autocorrelation(a), [table])
    found = reduced(Autocorrelation(a), pieces(table, where))
    assert whole["g2_overflow"][0] > 50
    assert found["g2"].tolist() == whole["g2"].tolist()
    assert found["g2_overflow"] == whole["g2_overflow"]


def test_g2_of_unrelated_photons_is_one() -> None:
    rng = np.random.default_rng(2)
    n, seconds = 400_000, 0.5
    table = photons(np.floor(rng.uniform(0, seconds * 1e9 / TICK_NS, n)))
    a = axes(g2=True, g2_bin_ticks=64)
    counts = reduced(Autocorrelation(a), [table])["g2"]
    value, error = g2(counts, a.g2_ns, 64 * TICK_NS, n, seconds)
    pulls = (value - 1.0) / error
    assert np.abs(pulls).max() < 4.5
    # bin 0 holds every pair twice, in both orders
    assert np.std(pulls[1:]) == pytest.approx(1.0, abs=0.25)
    assert value.mean() == pytest.approx(1.0, abs=0.005)


def test_g2_shows_the_bunch_train() -> None:
    """1000 of 1320 buckets: g² is 1.32 at whole turns and lower in between."""
    rng = np.random.default_rng(3)
    n, seconds, turn = 400_000, 0.5, 2641.69
    at = rng.integers(0, int(seconds * 1e9 / turn), n) + rng.integers(0, 1000, n) / 1320
    table = photons(np.floor(at * turn / TICK_NS))
    a = axes(g2=True, g2_bin_ticks=32)
    counts = reduced(Autocorrelation(a), [table])["g2"]
    value, _ = g2(counts, a.g2_ns, 32 * TICK_NS, n, seconds)
    at_turns = [int(np.argmin(np.abs(a.g2_ns - k * turn))) for k in range(5)]
    between = [int(np.argmin(np.abs(a.g2_ns - (k + 0.5) * turn))) for k in range(4)]
    assert value[at_turns].mean() == pytest.approx(1.30, abs=0.03)
    # the overlap of the trains is 680/1320 of a turn half a turn on, 0.680·1.32
    assert value[between].mean() == pytest.approx(0.898, abs=0.02)


def test_g2_of_nothing_is_not_a_number() -> None:
    value, error = g2(np.zeros(3), np.arange(3.0), 1.0, 0, 0.0)
    assert np.isnan(value).all()
    assert np.isnan(error).all()


def test_a_flash_costs_no_more_than_its_photons() -> None:
    a = axes(g2=True, distance=True, distance_max_px=4)
    reducers = Autocorrelation(a), CoincidencesByDistance(a)
    flash = photons(np.full(30_000, 1000.0))
    reduced(reducers[0], [dense(1)])
    reduced(reducers[1], [dense(1)])
    began = time.process_time()
    for reducer in reducers:
        assert (
            reduced(reducer, [flash] * 10)[
                f"{'g2' if reducer is reducers[0] else 'distance'}_overflow"
            ][0]
            > 2e5
        )
        assert reducer._recent._t.size <= 65_536
    assert time.process_time() - began < 5.0


# --- coincidences by distance ---


def all_distances(table: Photons, window: float, delay: float, most: int) -> np.ndarray:
    delays = table.t[None, :] - table.t[:, None]
    near = (np.abs(delays - delay) <= window) & ~np.eye(len(table), dtype=bool)
    x, y = table.x.astype(float), table.y.astype(float)
    d = np.floor(np.hypot(x[None, :] - x[:, None], y[None, :] - y[:, None]) + 0.5)
    return np.array([np.count_nonzero(near & (d == k)) for k in range(most + 1)])


@EXAMPLES
@given(seeds, cuts)
def test_distances_are_those_of_all_pairs_for_any_cutting(seed: int, where: list[int]) -> None:
    table = dense(seed)
    a = axes(distance=True, distance_window_ns=60.0, distance_max_px=20)
    found = reduced(CoincidencesByDistance(a), pieces(table, where))
    window, delay = int(60.0 / TICK_NS * 16) / 16, float(round(2641.69 / TICK_NS))
    assert np.array_equal(found["distance"], all_distances(table, window, 0.0, 20))
    assert np.array_equal(found["distance_accidental"], all_distances(table, window, delay, 20))
    assert found["distance"].sum() > 0
    assert found["distance_accidental"].sum() > 0


def test_companions_at_a_distance_are_recovered() -> None:
    rng = np.random.default_rng(9)
    n, seconds, probability = 200_000, 0.5, 0.01
    t = np.floor(rng.uniform(0, seconds * 1e9 / TICK_NS, n))
    x, y = rng.integers(20, 490, (2, n)).astype(float)
    broken = rng.random(n) < probability
    t = np.concatenate((t, t[broken] + rng.integers(0, 30, broken.sum())))
    x, y = np.concatenate((x, x[broken] + 3.0)), np.concatenate((y, y[broken]))
    a = axes(distance=True)
    arrays = reduced(CoincidencesByDistance(a), [photons(t, x, y)])
    found, error = coincidence_probability(
        arrays["distance"], arrays["distance_accidental"], t.size
    )
    assert found[3] == pytest.approx(broken.sum() / t.size, abs=4 * error[3])
    assert error[3] < 0.03 * found[3]
    others = np.delete(found / np.maximum(error, 1e-12), 3)[1:]
    assert np.abs(others).max() < 4.5
    assert np.std(others) == pytest.approx(1.0, abs=0.3)


def test_offsets_at_a_distance() -> None:
    assert offsets_at_distance(3).tolist() == [1, 8, 12, 16]
    assert offsets_at_distance(60).sum() == pytest.approx(np.pi * 60.5**2, rel=0.01)
    nothing, _ = coincidence_probability([1], [1], 0)
    assert np.isnan(nothing).all()


# --- in the images of a run ---


def test_both_are_off_unless_asked_for_and_end_with_the_acquisition() -> None:
    assert not [n for n in Images(axes(), Geometry()).arrays() if n.startswith(("g2", "dist"))]
    images = Images(axes(g2=True, distance=True), Geometry())
    table = dense(4)
    images.add_photons(table)
    once = images.copy_arrays()
    images.next_acquisition()
    images.add_photons(table)
    for name, array in images.copy_arrays().items():
        assert np.array_equal(array, 2 * once[name]), name
    assert once["g2"].sum() > 0

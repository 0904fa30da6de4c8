"""Integer counts, against numpy and against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbeam.images import (
    Axes,
    ImageParameters,
    add_singles,
    count_bins,
    count_pixels,
)
from twinbeam.physics import Geometry

EXAMPLES = settings(max_examples=50, deadline=None, database=None)
values = st.lists(st.one_of(st.floats(-10, 10), st.integers(-10, 10).map(float)), max_size=60)


@EXAMPLES
@given(values, st.integers(1, 12))
def test_counts_are_those_of_numpy_but_for_the_last_edge(v: list[float], n: int) -> None:
    edges = np.linspace(-5.0, 5.0, n + 1)
    counts = count_bins(v, edges)
    expected = np.histogram(v, np.append(edges, np.inf))[0][:-1]
    assert counts.tolist() == expected.tolist()
    assert counts.dtype == np.int64


def test_a_value_on_an_edge_belongs_to_the_bin_above() -> None:
    edges = np.array([0.0, 1.0, 2.0])
    assert count_bins([0.0, 1.0, 2.0, -0.1], edges).tolist() == [1, 1]


places = st.lists(st.tuples(st.floats(-3, 9), st.floats(-3, 9)), max_size=60)


@EXAMPLES
@given(places)
def test_points_are_counted_in_the_nearest_pixel(points: list[tuple[float, float]]) -> None:
    side = 6
    x, y = np.array(points).reshape(-1, 2).T
    image = count_pixels(x, y, side)
    expected = np.zeros((side, side), int)
    for px, py in points:
        column, row = int(np.floor(px + 0.5)), int(np.floor(py + 0.5))
        if 0 <= column < side and 0 <= row < side:
            expected[row, column] += 1
    assert np.array_equal(image, expected)


@pytest.mark.parametrize("place", [np.nan, np.inf, -np.inf, 1e300])
def test_points_nowhere_are_left_out(place: float) -> None:
    assert count_pixels([place, 1.0], [1.0, place], 6).sum() == 0


def test_sums_do_not_depend_on_order_or_grouping() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-1, 7, (2, 5000))
    parts = sum(count_pixels(x[i::7], y[i::7], 6) for i in range(7))
    assert np.array_equal(parts, count_pixels(x, y, 6))


def axes(window_ns: float = 250.0, **parameters: float) -> Axes:
    return Axes.of(ImageParameters(**parameters), Geometry(), window_ns)


@EXAMPLES
@given(st.floats(0.5, 2000.0), st.floats(0.1, 100.0))
def test_the_time_axis_is_symmetric_within_the_window(window: float, width: float) -> None:
    edges = axes(window, dt_bin_ns=width).dt_ns
    assert edges.size % 2 == 0
    assert np.allclose(edges, -edges[::-1])
    assert np.allclose(np.diff(edges), width)
    assert edges[-1] <= max(window, 0.5 * width) * (1 + 1e-9)


def test_default_axes() -> None:
    a = axes()
    assert (a.dt_ns[0], a.dt_ns[-1], a.dt_ns.size) == (-246.875, 246.875, 80)
    assert (a.detuning_deg[-1], a.detuning_deg.size) == (0.08, 161)
    assert (a.energy_kev[-1], a.energy_kev.size) == (40.0, 161)
    assert a.side_px == 514


def test_bins_of_whole_ticks_are_equally_full() -> None:
    ticks = 1.5625 * np.arange(-156, 156)
    assert set(count_bins(ticks, axes().dt_ns)[1:-1].tolist()) == {4}


def test_singles_in_one_pass_are_those_of_the_plain_functions() -> None:
    rng = np.random.default_rng(3)
    edges = np.arange(21.0) * 0.7
    x, y = rng.uniform(-2, 8, (2, 20_000)).astype(np.float32)
    energy = rng.uniform(-1, 16, 20_000).astype(np.float32)
    x[:5] = [np.nan, np.inf, -np.inf, -0.5, np.float32(0.49999997)]
    energy[:40] = np.concatenate((edges, np.nextafter(edges, -1.0)))[:40]
    image, spectrum = np.zeros((3, 3), np.int64), np.zeros(20, np.int64)
    recent = np.zeros(10, np.uint8)
    add_singles(image, recent, spectrum, x, y, energy, 2, 6, edges)
    assert image.min() > 256  # the small counters began again
    assert np.array_equal(image + recent[:-1].reshape(3, 3), count_pixels(x, y, 6, 2))
    place = np.searchsorted(edges, energy.astype(float), side="right") - 1
    assert np.array_equal(spectrum, np.bincount(place[(place >= 0) & (place < 20)], minlength=20))


@EXAMPLES
@given(values, st.lists(st.integers(-8, 8), min_size=2, max_size=12, unique=True))
def test_edges_need_not_be_even(v: list[float], borders: list[int]) -> None:
    edges = np.sort(np.array(borders, float))
    expected = np.histogram(v, np.append(edges, np.inf))[0][:-1]
    assert count_bins(v, edges).tolist() == expected.tolist()


def test_all_edges_by_name() -> None:
    few = axes(profiles=False, correlation_maps=False).named()
    assert set(few) == {
        "dt_edges_ns",
        "detuning_edges_deg",
        "energy_edges_kev",
        "image_edges_px",
    }
    more = axes(bin_px=4, g2=True, distance=True, radial_bin_px=10.0)
    assert more.named()["image_edges_px"][[0, 1, -1]].tolist() == [-0.5, 3.5, 515.5]
    assert more.named()["radial_edges_px"][-1] == 730.0
    # the diagonal of the grid is inside, in bins of whole ticks up to 12 µs
    assert more.g2_ns[-1] == 12_000.0
    assert set(few) | {"g2_delay_ns", "distance_px"} < set(more.named())

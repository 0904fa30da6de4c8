"""Hot and dead pixels are found, good ones are left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from twinbeam.calibrate import (
    PixelReason,
    calibrate_ceilings,
    calibrate_pixels,
    cluster_hits,
    draw,
    hits_per_pixel,
)
from twinbeam.errors import RecipeError, StorageError
from twinbeam.photons import PIXEL_REASONS, pixel_rules
from twinbeam.pipeline import Recipe
from twinbeam.tpx3 import Hits, chip_of

SIDE = 512


def lit(mean: float, seed: int = 0) -> NDArray[np.int64]:
    """Counts of a bright spot on a flat field; the pixels along the gap are twice as wide."""
    y, x = np.mgrid[:SIDE, :SIDE]
    rate = mean * (0.5 + 2.0 * np.exp(-((x - 200.0) ** 2 + (y - 300.0) ** 2) / (2.0 * 60.0**2)))
    width = np.ones(SIDE)
    width[255:257] = 2.0
    return np.random.default_rng(seed).poisson(rate * np.outer(width, width)).astype(np.int64)


def test_the_codes_are_those_the_photon_finder_reads() -> None:
    assert tuple(r.name.lower() for r in PixelReason)[1:] == PIXEL_REASONS


@pytest.mark.parametrize("mean", [0.05, 1.0, 40.0, 2000.0])
def test_good_pixels_are_called_bad_no_more_often_than_stated(mean: float) -> None:
    found = [calibrate_pixels(lit(mean, seed), false_positives=0.1) for seed in range(3)]
    assert sum(r.n_hot + r.n_dead for r in found) <= 3  # 0.3 at most on average
    testable = [1.0 - r.n_untestable / SIDE**2 for r in found]
    assert all(share > 0.9 for share in testable) == (mean >= 40.0)


def test_hot_and_dead_pixels_are_found() -> None:
    counts = lit(100.0)
    rng = np.random.default_rng(1)
    y, x = rng.integers(10, 500, (2, 80))
    hot, dead = (y[:40], x[:40]), (y[40:], x[40:])
    counts[hot] = rng.integers(1500, 1_000_000, 40)
    counts[100:103, 100:103] = 5000  # a block of nine
    counts[dead] = 0
    counts[:, 350] = 0  # a whole column
    result = calibrate_pixels(counts, 10.0)
    expected = np.zeros((SIDE, SIDE), np.uint8)
    expected[dead] = expected[:, 350] = PixelReason.DEAD
    expected[hot] = expected[100:103, 100:103] = PixelReason.HOT
    assert np.count_nonzero(result.reason != expected) <= 1
    assert result.n_used + result.n_rejected == counts.sum()
    assert result.expected[300, 200] == pytest.approx(250.0, rel=0.2)


def test_a_shadow_is_no_field_of_dead_pixels_and_a_line_of_light_none_of_hot_ones() -> None:
    counts = lit(40.0)
    counts[200:300, 150:260] = 0
    bright = np.zeros((SIDE, SIDE), bool)
    bright[400:420, :] = True
    counts[bright] *= 20
    result = calibrate_pixels(counts)
    assert result.n_hot == 0
    assert result.n_dead <= 4  # the corners


def test_a_warm_pixel_is_found_only_when_the_counts_are_enough() -> None:
    few, many = lit(0.2), lit(60.0)
    few[100, 400], many[100, 400] = 1, 400
    assert calibrate_pixels(few).reason[100, 400] == PixelReason.GOOD
    assert calibrate_pixels(many).reason[100, 400] == PixelReason.HOT


def test_pixels_that_are_out_already_stay_out_and_teach_nothing() -> None:
    counts = lit(40.0)
    known = np.zeros((SIDE, SIDE), np.uint8)
    known[200:300, 200:300] = PixelReason.BEAM_STOP
    counts[known > 0] = 100_000
    result = calibrate_pixels(counts, known=known)
    assert np.array_equal(result.reason == PixelReason.BEAM_STOP, known > 0)
    assert result.n_hot + result.n_dead <= 1


def test_the_pixels_of_the_simulated_detector_are_found(exposure: Callable[..., Hits]) -> None:
    hits = exposure(
        0.5,
        seed=4,
        pair_rate_hz=0.0,
        background_rate_hz=2e5,
        sample="none",
        hot={"count": 20, "rate_hz": 2000.0},
    )
    counts = hits_per_pixel(hits)
    result = calibrate_pixels(counts, 0.5)
    noisy = counts > 300
    assert 10 <= np.count_nonzero(noisy) <= 20
    assert np.all(result.reason[noisy] == PixelReason.HOT)
    assert result.n_hot <= 21


def test_the_file_of_pixels_is_what_the_photon_finder_reads(tmp_path: Path) -> None:
    counts = lit(40.0)
    counts[7, 9] = 50_000
    ceilings = np.full((SIDE, SIDE), 450, np.uint16)
    result = calibrate_pixels(counts).with_ceilings(ceilings)
    path = result.save(tmp_path / "pixels.npz")
    recipe = result.apply(Recipe(), path)
    rules = pixel_rules(recipe.geometry)
    assert rules[7, 9] >> 10 == PixelReason.HOT
    assert rules[8, 9] == 450 // 25
    with pytest.raises(StorageError, match="cannot be written"):
        result.save(tmp_path / "nowhere" / "pixels.npz")


def test_no_light_and_too_many_bad_pixels_are_refused(tmp_path: Path) -> None:
    dark = calibrate_pixels(np.zeros((SIDE, SIDE), np.int64))
    path = dark.save(tmp_path / "pixels.npz")
    assert dark.n_untestable == SIDE * SIDE
    with pytest.raises(RecipeError, match="no basis"):
        dark.apply(Recipe(), path)


def test_ceilings_follow_the_pixels_as_far_as_their_counts_allow() -> None:
    rng = np.random.default_rng(3)
    true = 500.0 + 30.0 * rng.standard_normal((SIDE, SIDE))
    true[:, 256:] += 60.0
    y, x = rng.integers(0, SIDE, (2, 4_000_000))
    tot = np.round((true[y, x] + 40.0 * rng.standard_normal(y.size)) / 25.0) * 25.0
    hits = Hits(np.arange(y.size), x, y, tot, chip_of(x, y))
    result = calibrate_ceilings(hits, quantile=0.2)
    wanted = true - 0.8416 * np.hypot(40.0, 25.0 / np.sqrt(12.0))
    pull = (result.ceiling_ns - wanted) / result.error_ns
    assert 20.0 < result.spread_ns < 40.0
    assert 0.7 < pull.std() < 1.3
    assert abs(pull.mean()) < 0.3
    share = np.mean(tot < result.ceiling_ns[y, x])
    assert share == pytest.approx(0.2, abs=0.04)
    left, right = result.ceiling_ns[:, :250].mean(), result.ceiling_ns[:, 262:].mean()
    assert right - left == pytest.approx(60.0, abs=3.0)
    # without a hit of its own a pixel has the ceiling of its neighbours
    sparse = calibrate_ceilings(hits[:60_000], quantile=0.2)
    alone = sparse.n == 0
    assert abs(np.median(sparse.ceiling_ns[alone & (np.arange(SIDE) < 240)]) - 465.0) < 20.0


def test_ceilings_need_light() -> None:
    nothing = cluster_hits(Hits.empty()).singles
    with pytest.raises(RecipeError, match="too few"):
        calibrate_ceilings(nothing)


def test_the_figure_counts_the_bad_pixels() -> None:
    counts = lit(40.0)
    counts[7, 9] = 50_000
    figure = draw(calibrate_pixels(counts))
    text = [t.get_text() for t in figure.axes[0].get_legend().get_texts()]
    assert text == ["1 hot", "0 dead"]

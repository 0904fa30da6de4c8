"""Late double columns are found, where they are and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from twinbeam.calibrate import (
    ColumnCalibration,
    calibrate_columns,
    cluster_hits,
    column_levels,
    draw,
)
from twinbeam.errors import RecipeError
from twinbeam.pipeline import Recipe
from twinbeam.tpx3 import Hits, read_hits, to_sensor

DATA = Path(__file__).parents[4] / "shared" / "data"
VENUS = DATA / "other" / "sophiread_serval32.tpx3"
CHX = DATA / "chx" / "chx_serval_4_3.tpx3"


def neighbours(late: NDArray[np.int64], n: int, seed: int, sigma_ticks: float = 3.0) -> Hits:
    """`n` photons shared between two neighbouring columns, anywhere; columns late by `late`."""
    rng = np.random.default_rng(seed)
    chip = rng.integers(0, 4, n)
    column = rng.integers(0, 255, n)
    row = rng.integers(0, 256, n)
    t = np.arange(n) * 20_000
    hits = []
    for side in (0, 1):
        x, y = to_sensor(chip, column + side, row)
        noise = np.round(sigma_ticks / np.sqrt(2.0) * rng.standard_normal(n)).astype(np.int64)
        ticks = t + noise + late[chip, (column + side) // 2] + 1000
        hits.append((ticks, x, y, np.full(n, 400), chip))
    return Hits(*(np.concatenate(two) for two in zip(*hits, strict=True)))


def calibrate(hits: Hits) -> ColumnCalibration:
    return calibrate_columns(cluster_hits(hits))


def test_late_columns_are_found_with_their_offsets() -> None:
    late = np.zeros((4, 128), np.int64)
    late[0, 97:102] = 16
    late[1, 40] = -16
    late[2, 90:93] = 16
    late[2, 93:95] = 32
    late[3, 120:] = 16
    result = calibrate(neighbours(late, 20_000, 1))
    found = {(r.chip, r.first, r.last): r for r in result.ranges}
    assert set(found) == {
        (0, 97, 101),
        (1, 40, 40),
        (2, 90, 92),
        (2, 93, 94),
        (3, 120, 127),
    }
    for (chip, first, _), r in found.items():
        assert abs(r.ticks - late[chip, first]) < 4.0 * r.error
        assert r.error < 1.5
    assert np.array_equal(np.round(result.offsets_ticks()) != 0, late != 0)
    assert not result.has_phase_term
    assert result.n_used > 9_000


@pytest.mark.parametrize("seed", range(3))
def test_the_errors_of_the_steps_are_honest(seed: int) -> None:
    result = calibrate(neighbours(np.zeros((4, 128), np.int64), 8_000, seed))
    pull = (result.step / result.error)[np.isfinite(result.step)]
    assert result.ranges == ()
    assert pull.size > 490
    assert np.abs(pull).max() < 4.5
    assert 0.8 < pull.std() < 1.15
    assert abs(pull.mean()) < 4.0 / np.sqrt(pull.size)


def test_few_hits_at_a_border_give_a_large_error_and_no_offset() -> None:
    late = np.zeros((4, 128), np.int64)
    late[0, 64] = 16
    result = calibrate(neighbours(late, 500, 3, sigma_ticks=8.0))
    assert result.ranges == ()
    few = result.n == 1
    assert few.any()
    assert result.error[few].min() > 7.0


def test_a_phase_term_is_seen_and_refused() -> None:
    late = np.tile(np.arange(128) % 16, (4, 1))
    result = calibrate(neighbours(late, 20_000, 4))
    assert result.has_phase_term
    # the ramp of +1 per border falls back by 15 at every sixteenth
    assert result.phase_step - result.other_step == pytest.approx(-16.0, abs=1.5)
    with pytest.raises(RecipeError, match="16-phase"):
        result.apply(Recipe())


def test_too_little_data_are_refused() -> None:
    with pytest.raises(RecipeError, match="share a double column"):
        calibrate(neighbours(np.zeros((4, 128), np.int64), 40, 5))
    with pytest.raises(RecipeError, match="say nothing"):
        calibrate(neighbours(np.zeros((4, 128), np.int64), 300, 5)).apply(Recipe())


def test_the_best_chain_returns_to_zero_where_nothing_is_seen() -> None:
    nothing = np.empty(0)
    steps = [np.zeros(5), np.full(5, 16.0), nothing, nothing, nothing]
    assert column_levels(steps, 2.0, 16.0).tolist() in ([0, 0, 1, 1, 1, 1], [0, 0, 1, 0, 0, 0])


def test_offsets_from_the_simulated_detector_mend_its_times(
    exposure: Callable[..., Hits],
) -> None:
    late = ({"chip": 0, "first": 97, "last": 101, "ticks": 16},)
    hits = exposure(
        1.5, seed=2, pair_rate_hz=0.0, background_rate_hz=6e4, sample="none", late_columns=late
    )
    recipe = calibrate(hits).apply(Recipe())
    assert [o.model_dump() for o in recipe.response.column_offsets] == list(late)


@pytest.mark.skipif(not VENUS.exists(), reason="recorded data are not here")
def test_the_late_columns_of_a_recorded_run_are_found() -> None:
    result = calibrate(read_hits(VENUS))
    found = {(r.chip, r.first, r.last): round(r.ticks) for r in result.ranges}
    assert found == {
        (0, 97, 101): pytest.approx(16, abs=1),
        (2, 93, 93): pytest.approx(16, abs=1),
        (2, 97, 101): pytest.approx(16, abs=1),
        (3, 97, 101): pytest.approx(17, abs=1),
    }
    steps = {(s.chip, s.border): s.ticks for s in result.significant_steps()}
    assert steps[0, 96] == pytest.approx(15, abs=3)
    assert steps[0, 101] == pytest.approx(-20, abs=5)
    assert steps[3, 96] == pytest.approx(19, abs=3)
    assert steps[2, 92] == pytest.approx(14, abs=3)
    assert all(abs(abs(ticks) - 16.0) < 5.0 for ticks in steps.values())
    assert not result.has_phase_term


@pytest.mark.skipif(not CHX.exists(), reason="recorded data are not here")
def test_a_step_of_a_single_pair_in_a_recorded_run_is_seen_but_not_believed() -> None:
    result = calibrate(read_hits(CHX))
    assert result.step[2, 102] == pytest.approx(-17.0, abs=2.0)
    assert result.n[2, 102] == 1
    assert result.error[2, 102] > 5.0
    assert result.ranges == ()
    with pytest.raises(RecipeError, match="say nothing"):
        result.apply(Recipe())


def test_the_figure_names_the_late_columns() -> None:
    late = np.zeros((4, 128), np.int64)
    late[1, 10:12] = 16
    figure = draw(calibrate(neighbours(late, 8_000, 6)))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert len(titles) == 4
    assert "10–11" in titles[1]
    assert "none" in titles[0]

"""ToT to energy: one curve for all, a scale per pixel, and the same from pairs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from twinbeam.calibrate import (
    ClusteredHits,
    CurveFit,
    calibrate_energy,
    calibrate_pair_energy,
    calibrate_pixel_energy,
    cloud_from_shares,
    cluster_hits,
    count_singles,
    draw,
    fit_curve,
    missing_share,
    pair_energies_kev,
    single_hit_photons,
)
from twinbeam.errors import RecipeError
from twinbeam.pairs import Pairs
from twinbeam.photons import ResponseTables
from twinbeam.physics import Geometry, tot_from_energy_ns
from twinbeam.pipeline import Recipe, Result
from twinbeam.tpx3 import Hits, chip_of

ABCT = (25.77, 170.0, 150.0, 2.0)
TABLE = Path(__file__).parents[4] / "shared" / "data" / "chx" / "tot_energy_abct_512x512x4.npy"
SIDE = 512


def singles_of(exposures: dict[float, ClusteredHits]) -> dict[float, Hits]:
    return {energy: clustered.singles for energy, clustered in exposures.items()}


def test_the_response_of_the_simulated_detector_is_recovered(
    monochromatic: dict[float, ClusteredHits],
) -> None:
    result = calibrate_energy(monochromatic)
    at = np.array([6.0, 7.5, 10.0, 12.0, 15.0])
    error = result.curve.tot_error_ns(at)
    pull = (result.curve.tot_ns(at) - tot_from_energy_ns(at, *ABCT)) / error
    assert np.abs(pull).max() < 4.0
    assert error.max() < 8.0  # 0.3 keV
    assert result.missing_kev == ()
    assert result.curve.chi2 < 15.0
    response = result.apply(Recipe()).response
    assert response.a_ns_per_kev == result.curve.values[0]
    assert response.per_pixel is None


def test_without_the_charge_single_hits_lack_the_peak_would_be_a_kev_too_low() -> None:
    lost = missing_share(0.18, 3.0 / 7.5)
    assert lost[0] < 0.02
    assert 0.1 < lost.mean() < 0.3
    assert np.all(np.diff(lost) >= 0.0)
    assert missing_share(0.02, 0.4).mean() < 0.03


def test_the_charge_cloud_is_known_from_the_share_of_single_hits(
    monochromatic: dict[float, ClusteredHits],
) -> None:
    shares = {energy: count_singles(found) for energy, found in monochromatic.items()}
    cloud, error = cloud_from_shares(shares, 3.0)
    assert abs(cloud - 10.0 / 55.0) < 3.0 * error
    assert error < 0.02
    # without photons it is what it usually is
    assert cloud_from_shares({10.0: (0.0, 0.0)}, 3.0) == pytest.approx((0.18, 0.05), rel=0.01)


def test_pixels_that_are_known_make_the_peaks_narrower(
    exposure: Callable[..., Hits],
) -> None:
    exposures = {
        energy: cluster_hits(
            exposure(
                1.5,
                seed=2,
                acquisition=round(energy),
                pump_kev=energy,
                pair_rate_hz=0.0,
                background_rate_hz=4e5,
                scattered_fraction=0.0,
                sample="none",
                gain_spread=0.1,
            )
        )
        for energy in (8.0, 15.0)
    }
    first = calibrate_energy(exposures)
    scales = calibrate_pixel_energy(singles_of(exposures), first.curve)
    second = calibrate_energy(exposures, scales=scales)
    assert second.peaks[1].sigma_ns < 0.85 * first.peaks[1].sigma_ns
    at = np.array([8.0, 15.0])
    for result in (first, second):
        pull = result.curve.tot_ns(at) - tot_from_energy_ns(at, *ABCT)
        assert np.abs(pull / result.curve.tot_error_ns(at)).max() < 4.0


def test_curve_errors_are_honest_and_the_prior_closes_what_points_leave_open() -> None:
    energy = np.array([6.0, 8.0, 10.0, 15.0])
    pulls = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        true = (
            28.0,
            120.0,
            150.0 + 60.0 * rng.standard_normal(),
            1.5 + 0.3 * rng.standard_normal(),
        )
        points = tot_from_energy_ns(energy, *true) + 2.0 * rng.standard_normal(4)
        fit = fit_curve(energy, points, np.full(4, 2.0))
        pulls.append(
            (fit.tot_ns([7.0, 12.0]) - tot_from_energy_ns([7.0, 12.0], *true))
            / fit.tot_error_ns([7.0, 12.0])
        )
    spread = np.std(pulls, axis=0)
    assert np.all((spread > 0.7) & (spread < 1.3))
    with pytest.raises(RecipeError, match="at least two"):
        fit_curve([6.0], [300.0], [1.0])


def test_an_energy_without_light_is_named(monochromatic: dict[float, ClusteredHits]) -> None:
    exposures = {**monochromatic, 9.0: cluster_hits(Hits.empty())}
    assert calibrate_energy(exposures).missing_kev == (9.0,)


def single_hits(
    tables: NDArray[np.float64], energies: tuple[float, ...], n: int, seed: int
) -> dict[float, Hits]:
    """Hits of whole photons with 8 % resolution, of pixels with their own response."""
    rng = np.random.default_rng(seed)
    found = {}
    for energy in energies:
        y, x = rng.integers(0, SIDE, (2, n))
        seen = energy * (1.0 + 0.08 * rng.standard_normal(n))
        tot = np.round(tot_from_energy_ns(seen, *np.moveaxis(tables[y, x], -1, 0)) / 25.0) * 25.0
        found[energy] = Hits(np.arange(n), x, y, tot, chip_of(x, y))
    return found


def whole_curve(abct: tuple[float, float, float, float] = ABCT) -> CurveFit:
    return CurveFit(abct, (0.1, 1.0, 1.0, 0.1), np.eye(4), 0.0, 1)


@pytest.mark.parametrize("per_pixel", [0.3, 4.0])
def test_the_scales_of_pixels_are_recovered_with_honest_errors(per_pixel: float) -> None:
    rng = np.random.default_rng(5)
    gain = 1.0 + 0.1 * rng.standard_normal((SIDE, SIDE))
    a, b, c, t = ABCT
    table = np.stack((a * gain, np.full_like(gain, b), c / gain, t / gain), axis=-1)
    n = int(per_pixel * SIDE * SIDE / 2)
    result = calibrate_pixel_energy(single_hits(table, (8.0, 15.0), n, 1), whole_curve())
    pull = (result.scale - gain) / result.error
    assert abs(result.spread - 0.1) < 4.0 * result.spread_error + 0.003
    assert result.hit_sigma == pytest.approx(0.085, rel=0.15)
    assert 0.85 < pull.std() < 1.2
    assert abs(pull.mean()) < 0.15
    assert result.after < result.before
    # what is not known stays at what all pixels are
    assert np.all(result.scale[result.n == 0] == 1.0)
    gap = slice(255, 257)
    assert abs((result.scale - gain)[:, gap].mean()) < 0.01


def test_pixels_that_do_not_differ_are_left_alone(tmp_path: Path) -> None:
    table = np.broadcast_to(np.array(ABCT), (SIDE, SIDE, 4))
    result = calibrate_pixel_energy(single_hits(table, (8.0, 15.0), 200_000, 1), whole_curve())
    assert result.spread < 3.0 * result.spread_error
    path = result.save(tmp_path / "energy.npy")
    with pytest.raises(RecipeError, match=r"not significant|not be determined"):
        result.apply(Recipe(), path)
    with pytest.raises(RecipeError, match="too few"):
        calibrate_pixel_energy(single_hits(table, (8.0, 15.0), 100, 1), whole_curve())


def test_the_table_of_pixels_is_what_the_recipe_reads(
    tmp_path: Path, monochromatic: dict[float, ClusteredHits]
) -> None:
    singles = singles_of(monochromatic)
    curve = calibrate_energy(monochromatic).curve
    result = calibrate_pixel_energy(singles, curve)
    assert abs(result.spread - 0.03) < 4.0 * result.spread_error + 0.01
    recipe = result.apply(Recipe(), result.save(tmp_path / "energy.npy"))
    reference = recipe.response.per_pixel
    assert reference is not None
    table = np.load(reference.path)
    assert table.shape == (SIDE, SIDE, 4)
    y, x = np.unravel_index(int(np.argmax(result.n)), result.n.shape)
    expected = curve.tot_ns(10.0 * result.scale[y, x])
    assert tot_from_energy_ns(10.0, *table[x, y]) == pytest.approx(float(expected))
    assert np.array_equal(ResponseTables.of(recipe.response).per_pixel, result.table())


@pytest.mark.skipif(not TABLE.exists(), reason="the recorded table is not here")
def test_most_of_the_spread_of_a_recorded_table_is_explained_by_a_scale() -> None:
    table = np.load(TABLE).transpose(1, 0, 2)  # [y, x], as hits of pixels are made here
    usual = (table[..., 0] > 15.0) & (table[..., 0] < 45.0)
    median = tuple(float(v) for v in np.median(table[usual], axis=0))
    assert median == pytest.approx((28.21, 124.6, 148.0, 1.174), rel=0.01)
    result = calibrate_pixel_energy(
        single_hits(table, (6.0, 8.0, 10.0, 15.0), 1_500_000, 2), whole_curve(median)
    )
    found = result.table()
    for energy in (7.5, 15.0):
        true = tot_from_energy_ns(energy, *np.moveaxis(table, -1, 0))[usual]
        mine = tot_from_energy_ns(energy, *np.moveaxis(found, -1, 0))[usual]
        one = tot_from_energy_ns(energy, *median)
        assert np.std(mine - true) < 0.45 * np.std(one - true)
        assert abs(np.median(mine - true)) < 0.01 * one


def test_the_energies_of_simulated_pairs_come_from_their_radii(
    centred_candidates: Result,
) -> None:
    pairs = centred_candidates.pairs
    near = pairs[(pairs.replica == 0) & (pairs.dp_px < 1.0)]
    one, two = pair_energies_kev(near, centred_candidates.recipe.geometry)
    assert np.allclose(one + two, 15.0)
    # ToT tells the same, coarsely
    assert np.corrcoef(one, near.e1)[0, 1] > 0.5
    assert 3.5 < one.min() < one.max() < 11.5


def test_pairs_calibrate_their_own_energy(centred_candidates: Result) -> None:
    recipe = centred_candidates.recipe
    result = calibrate_pair_energy(
        centred_candidates.pairs,
        centred_candidates.estimate.replicas,
        recipe.geometry,
        recipe.response,
    )
    at = np.array([6.0, 7.5, 9.0])
    error = result.curve.tot_error_ns(at)
    pull = (result.curve.tot_ns(at) - tot_from_energy_ns(at, *ABCT)) / error
    assert np.abs(pull).max() < 4.0
    assert error.max() < 12.0
    assert result.n_net > 500.0
    assert result.apply(recipe).response.b_ns == result.curve.values[1]


def test_a_wrong_response_is_put_right_by_pairs(centred_candidates: Result) -> None:
    recipe = centred_candidates.recipe
    # the table says what the response was that found the pairs; only the start of the fit is wrong
    tot, single = single_hit_photons(centred_candidates.pairs, recipe.response)
    assert 0.6 < single.mean() < 0.95
    assert tot[single].max() < 700.0
    wrong = recipe.response.model_copy(update={"a_ns_per_kev": 35.0})
    _, found = single_hit_photons(centred_candidates.pairs, wrong)
    assert found.mean() < 0.1


def test_too_few_pairs_and_a_response_per_pixel_are_refused(
    pairs_of: Callable[..., Pairs],
) -> None:
    few = pairs_of(r1=np.full(5, 210.0), r2=np.full(5, 210.0))
    with pytest.raises(RecipeError, match="at least two"):
        calibrate_pair_energy(few, 20, Geometry(), Recipe().response)


def test_figures_of_curve_and_pixels(monochromatic: dict[float, ClusteredHits]) -> None:
    singles = singles_of(monochromatic)
    result = calibrate_energy(monochromatic)
    assert "a = " in draw(result).axes[1].get_legend().get_texts()[0].get_text()
    assert len(draw(calibrate_pixel_energy(singles, result.curve)).axes) == 3

"""The numbers people read off."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbeam.pairs import Pairs, shared_counts
from twinbeam.pipeline import (
    Pipeline,
    Recipe,
    Result,
    detuning_exact_fit,
    detuning_fit,
    dt_fit,
    fit_gaussian,
    fitted_centre,
    peak_over_floor,
    peak_over_floor_lower,
    summary,
)


def test_all_promised_fields_are_there(result: Result) -> None:
    values = summary(result)
    assert {"bytes", "hits", "photons", "duration_s", "ledger", "recipe_hash"} <= set(values)
    assert set(values["pairs"]) == {
        "prompt",
        "accidental",
        "net",
        "net_err",
        "peak_over_floor",
        "floor_counts",
        "s_over_b",
        "accidental_err",
        "accidental_upper",
        "peak_over_floor_lower",
        "s_over_b_lower",
        "significance",
    }
    assert set(values["rates_hz"]) == {"hits", "photons", "pairs"}
    assert set(values["estimates"]) == {
        "centre_px",
        "detuning_deg",
        "detuning_sigma_deg",
        "dt_sigma_ns",
        "detuning_err_deg",
        "detuning_exact_deg",
        "detuning_exact_err_deg",
        "detuning_exact_sigma_deg",
        "dt_ns",
        "dt_err_ns",
        "dt_sigma_err_ns",
        "dt_reduced_chi2",
        "background_per_pair_photon",
    }
    assert json.loads(json.dumps(values, allow_nan=False)) == values


def test_numbers_agree_with_the_result(result: Result) -> None:
    values = summary(result)
    assert values["hits"] == result.census.n_hits
    assert values["photons"] == len(result.photons)
    assert values["pairs"]["prompt"] == result.estimate.n_prompt
    net = values["pairs"]["prompt"] - values["pairs"]["accidental"]
    assert values["pairs"]["net"] == pytest.approx(net)
    assert values["rates_hz"]["hits"] * values["duration_s"] == pytest.approx(values["hits"])
    assert values["duration_s"] == pytest.approx(0.25, abs=0.002)
    beta = values["estimates"]["background_per_pair_photon"]
    assert (beta + 1.0) * 2.0 * net == pytest.approx(values["photons"])
    assert values["recipe_hash"] == result.recipe.hash
    assert values["ledger"] == result.ledger.as_dict()


def test_estimates_find_the_truth_of_the_simulation(result: Result) -> None:
    estimates = summary(result)["estimates"]
    assert estimates["centre_px"] == pytest.approx([258.0, 258.0], abs=0.5)
    assert estimates["detuning_deg"] == pytest.approx(0.040, abs=0.0003)
    assert estimates["detuning_sigma_deg"] == pytest.approx(0.0014, rel=0.25)
    # each photon has 12.7 ns, the clock adds little
    assert estimates["dt_sigma_ns"] == pytest.approx(18.0, rel=0.15)


@pytest.mark.parametrize("window_ns", [0.5, 5.0, 12.0, 30.0])
def test_a_window_of_few_bins_is_no_failure(raw: bytes, window_ns: float) -> None:
    pipeline = Pipeline(Recipe.from_mapping({"pairing": {"window_ns": window_ns}}))
    pipeline.feed(raw)
    values = summary(pipeline.finish())
    assert window_ns > 20.0 or values["estimates"]["dt_sigma_ns"] is None
    assert values["pairs"]["prompt"] > 0


def test_an_empty_result_has_a_summary() -> None:
    values = summary(Pipeline().finish())
    assert values["rates_hz"] == {"hits": None, "photons": None, "pairs": None}
    assert set(values["estimates"].values()) == {None}
    assert values["pairs"]["s_over_b"] is None


@pytest.fixture(scope="module")
def wide(raw: bytes) -> Result:
    """The same photons with few cuts, so that some accidentals are left."""
    cuts = [{"quantity": "energy_sum_kev", "low": 8.0, "high": 19.0}]
    pipeline = Pipeline(Recipe.from_mapping({"selection": {"cuts": cuts}}))
    pipeline.feed(raw)
    return pipeline.finish()


def test_peak_over_floor(wide: Result) -> None:
    fit = dt_fit(wide)
    assert fit is not None
    assert wide.arrays["dt_accidental"].sum() > 50
    floor = wide.arrays["dt_accidental"].mean() / 20
    assert peak_over_floor(wide, fit) == pytest.approx(fit.amplitude / floor)
    assert peak_over_floor(wide, None) is None
    assert detuning_fit(wide) is not None


def test_limits_are_below_what_was_found(wide: Result) -> None:
    pairs = summary(wide)["pairs"]
    assert 0.0 < pairs["peak_over_floor_lower"] < pairs["peak_over_floor"]
    assert 0.0 < pairs["s_over_b_lower"] < pairs["s_over_b"]
    assert pairs["accidental_upper"] > pairs["accidental"]
    assert pairs["significance"] > 20.0


def test_an_empty_floor_has_a_limit(result: Result) -> None:
    floor = np.zeros_like(result.arrays["dt_accidental"])
    without = replace(result, arrays={**result.arrays, "dt_accidental": floor})
    fit = dt_fit(without)
    assert fit is not None
    assert peak_over_floor(without, fit) is None
    # three counts at 95 %, over all bins and replicas
    limit = (fit.amplitude - 1.645 * fit.amplitude_err) / (2.9957 / floor.size / 20)
    assert peak_over_floor_lower(without, fit) == pytest.approx(limit, rel=1e-3)
    assert peak_over_floor_lower(without, None) is None


def test_the_estimate_knows_of_shared_photons(result: Result) -> None:
    recipe = result.recipe
    expected = shared_counts(result.pairs, recipe.replicas, recipe.pairing)
    assert result.estimate.shared == expected
    # at this rate nearly every pair has its photons for itself
    assert result.estimate.net_err == pytest.approx(result.estimate.poisson_variance**0.5, rel=0.05)


def test_both_detunings_agree_to_the_error_of_the_small_angle(result: Result) -> None:
    one, exact = detuning_fit(result), detuning_exact_fit(result)
    assert one is not None
    assert exact is not None
    assert exact.centre == pytest.approx(one.centre, rel=1e-3)
    assert exact.centre_err < 1e-4


EDGES = np.linspace(-100.0, 100.0, 81)
MID = 0.5 * (EDGES[1:] + EDGES[:-1])


def gaussian(centre: float, sigma: float, amplitude: float, constant: float) -> np.ndarray:
    return amplitude * np.exp(-0.5 * ((MID - centre) / sigma) ** 2) + constant


@settings(max_examples=40, deadline=None, database=None)
@given(st.floats(-40, 40), st.floats(5, 20), st.floats(50, 1e5), st.floats(0, 100))
def test_a_gaussian_is_recovered(
    centre: float, sigma: float, amplitude: float, constant: float
) -> None:
    y = gaussian(centre, sigma, amplitude, constant)
    fit = fit_gaussian(EDGES, y, y)
    assert fit is not None
    assert fit.centre == pytest.approx(centre, abs=0.01)
    assert fit.sigma == pytest.approx(sigma, rel=1e-3)
    assert fit.amplitude == pytest.approx(amplitude, rel=1e-3)
    assert fit.constant == pytest.approx(constant, abs=1e-3 * amplitude)


@pytest.mark.parametrize("unit", [1e-9, 1e-4, 1.0, 1e6])
@pytest.mark.parametrize("amplitude", [1e2, 1e8])
def test_the_unit_of_the_axis_does_not_matter(unit: float, amplitude: float) -> None:
    y = gaussian(-20.0, 9.0, amplitude, 0.1 * amplitude)
    fit = fit_gaussian(EDGES * unit, y, y)
    assert fit is not None
    assert (fit.centre / unit, fit.sigma / unit) == pytest.approx((-20.0, 9.0), rel=1e-3)


def test_errors_of_the_fit_are_those_of_the_scatter() -> None:
    rng = np.random.default_rng(6)
    pulls = []
    for _ in range(60):
        y = rng.poisson(gaussian(3.0, 12.0, 200.0, 5.0))
        fit = fit_gaussian(EDGES, y, y)
        assert fit is not None
        pulls.append((fit.centre - 3.0) / fit.centre_err)
    assert np.std(pulls) == pytest.approx(1.0, abs=0.3)


@settings(max_examples=60, deadline=None, database=None)
@given(st.lists(st.integers(-3, 60), min_size=1, max_size=80), st.integers(0, 3))
def test_any_counts_give_a_fit_or_none(counts: list[int], kind: int) -> None:
    y = np.array(counts, float) * (np.arange(len(counts)) % (kind + 1) == 0)
    fit = fit_gaussian(np.arange(len(counts) + 1.0), y, np.abs(y))
    if fit is not None:
        assert fit.amplitude > 0.0
        assert fit.sigma >= 0.0
        assert np.isfinite([fit.centre, fit.sigma, fit.centre_err, fit.sigma_err]).all()


def lines(centre: tuple[float, float], azimuth: np.ndarray) -> Pairs:
    columns = {
        "x1": centre[0] + 100 * np.cos(azimuth),
        "y1": centre[1] + 100 * np.sin(azimuth),
        "x2": centre[0] - 150 * np.cos(azimuth),
        "y2": centre[1] - 150 * np.sin(azimuth),
    }
    return Pairs(**{name: columns.get(name, np.zeros(azimuth.size)) for name in Pairs.DTYPES})


def test_the_centre_is_where_the_lines_meet() -> None:
    found = fitted_centre(lines((250.5, 261.25), np.linspace(0.1, 3.0, 40)))
    assert found == pytest.approx((250.5, 261.25), abs=1e-9)


def test_parallel_or_few_lines_have_no_centre() -> None:
    assert fitted_centre(lines((250.0, 260.0), np.full(40, 0.3))) is None
    assert fitted_centre(lines((250.0, 260.0), np.linspace(0.1, 3.0, 19))) is None

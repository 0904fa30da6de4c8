"""The acceptance list of the physics, by id; ids that are tested elsewhere are looked up there."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbeam.physics import (
    DARWIN_WIDTH_MDEG,
    FWHM_PER_SIGMA,
    axis_tilt_deg,
    bragg_angle_deg,
    closure_defect,
    darwin_reflectivity,
    emission_angle_rad,
    fraction_quantile,
    identification_probability,
    index_detuning_mdeg,
    measured_spectra,
    mosaicity_mdeg,
    pair_acceptance,
    pair_detuning_deg,
    partner_radius_from_energy_px,
    partner_radius_px,
    photon_energy_kev,
    radius_to_angle_rad,
    refraction_decrement,
    ring_angle_rad,
    ring_radius_px,
)

UNIT = Path(__file__).parents[1]
BRAGG, DISTANCE, PIXEL, PUMP, NOMINAL = 11.576, 0.494, 55.0, 15.0, 0.040
SCALE = DISTANCE / (PIXEL * 1e-6)

#: Where the ids are tested that this module does not test itself.
ELSEWHERE = {
    "K2": (
        "physics/test_physics_identities.py",
        "test_k2_half_angle_tangents_multiply_to_the_defect",
        "test_k2_exact_eq_1_gives_the_detuning_back",
    ),
    "K4": (
        "physics/test_physics_identities.py",
        "test_k4_the_sharpened_idler_is_the_twin_of_its_partner",
    ),
    "K5": (
        "physics/test_physics_identities.py",
        "test_k5_energies_add_up_exactly_at_the_nominal_detuning",
    ),
    "K6": (
        "physics/test_physics_identities.py",
        "test_k6_law_of_sines_gives_the_energy_for_any_detuning",
    ),
    "C1": (
        "pairs/test_pairs_accidentals.py",
        "test_whole_turns_give_the_true_accidentals_within_a_percent",
    ),
    "C2": (
        "pairs/test_pairs_accidentals.py",
        "test_half_a_turn_is_wrong_by_more_than_a_fifth",
        "test_a_far_window_is_wrong_by_more_than_a_fifth",
    ),
    "C3": (
        "../acceptance/test_acceptance_signal_to_noise.py",
        "test_peak_over_floor_of_the_published_rates_is_above_200",
        "test_the_pairs_are_those_that_were_emitted",
        "test_mean_and_width_of_the_detuning",
    ),
    "C4": (
        "../acceptance/test_acceptance_signal_to_noise.py",
        "test_mean_cluster_size_at_15_kev",
    ),
    # recorded files: exact hits, and the double columns that are late
    "recorded hits": ("tpx3/test_tpx3_real_files.py", "test_hits_span_and_order"),
    "recorded steps": (
        "calibrate/test_calibrate_columns.py",
        "test_the_late_columns_of_a_recorded_run_are_found",
    ),
}
IDS = (
    *("K1", "K2", "K3", "K4", "K5", "K6", "K7", "S1", "S2", "S3", "B1", "C1", "C2", "C3", "C4"),
    *("recorded hits", "recorded steps"),
)


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", IDS)
def test_every_id_has_its_test(name: str) -> None:
    if name in ELSEWHERE:
        where, *tests = ELSEWHERE[name]
        assert set(tests) <= functions_of(UNIT / where)
    else:
        prefix = f"test_{name.lower()}_"
        assert any(test.startswith(prefix) for test in functions_of(Path(__file__)))


def test_k1_ring_radius() -> None:
    assert ring_radius_px(0.040, BRAGG, 0.494, PIXEL) == pytest.approx(210.484, rel=1e-5)


@settings(max_examples=60, deadline=None, database=None)
@given(st.floats(0.2, 0.8), st.floats(0.01, 0.08))
def test_k3_repaired_second_form_of_eq_5_is_the_first(b: float, detuning: float) -> None:
    radius = SCALE * np.tan(ring_angle_rad(detuning, BRAGG) * np.sqrt((1.0 - b) / b))
    first = partner_radius_px(radius, detuning, BRAGG, DISTANCE, PIXEL)
    second = partner_radius_from_energy_px(radius, b, detuning, BRAGG)
    assert second == pytest.approx(float(first), rel=1e-3)


def test_k3_second_form_at_the_tabulated_place() -> None:
    repaired = partner_radius_from_energy_px(1.0, 0.4, NOMINAL, BRAGG)
    assert repaired == pytest.approx(0.666565, rel=1e-5)


def test_k7_bragg_darwin_and_mosaicity() -> None:
    assert bragg_angle_deg(PUMP, 3.56712) == pytest.approx(11.5763, rel=0.02)
    assert np.isclose(DARWIN_WIDTH_MDEG, 0.674588, rtol=0.02)
    offset = np.linspace(0.0, 1.0, 100_001)
    half = offset[np.argmin(np.abs(darwin_reflectivity(offset) - 0.5))]
    assert 2.0 * half == pytest.approx(0.715508, rel=0.02)
    assert mosaicity_mdeg(3.0, 0.75, 1.0, 0.1) == pytest.approx(2.72534, rel=1e-5)
    with pytest.raises(ValueError, match="wider than the rocking curve"):
        mosaicity_mdeg(1.0, 2.0)


def test_index_and_tilt_of_the_axis() -> None:
    assert refraction_decrement(15.0) == pytest.approx(3.24177e-6)
    assert index_detuning_mdeg(1 / 2, BRAGG) == pytest.approx(1.417, abs=1e-3)
    assert index_detuning_mdeg(1 / 3, BRAGG) == pytest.approx(1.653, abs=1e-3)
    assert axis_tilt_deg(NOMINAL, BRAGG) == pytest.approx(0.00321679, rel=1e-5)
    tilt_px = SCALE * np.tan(np.radians(axis_tilt_deg(NOMINAL, BRAGG)))
    assert tilt_px == pytest.approx(0.504272, rel=1e-5)


@pytest.fixture(scope="module")
def fractions() -> np.ndarray:
    return fraction_quantile(np.random.default_rng(21).random(400_000))


def test_s1_spectrum_by_monte_carlo(fractions: np.ndarray) -> None:
    energy = PUMP * fractions
    assert energy.mean() == pytest.approx(7.5, rel=0.01)
    assert energy.std() == pytest.approx(3.35410, rel=0.01)
    assert np.mean((energy > 5.0) & (energy < 10.0)) == pytest.approx(13 / 27, rel=0.01)


def test_s2_pair_acceptance() -> None:
    share = pair_acceptance(NOMINAL, BRAGG, DISTANCE, PIXEL, (260.0, 256.0), 512.0, 105.0)
    assert share == pytest.approx(0.4108, abs=0.005)


def accepted_pairs(fractions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Angles of pairs with spread detuning that land on pixels outside the stop."""
    rng = np.random.default_rng(22)
    n = fractions.size
    defect = closure_defect(NOMINAL + 0.0014 * rng.standard_normal(n), BRAGG)
    phi = rng.uniform(0.0, 2.0 * np.pi, n)
    centre = np.array([260.0, 256.0])
    inside = np.ones(n, dtype=bool)
    angles = []
    for b, sign in ((fractions, 1.0), (1.0 - fractions, -1.0)):
        radius = SCALE * np.tan(emission_angle_rad(b, defect))
        place = centre + sign * (radius * (np.cos(phi), np.sin(phi))).T
        inside &= np.all((place >= 0.0) & (place < 512.0), axis=1)
        inside &= np.abs(place - centre).max(axis=1) >= 105.0
        seen = np.hypot(*(np.floor(np.nan_to_num(place)) + 0.5 - centre).T)
        angles.append(radius_to_angle_rad(seen, DISTANCE, PIXEL))
    return angles[0][inside], angles[1][inside]


def test_s3_widths_of_detuning_and_energy_sum(fractions: np.ndarray) -> None:
    signal, idler = accepted_pairs(fractions)
    assert signal.size / fractions.size == pytest.approx(0.41, abs=0.01)
    assert pair_detuning_deg(signal, idler, BRAGG).std() == pytest.approx(0.00140, rel=0.02)
    total = sum(photon_energy_kev(a, PUMP, NOMINAL, BRAGG) for a in (signal, idler))
    assert total.std() == pytest.approx(0.256, abs=0.01)
    assert total.mean() == pytest.approx(PUMP, abs=0.02)


@pytest.mark.parametrize(("beta", "sharpening", "expected"), [(1e5, 1, 0.0399), (1e3, 2, 0.9521)])
def test_b1_identification(beta: float, sharpening: float, expected: float) -> None:
    found = identification_probability(*measured_spectra(sharpening), beta)
    assert found == pytest.approx(expected, abs=5e-4)


def test_width_of_the_pair_detuning_of_mosaic_dispersion_and_divergence() -> None:
    width = np.sqrt(2.73**2 + 1.17361**2 + 0.1**2) / FWHM_PER_SIGMA
    assert width == pytest.approx(1.26, abs=0.01)

"""Identities of the pair kinematics that hold for any energy split and detuning."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbeam.physics import (
    closure_defect,
    detuning_from_angles_deg,
    emission_angle_rad,
    energy_fraction,
    energy_from_tot_kev,
    fraction_density,
    fraction_quantile,
    pair_detuning_deg,
    partner_angle_rad,
    partner_radius_px,
    photon_energy_kev,
    radius_to_angle_rad,
    ring_radius_px,
    shared_energy_kev,
    sharpened_radius_px,
    tot_from_energy_ns,
)

BRAGG, DISTANCE, PIXEL, PUMP = 11.576, 0.494, 55.0, 15.0
EXAMPLES = settings(max_examples=60, deadline=None, database=None)

fractions = st.floats(0.02, 0.98)
detunings = st.floats(1e-3, 0.5)
braggs = st.floats(2.0, 60.0)
radii = st.floats(20.0, 400.0)


@EXAMPLES
@given(fractions, detunings, braggs)
def test_k2_half_angle_tangents_multiply_to_the_defect(b: float, detuning: float, bragg: float):
    defect = float(closure_defect(detuning, bragg))
    signal, idler = emission_angle_rad(b, defect), emission_angle_rad(1.0 - b, defect)
    product = np.tan(signal / 2.0) * np.tan(idler / 2.0)
    assert product == pytest.approx(defect / (2.0 - defect), rel=1e-9)
    assert partner_angle_rad(signal, defect) == pytest.approx(float(idler), rel=1e-9)


@EXAMPLES
@given(fractions, detunings, braggs)
def test_k2_exact_eq_1_gives_the_detuning_back(b: float, detuning: float, bragg: float) -> None:
    defect = closure_defect(detuning, bragg)
    signal, idler = emission_angle_rad(b, defect), emission_angle_rad(1.0 - b, defect)
    assert detuning_from_angles_deg(signal, idler, bragg) == pytest.approx(detuning, abs=1e-9)


@EXAMPLES
@given(fractions, detunings, braggs)
def test_the_triangle_closes(b: float, detuning: float, bragg: float) -> None:
    defect = float(closure_defect(detuning, bragg))
    signal, idler = emission_angle_rad(b, defect), emission_angle_rad(1.0 - b, defect)
    assert b * np.sin(signal) == pytest.approx((1.0 - b) * np.sin(idler), rel=1e-9)
    along = b * np.cos(signal) + (1.0 - b) * np.cos(idler)
    assert along == pytest.approx(1.0 - defect, abs=1e-12)
    assert energy_fraction(signal, defect) == pytest.approx(b, rel=1e-9)


def test_no_pair_below_the_bragg_angle() -> None:
    assert closure_defect(-0.01, BRAGG) < 0.0
    assert np.isnan(emission_angle_rad(0.5, closure_defect(-0.01, BRAGG)))


@EXAMPLES
@given(radii, radii, st.floats(0.01, 0.1))
def test_k4_the_sharpened_idler_is_the_twin_of_its_partner(
    signal_px: float, idler_px: float, nominal: float
) -> None:
    signal, idler = (radius_to_angle_rad(r, DISTANCE, PIXEL) for r in (signal_px, idler_px))
    measured = pair_detuning_deg(signal, idler, BRAGG)
    sharpened = sharpened_radius_px(idler_px, measured, nominal, DISTANCE, PIXEL)
    twin = partner_radius_px(signal_px, nominal, BRAGG, DISTANCE, PIXEL)
    assert sharpened == pytest.approx(float(twin), abs=1e-9, rel=1e-12)


@EXAMPLES
@given(radii, st.floats(0.5, 2.0))
def test_k5_energies_add_up_exactly_at_the_nominal_detuning(radius: float, off: float) -> None:
    nominal = 0.04
    signal = radius_to_angle_rad(radius, DISTANCE, PIXEL)
    twin_px = partner_radius_px(radius, nominal, BRAGG, DISTANCE, PIXEL)
    twin = radius_to_angle_rad(twin_px, DISTANCE, PIXEL)
    assert pair_detuning_deg(signal, twin, BRAGG) == pytest.approx(nominal, rel=1e-12)

    def energy_sum(idler: np.ndarray) -> float:
        energies = [photon_energy_kev(a, PUMP, nominal, BRAGG) for a in (signal, idler)]
        return float(energies[0] + energies[1])

    assert energy_sum(twin) == pytest.approx(PUMP, abs=1e-9)
    if abs(off - 1.0) > 1e-3:
        assert abs(energy_sum(twin * off) - PUMP) > 1e-5


@EXAMPLES
@given(st.floats(0.1, 0.9), st.floats(0.005, 0.5))
def test_k6_law_of_sines_gives_the_energy_for_any_detuning(b: float, detuning: float) -> None:
    defect = closure_defect(detuning, BRAGG)
    signal, idler = emission_angle_rad(b, defect), emission_angle_rad(1.0 - b, defect)
    assert shared_energy_kev(signal, idler, PUMP) == pytest.approx(b * PUMP, abs=1e-6)


@EXAMPLES
@given(st.floats(0.0, 1.0))
def test_the_quantile_inverts_the_spectrum(p: float) -> None:
    b = float(fraction_quantile(p))
    assert 0.0 <= b <= 1.0
    assert 3.0 * b**2 - 2.0 * b**3 == pytest.approx(p, abs=1e-12)
    assert fraction_quantile(1.0 - p) == pytest.approx(1.0 - b, abs=1e-7)


def test_the_quantile_is_consistent_with_the_density() -> None:
    p = np.linspace(0.01, 0.99, 99)
    b = fraction_quantile(p)
    slope = (fraction_quantile(p + 1e-6) - fraction_quantile(p - 1e-6)) / 2e-6
    assert np.allclose(slope * fraction_density(b), 1.0, rtol=1e-6)
    assert fraction_density(-0.1) == fraction_density(1.1) == 0.0


@EXAMPLES
@given(st.floats(3.0, 60.0), st.floats(5.0, 100.0), st.floats(0.0, 1e3), st.floats(-2.0, 2.5))
def test_tot_and_energy_are_inverse(energy: float, a: float, c: float, t: float) -> None:
    tot = float(tot_from_energy_ns(energy, a, 300.0, c, t))
    if tot > 0.0:
        assert energy_from_tot_kev(tot, a, 300.0, c, t) == pytest.approx(energy, rel=1e-9)


def test_there_is_no_tot_below_the_pole() -> None:
    assert tot_from_energy_ns([0.5, 2.0], 25.77, 170.0, 150.0, 2.0).tolist() == [0.0, 0.0]


def test_the_twin_of_the_axis_is_infinitely_far() -> None:
    twins = partner_radius_px([0.0, 1.0, 2.0, 3.0], 0.04, BRAGG, DISTANCE, PIXEL)
    assert np.all(twins[:3] == np.inf)
    assert np.all(twins > 0.0)


def test_the_ring_radius_is_its_own_twin() -> None:
    ring = ring_radius_px(0.04, BRAGG, DISTANCE, PIXEL)
    assert partner_radius_px(ring, 0.04, BRAGG, DISTANCE, PIXEL) == pytest.approx(float(ring))

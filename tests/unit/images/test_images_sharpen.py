"""The corrected idler: Eq. 6 is Eq. 5 of the partner."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbeam.images import sharpened_idler, sharpened_pair
from twinbeam.pairs import Pairs
from twinbeam.physics import (
    Geometry,
    pair_detuning_deg,
    partner_radius_px,
    radius_to_angle_rad,
    sharpened_radius_px,
)

G = Geometry()
CX, CY = G.centre_px


def pairs_of(r1, r2, azimuth) -> Pairs:
    r1, r2, azimuth = (np.atleast_1d(np.asarray(v, float)) for v in (r1, r2, azimuth))
    angles = [radius_to_angle_rad(r, G.distance_m, G.pixel_um) for r in (r1, r2)]
    columns = {
        "x1": CX - r1 * np.cos(azimuth),
        "y1": CY - r1 * np.sin(azimuth),
        "x2": CX + r2 * np.cos(azimuth),
        "y2": CY + r2 * np.sin(azimuth),
        "r1": r1,
        "r2": r2,
        "detuning_deg": pair_detuning_deg(*angles, G.bragg_deg),
    }
    return Pairs(**{name: columns.get(name, np.zeros(r1.size)) for name in Pairs.DTYPES})


@settings(max_examples=60, deadline=None, database=None)
@given(st.floats(40.0, 380.0), st.floats(40.0, 380.0), st.floats(-3.1, 3.1))
def test_k4_the_radius_is_that_of_the_twin_of_the_signal(r1: float, r2: float, phi: float) -> None:
    x, y = sharpened_idler(pairs_of(r1, r2, phi), G)
    radius = np.hypot(x - CX, y - CY)
    twin = partner_radius_px(r1, G.detuning_deg, G.bragg_deg, G.distance_m, G.pixel_um)
    assert radius[0] == pytest.approx(float(twin), abs=1e-9, rel=0.0)
    assert np.arctan2(y - CY, x - CX)[0] == pytest.approx(phi, abs=1e-12)


def test_it_is_eq_6() -> None:
    rng = np.random.default_rng(2)
    pairs = pairs_of(*rng.uniform(60, 350, (2, 1000)), rng.uniform(-3, 0, 1000))
    x, y = sharpened_idler(pairs, G)
    expected = sharpened_radius_px(
        pairs.r2, pairs.detuning_deg, G.detuning_deg, G.distance_m, G.pixel_um
    )
    assert np.allclose(np.hypot(x - CX, y - CY), expected, atol=1e-9, rtol=0.0)


def test_a_pair_at_the_nominal_detuning_stays_where_it_is() -> None:
    twin = partner_radius_px(150.0, G.detuning_deg, G.bragg_deg, G.distance_m, G.pixel_um)
    pairs = pairs_of(150.0, twin, -1.0)
    x, y = sharpened_idler(pairs, G)
    assert (x[0], y[0]) == (pytest.approx(pairs.x2[0]), pytest.approx(pairs.y2[0]))


def test_it_takes_out_the_blur_of_the_detuning() -> None:
    rng = np.random.default_rng(4)
    detuning = 0.040 + 0.0014 * rng.standard_normal(20_000)
    r1 = np.full(20_000, 210.0)
    r2 = partner_radius_px(r1, detuning, G.bragg_deg, G.distance_m, G.pixel_um)
    assert r2.std() == pytest.approx(7.4, rel=0.02)
    x, y = sharpened_idler(pairs_of(r1, r2, -1.0), G)
    assert np.hypot(x - CX, y - CY).std() < 1e-9


def test_photons_on_the_axis_do_no_harm() -> None:
    x, y = sharpened_idler(pairs_of([0.0, 100.0, 1.0], [100.0, 0.0, 300.0], -1.0), G)
    assert np.all(~np.isnan(x))
    assert np.all(~np.isnan(y))
    assert (x[1], y[1]) == (CX, CY)


# --- the symmetric form ---


@settings(max_examples=60, deadline=None, database=None)
@given(st.floats(40.0, 380.0), st.floats(40.0, 380.0), st.floats(-3.1, 3.1))
def test_the_symmetric_form_gives_the_nominal_detuning(r1: float, r2: float, phi: float) -> None:
    x1, y1, x2, y2 = sharpened_pair(pairs_of(r1, r2, phi), G)
    radii = np.hypot(x1 - CX, y1 - CY), np.hypot(x2 - CX, y2 - CY)
    one, two = (radius_to_angle_rad(r, G.distance_m, G.pixel_um) for r in radii)
    assert pair_detuning_deg(one, two, G.bragg_deg)[0] == pytest.approx(0.040, rel=1e-9)
    # the ratio of the angles, which says how the energy is shared, stays
    before = [radius_to_angle_rad(r, G.distance_m, G.pixel_um) for r in (r1, r2)]
    assert (one / two)[0] == pytest.approx(float(before[0] / before[1]), rel=1e-9)
    away = x1[0] - CX, y1[0] - CY
    expected = -radii[0][0] * np.cos(phi), -radii[0][0] * np.sin(phi)
    assert away == pytest.approx(expected, abs=1e-9)


def test_the_symmetric_form_keeps_what_each_photon_measured_itself() -> None:
    # an error of the signal radius alone moves the idler by half of what Eq. 6 would
    detuning_error = np.array([1.0, 1.01])
    r1, r2 = 210.484 * detuning_error, np.array([210.484, 210.484])
    pairs = pairs_of(r1, r2, -1.0)
    _, _, x, y = sharpened_pair(pairs, G)
    symmetric = np.diff(np.hypot(x - CX, y - CY))[0]
    x, y = sharpened_idler(pairs, G)
    eq_6 = np.diff(np.hypot(x - CX, y - CY))[0]
    assert symmetric / eq_6 == pytest.approx(0.5, rel=0.01)

"""What a pair tells, against the formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photon_lists import find, photons_at, random_photons, seeds

from twinbeam.pairs import DERIVED_UNITS, Pairs
from twinbeam.physics import (
    Geometry,
    closure_defect,
    detuning_from_angles_deg,
    emission_angle_rad,
    pair_detuning_deg,
    photon_energy_kev,
    radius_to_angle_rad,
    ring_radius_px,
    shared_energy_kev,
)

G = Geometry()
CX, CY = G.centre_px


def prompt(x1: float, y1: float, x2: float, y2: float) -> Pairs:
    pairs, _ = find(photons_at([0.0, 1.0], [x1, x2], [y1, y2]))
    assert len(pairs) == 1
    return pairs


@settings(max_examples=30, deadline=None, database=None)
@given(seeds)
def test_radii_and_detuning_follow_the_formulas(seed: int) -> None:
    pairs, _ = find(random_photons(seed))
    assert np.allclose(pairs.r1, np.hypot(pairs.x1 - CX, pairs.y1 - CY), rtol=1e-14)
    assert np.allclose(pairs.r2, np.hypot(pairs.x2 - CX, pairs.y2 - CY), rtol=1e-14)
    angles = [radius_to_angle_rad(r, G.distance_m, G.pixel_um) for r in (pairs.r1, pairs.r2)]
    assert np.allclose(pairs.detuning_deg, pair_detuning_deg(*angles, G.bragg_deg), rtol=1e-12)


@settings(max_examples=30, deadline=None, database=None)
@given(seeds)
def test_dp_is_the_distance_of_the_axis_from_the_segment(seed: int) -> None:
    pairs, _ = find(random_photons(seed))
    share = np.linspace(0.0, 1.0, 4001)[:, None]
    x = pairs.x1 + share * (pairs.x2 - pairs.x1) - CX
    y = pairs.y1 + share * (pairs.y2 - pairs.y1) - CY
    sampled = np.hypot(x, y).min(axis=0, initial=np.inf)
    assert np.all(pairs.dp_px <= sampled + 1e-9)
    assert np.allclose(pairs.dp_px, sampled, atol=0.1)


def test_a_pair_on_the_ring_has_the_nominal_detuning() -> None:
    ring = float(ring_radius_px(G.detuning_deg, G.bragg_deg, G.distance_m, G.pixel_um))
    pair = prompt(CX + ring * 0.6, CY + ring * 0.8, CX - ring * 0.6, CY - ring * 0.8)
    assert pair.detuning_deg[0] == pytest.approx(0.040, rel=1e-6)
    assert pair.r1[0] == pytest.approx(210.484, abs=1e-3)
    assert pair.dp_px[0] == pytest.approx(0.0, abs=1e-4)


def test_dp_of_a_segment_that_misses_the_axis() -> None:
    assert prompt(CX - 100, CY + 3, CX + 100, CY - 1).dp_px[0] == pytest.approx(1.0, rel=1e-3)
    # the foot of the perpendicular is outside the segment: the nearer end counts
    assert prompt(CX + 30, CY, CX + 60, CY - 1).dp_px[0] == pytest.approx(30.0)


def test_photons_keep_their_own_columns() -> None:
    pairs, _ = find(photons_at([0.0, 1.0], [100.0, 400.0], [400.0, 100.0], [6.0, 9.0]))
    assert (pairs.e1[0], pairs.e2[0]) == (6.0, 9.0)
    assert (pairs.tot1[0], pairs.tot2[0]) == (100, 101)
    assert (pairs.x1[0], pairs.y1[0], pairs.x2[0], pairs.y2[0]) == (100.0, 400.0, 400.0, 100.0)
    assert pairs.quantity("energy_sum_kev").tolist() == [15.0]
    assert pairs.quantity("dp_px") is pairs.dp_px


# --- quantities computed on demand ---


@settings(max_examples=30, deadline=None, database=None)
@given(seeds)
def test_derived_quantities_follow_the_formulas(seed: int) -> None:
    pairs, _ = find(random_photons(seed))
    one, two = (radius_to_angle_rad(r, G.distance_m, G.pixel_um) for r in (pairs.r1, pairs.r2))
    expected = {
        "alpha1_deg": np.degrees(one),
        "alpha2_deg": np.degrees(two),
        "detuning_exact_deg": detuning_from_angles_deg(one, two, G.bragg_deg),
        "e1_geometric_kev": shared_energy_kev(one, two, G.energy_kev),
        "e2_geometric_kev": shared_energy_kev(two, one, G.energy_kev),
        "e1_radius_kev": photon_energy_kev(one, G.energy_kev, G.detuning_deg, G.bragg_deg),
        "e2_radius_kev": photon_energy_kev(two, G.energy_kev, G.detuning_deg, G.bragg_deg),
        "energy_sum_kev": pairs.e1 + pairs.e2,
    }
    expected["e1_residual_kev"] = pairs.e1 - expected["e1_radius_kev"]
    expected["e2_residual_kev"] = pairs.e2 - expected["e2_radius_kev"]
    expected["energy_sum_radius_kev"] = expected["e1_radius_kev"] + expected["e2_radius_kev"]
    azimuths = [np.arctan2(y - CY, x - CX) for x, y in ((pairs.x1, pairs.y1), (pairs.x2, pairs.y2))]
    turn = np.degrees(azimuths[1] - azimuths[0]) - 180.0
    expected["azimuth_deg"] = turn - 360.0 * np.round(turn / 360.0)
    assert set(expected) == set(DERIVED_UNITS)
    for name, values in expected.items():
        assert np.allclose(pairs.quantity(name, G), values, rtol=1e-9, atol=1e-9), name
    both = pairs.quantity("e1_geometric_kev", G) + pairs.quantity("e2_geometric_kev", G)
    assert np.allclose(both, G.energy_kev, atol=1e-9)


@settings(max_examples=20, deadline=None, database=None)
@given(seeds, st.integers(0, 400))
def test_derived_quantities_do_not_depend_on_the_cutting(seed: int, at: int) -> None:
    pairs, _ = find(random_photons(seed))
    for name in DERIVED_UNITS:
        pieces = [part.quantity(name, G) for part in (pairs[:at], pairs[at:])]
        assert np.concatenate(pieces).tobytes() == pairs.quantity(name, G).tobytes()


def test_exact_detuning_is_that_of_the_triangle_where_eq_1_is_1e_4_off() -> None:
    scale = G.distance_m / (G.pixel_um * 1e-6)
    defect = closure_defect(0.040, G.bragg_deg)
    r1, r2 = (scale * np.tan(emission_angle_rad(b, defect)) for b in (0.45, 0.55))
    # pixels are single precision: 1e-7 of 500 px
    pair = prompt(CX, CY + float(r1), CX, CY - float(r2))
    assert pair.quantity("detuning_exact_deg", G)[0] == pytest.approx(0.040, rel=1e-6)
    assert pair.detuning_deg[0] == pytest.approx(0.0400044, abs=1e-7)
    assert pair.quantity("e1_geometric_kev", G)[0] == pytest.approx(6.75, rel=1e-6)
    assert pair.quantity("azimuth_deg", G)[0] == pytest.approx(0.0, abs=1e-12)


def test_unknown_quantities_and_missing_geometry() -> None:
    pair = prompt(CX, CY + 100, CX, CY - 100)
    with pytest.raises(KeyError, match="mass"):
        pair.quantity("mass", G)
    with pytest.raises(ValueError, match="alpha1_deg needs the geometry"):
        pair.quantity("alpha1_deg")


def test_photons_on_the_axis_have_derived_quantities() -> None:
    pair = prompt(CX, CY, CX, CY - 1e-4)
    values = {name: float(pair.quantity(name, G)[0]) for name in DERIVED_UNITS}
    assert np.isfinite(list(values.values())).all()

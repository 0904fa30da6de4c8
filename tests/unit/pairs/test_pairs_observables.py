"""What a pair tells, against the formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from photon_lists import find, photons_at, random_photons, seeds

from twinbeam.pairs import Pairs
from twinbeam.physics import Geometry, pair_detuning_deg, radius_to_angle_rad, ring_radius_px

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

"""The simulated world against the reference numbers of the published measurement."""

from __future__ import annotations

import numpy as np
import pytest
import xraydb

from sim_iocs.beamline import World, load_beamline
from sim_iocs.beamline.crystal import Crystal, CrystalDescription
from sim_iocs.beamline.diffraction import (
    bragg_reading_deg,
    chi_shift_deg,
    darwin,
    phi_shift_deg,
    reflected_fraction,
)
from sim_iocs.beamline.pairs import pair_detuning_deg
from twinbeam.physics import DARWIN_WIDTH_MDEG, FWHM_PER_SIGMA, bragg_angle_deg
from twinbeam.plans import fit_peak

SITE = load_beamline()


@pytest.fixture(scope="module")
def world() -> World:
    return World(SITE, seed=1)


def places(**other: float) -> dict[str, float]:
    """All axes at their start, but for some."""
    return {role: motor.start for role, motor in SITE.motors.items()} | other


def truth(world: World, **other: float):
    return world.truth(places(**other), current=1.0, shutter_open=True, foils=[False] * 6)


def fwhm(offsets: np.ndarray, values: np.ndarray) -> float:
    """Width at half of the maximum, by linear interpolation."""
    half, top = values.max() / 2, int(values.argmax())
    left = np.interp(half, values[: top + 1], offsets[: top + 1])
    right = np.interp(-half, -values[top:], offsets[top:])
    return float(right - left)


def test_darwin_profile_has_the_published_widths() -> None:
    found = darwin(15.0)
    assert found.width_mdeg == pytest.approx(0.674588, rel=0.02)
    assert found.fwhm_mdeg == pytest.approx(0.715508, rel=0.02)
    assert found.width_mdeg == pytest.approx(DARWIN_WIDTH_MDEG, rel=1e-3)
    # refraction: 2 δ / sin 2θ with δ = 3.24177e-6
    expected = np.degrees(2 * 3.24177e-6 / 0.393172) * 1e3
    assert found.offset_mdeg == pytest.approx(expected, rel=0.02)


def test_rocking_curve_is_that_of_the_whole_dynamical_profile() -> None:
    """The analytic profile without absorption and xraydb's with it give the same curve."""
    found = xraydb.darwin_width(15000, "C", (1, 1, 1), a=3.56712, polarization="s")
    at = 1e3 * np.degrees(found.dtheta - found.theta_offset)
    offsets = np.linspace(-6, 6, 121)
    sigma = np.hypot(2.72534, 1.005) / FWHM_PER_SIGMA
    grid = np.arange(-8, 8, 0.01)
    profile = np.interp(grid, at, found.intensity, left=0.0, right=0.0)
    curve = [(profile * np.exp(-0.5 * ((o - grid) / sigma) ** 2)).sum() for o in offsets]
    ours = [reflected_fraction(o, 2.72534, 1.005, darwin(15.0).width_mdeg) for o in offsets]
    assert fwhm(offsets, np.array(ours)) == pytest.approx(fwhm(offsets, np.array(curve)), abs=0.02)
    assert fwhm(offsets, np.array(ours)) == pytest.approx(3.04354, abs=0.02)


def test_a_wider_curve_is_a_lower_one() -> None:
    offsets = np.linspace(-20, 20, 161)
    width = darwin(15.0).width_mdeg
    areas = [
        sum(reflected_fraction(o, mosaic, 1.005, width) for o in offsets) for mosaic in (2.0, 4.0)
    ]
    assert areas[0] == pytest.approx(areas[1], rel=0.07)
    assert reflected_fraction(0, 2.72534, 1.005, width) == pytest.approx(1.0)


def test_the_best_place_gives_three_millidegrees(world: World) -> None:
    crystal, width = world.crystal, darwin(15.0).width_mdeg
    offsets = np.linspace(-8, 8, 161)
    best = crystal.mosaic_mdeg(crystal.best_x_mm, crystal.best_y_mm)
    curve = np.array([reflected_fraction(o, best, 1.005, width) for o in offsets])
    assert fwhm(offsets, curve) == pytest.approx(3.0, abs=0.1)
    for x, y in ((0.0, 0.0), (1.5, 0.0), (-1.0, 1.0), (2.0, -2.0)):
        assert crystal.mosaic_mdeg(x, y) > best


@pytest.mark.parametrize("seed", range(8))
def test_crystals_of_all_seeds_are_nominal_at_the_origin_and_best_near_it(seed: int) -> None:
    crystal = Crystal.grown(CrystalDescription(), seed)
    assert crystal.mosaic_mdeg(0.0, 0.0) == pytest.approx(2.72534)
    assert crystal.misorientation_mdeg(0.0, 0.0) == pytest.approx(0.0, abs=1e-12)
    assert 0.24 < np.hypot(crystal.best_x_mm, crystal.best_y_mm) < 0.46
    grid = np.linspace(-2, 2, 41)
    planes = [crystal.misorientation_mdeg(x, y) for x in grid for y in grid]
    assert 0.1 < np.std(planes) < 2.0
    assert Crystal.grown(CrystalDescription(), seed) == crystal
    assert Crystal.grown(CrystalDescription(), seed + 1) != crystal


def test_theta_reads_the_published_angle_on_the_reflection(world: World) -> None:
    assert world.bragg_deg(places()) == pytest.approx(11.576, abs=1e-9)
    assert truth(world, theta=11.616).detuning_deg == pytest.approx(0.040, abs=1e-9)


@pytest.mark.parametrize("energy", [8.0, 12.0, 15.5])
def test_the_bragg_angle_follows_the_energy_with_refraction(world: World, energy: float) -> None:
    reading = world.bragg_deg(places(energy=energy))
    vacuum = float(bragg_angle_deg(energy)) - float(bragg_angle_deg(15.0))
    refraction = 1e-3 * (darwin(energy).offset_mdeg - darwin(15.0).offset_mdeg)
    assert reading == pytest.approx(11.576 + vacuum + refraction, abs=1e-6)
    # refraction alone: 2 δ / sin 2θ ∝ E⁻² / sin 2θ
    ratio = (15.0 / energy) ** 2 * np.sin(np.radians(2 * 11.5763))
    ratio /= np.sin(2 * np.radians(float(bragg_angle_deg(energy))))
    assert darwin(energy).offset_mdeg / darwin(15.0).offset_mdeg == pytest.approx(ratio, rel=0.02)


def test_an_energy_that_no_angle_reflects_is_off_the_scale() -> None:
    assert bragg_reading_deg(2.9) == 90.0
    assert bragg_reading_deg(3.1) < 90.0


def test_chi_and_phi_shift_the_reflection() -> None:
    assert chi_shift_deg(11.576, 0.0) == pytest.approx(0.0, abs=1e-12)
    # tan θ χ²/2
    expected = np.degrees(np.tan(np.radians(11.576)) * np.radians(1.0) ** 2 / 2)
    assert chi_shift_deg(11.576, 1.0) == pytest.approx(expected, rel=1e-3)
    assert chi_shift_deg(11.576, -1.0) == pytest.approx(chi_shift_deg(11.576, 1.0))
    assert phi_shift_deg(90.0, 0.02) == pytest.approx(0.02)
    assert phi_shift_deg(180.0, 0.02) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("detuning", "stop_out", "radius", "share"),
    [(0.040, False, 210.484, 0.410792), (0.040, True, 210.484, 0.423816),
     (0.042, False, 215.684, 0.386111)],
)  # fmt: skip
def test_ring_and_acceptance_are_the_published_ones(
    detuning: float, stop_out: bool, radius: float, share: float
) -> None:
    place = SITE.detector.model_copy(update={"centre_px": (260.0, 256.0)})
    world = World(SITE.model_copy(update={"detector": place}), seed=1)
    beam_stop = {"beam_stop_y": 30.0} if stop_out else {}
    pairs = world.pairs(truth(world, theta=11.576 + detuning, **beam_stop))
    assert pairs.radius_px == pytest.approx(radius, rel=1e-5)
    assert pairs.acceptance == pytest.approx(share, rel=0.005)


def test_pair_rate_is_the_published_one_and_follows_flux_and_acceptance(world: World) -> None:
    full = world.pairs(truth(world, theta=11.616))
    assert full.rate_hz == pytest.approx(2.16667, rel=1e-3)  # 7.8e3 an hour, 296400 in 38 h
    assert full.rate_hz * 38 * 3600 == pytest.approx(296_400, rel=1e-3)
    half = world.pairs(
        world.truth(places(theta=11.616), current=0.5, shutter_open=True, foils=[False] * 6)
    )
    assert half.rate_hz == pytest.approx(full.rate_hz / 2)
    detuned = world.pairs(truth(world, theta=11.636))
    assert detuned.rate_hz / full.rate_hz == pytest.approx(detuned.acceptance / full.acceptance)
    assert world.pairs(truth(world, theta=11.570)).rate_hz == 0.0


def test_the_ring_grows_with_the_distance(world: World) -> None:
    near = world.pairs(truth(world, theta=11.616))
    far = world.pairs(truth(world, theta=11.616, detector_z=683.0))
    assert far.radius_px == pytest.approx(291.013, rel=1e-4)
    assert far.acceptance < 0.2 < near.acceptance


def test_the_refractive_index_takes_1_4_millidegrees() -> None:
    assert pair_detuning_deg(0.042, 11.576, 15.0, index=False) == 0.042
    shown = pair_detuning_deg(0.042, 11.576, 15.0, index=True)
    assert 1e3 * (0.042 - shown) == pytest.approx(1.417, rel=1e-3)


def test_moving_detector_and_sample_moves_axis_and_shadow(world: World) -> None:
    moved = truth(world, detector_x=0.55, detector_y=-1.1, sample_x=0.275, detector_z=500.0)
    assert moved.centre_px == pytest.approx((248.0, 278.0))
    assert moved.sample_px == pytest.approx((5.0, 0.0))
    assert moved.distance_m == pytest.approx(0.5)
    assert truth(world).stop_half_px == pytest.approx(105.0)
    assert truth(world, beam_stop_x=6.0).stop_half_px == 0.0


def test_flux_is_current_slits_foils_and_shutter(world: World) -> None:
    assert truth(world).flux == pytest.approx(1.0, abs=1e-6)
    shut = world.truth(places(), current=1.0, shutter_open=False, foils=[False] * 6)
    assert shut.flux == 0.0
    # half of the beam is left of its middle
    assert truth(world, slit_x_centre=0.5).flux == pytest.approx(0.5, abs=1e-6)
    narrow = truth(world, slit_x_gap=0.2).flux
    assert narrow == pytest.approx(0.7610, abs=1e-3)  # a gap of one FWHM: erf(√ln 2)
    foils = [False, True, False, False, False, False]
    dimmed = world.truth(places(), current=0.5, shutter_open=True, foils=foils)
    assert dimmed.flux == pytest.approx(0.5 * dimmed.transmission, rel=1e-6)
    assert dimmed.transmission == pytest.approx(0.807, abs=0.01)  # 100 µm Al at 15 keV


def test_the_monitor_sees_the_reflection_only_where_it_is(world: World) -> None:
    on_top = world.monitor_hz(truth(world, theta=11.576))
    assert on_top == pytest.approx(1e6, rel=0.01)
    assert world.monitor_hz(truth(world, theta=11.5775)) == pytest.approx(on_top / 2, rel=0.05)
    elsewhere = world.monitor_hz(truth(world, theta=11.576, two_theta=20.0))
    assert elsewhere == pytest.approx(205.0)
    beside = world.monitor_hz(truth(world, theta=11.576, crystal_x=4.5))
    assert beside < 1e3


@pytest.mark.parametrize("seed", [1, 7])
def test_a_map_of_rocking_widths_has_its_minimum_where_the_seed_put_it(seed: int) -> None:
    """As an experimenter would: count at angles, fit the width, fit a bowl to the widths."""
    world, random = World(SITE, seed), np.random.default_rng(seed)
    offsets_deg = np.linspace(-0.006, 0.006, 21)
    grid = np.linspace(-0.9, 0.9, 5)
    points, widths = [], []
    for x in grid:
        for y in grid:
            angles = 11.576 + offsets_deg
            rates = [
                world.monitor_hz(truth(world, theta=angle, crystal_x=x, crystal_y=y))
                for angle in angles
            ]
            counts = random.poisson(0.1 * np.array(rates))
            fit = fit_peak(angles, counts / 0.1, np.sqrt(np.maximum(counts, 1.0)) / 0.1)
            points.append((x, y))
            widths.append(1e3 * fit.fwhm)
    x, y = np.array(points).T
    near = np.argsort(widths)[:13]
    terms = np.stack([np.ones_like(x), x, y, x * x + y * y], axis=1)[near]
    _, a, b, c = np.linalg.lstsq(terms, np.array(widths)[near], rcond=None)[0]
    found = -a / (2 * c), -b / (2 * c)
    assert found == pytest.approx((world.crystal.best_x_mm, world.crystal.best_y_mm), abs=0.12)
    assert min(widths) == pytest.approx(3.0, abs=0.1)
    assert max(widths) > 3.5

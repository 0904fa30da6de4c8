"""Reference numbers of the SPDC experiment: θ = 11.576°, 0.494 m, 55 µm pixels, 15 keV."""

from __future__ import annotations

import numpy as np
import pytest

from twinbeam.physics import (
    DARWIN_WIDTH_MDEG,
    FWHM_PER_SIGMA,
    Geometry,
    bragg_angle_deg,
    closure_defect,
    darwin_reflectivity,
    emission_angle_rad,
    energy_from_tot_kev,
    fraction_density,
    fraction_quantile,
    pair_acceptance,
    pair_detuning_deg,
    partner_angle_rad,
    partner_radius_px,
    photon_energy_kev,
    radius_to_angle_rad,
    ring_angle_rad,
    ring_radius_px,
    rocking_curve,
    silicon_efficiency,
    timewalk_ns,
    tot_from_energy_ns,
    wavelength_angstrom,
)

BRAGG, DISTANCE, PIXEL, PUMP, NOMINAL = 11.576, 0.494, 55.0, 15.0, 0.040
EXACT = 1e-5  # relative tolerance of pure geometry
SCALE = DISTANCE / (PIXEL * 1e-6)


def exact_angle_deg(fraction: float, detuning: float = NOMINAL) -> float:
    return float(np.degrees(emission_angle_rad(fraction, closure_defect(detuning, BRAGG))))


def test_wavelength() -> None:
    assert wavelength_angstrom(15.0) == pytest.approx(0.826561, rel=1e-6)


@pytest.mark.parametrize(
    ("lattice", "degrees"), [(3.56712, 11.5763), (3.567, 11.5767), (3.5668, 11.5773)]
)
def test_bragg_angle_of_diamond_111(lattice: float, degrees: float) -> None:
    assert bragg_angle_deg(15.0, lattice) == pytest.approx(degrees, abs=6e-5)


def test_lattice_constant_behind_the_bragg_angle_of_the_recipe() -> None:
    assert bragg_angle_deg(15.0, 3.56721) == pytest.approx(Geometry().bragg_deg, abs=5e-5)


def test_bragg_angle_of_silicon_111() -> None:
    assert bragg_angle_deg(15.0, 5.43102) == pytest.approx(7.57378, rel=EXACT)


@pytest.mark.parametrize(
    ("detuning", "ring_deg", "opening_deg", "radius_px"),
    [
        (0.040, 1.34245, 2.68490, 210.484),
        (0.042, 1.37560, 2.75120, 215.684),
        (0.0419662, 1.37505, 2.75009, 215.597),
    ],
)
def test_ring(detuning: float, ring_deg: float, opening_deg: float, radius_px: float) -> None:
    angle = np.degrees(ring_angle_rad(detuning, BRAGG))
    assert angle == pytest.approx(ring_deg, rel=EXACT)
    assert 2.0 * angle == pytest.approx(opening_deg, rel=EXACT)
    assert ring_radius_px(detuning, BRAGG, DISTANCE, PIXEL) == pytest.approx(radius_px, rel=EXACT)


@pytest.mark.parametrize(
    ("detuning", "distance_m", "radius_px"), [(0.040, 0.683, 291.013), (0.022, 0.69749, 220.382)]
)
def test_ring_of_the_older_parameter_sets(
    detuning: float, distance_m: float, radius_px: float
) -> None:
    radius = ring_radius_px(detuning, BRAGG, distance_m, PIXEL)
    assert radius == pytest.approx(radius_px, rel=EXACT)


def test_the_default_geometry_is_that_of_the_ring() -> None:
    g = Geometry()
    radius = ring_radius_px(g.detuning_deg, g.bragg_deg, g.distance_m, g.pixel_um)
    assert radius == pytest.approx(210.484, rel=EXACT)
    assert g.side_px == 514


def test_closure_defect_exact_and_small_angle() -> None:
    assert closure_defect(NOMINAL, BRAGG) == pytest.approx(2.74504e-4, rel=EXACT)
    small = np.radians(NOMINAL) * np.sin(2.0 * np.radians(BRAGG))
    assert small == pytest.approx(2.74486e-4, rel=EXACT)


@pytest.mark.parametrize(
    ("fraction", "exact_deg"), [(1 / 2, 1.34252), (1 / 3, 1.89872), (2 / 3, 0.949231)]
)
def test_exact_emission_angles(fraction: float, exact_deg: float) -> None:
    assert exact_angle_deg(fraction) == pytest.approx(exact_deg, rel=EXACT)


@pytest.mark.parametrize(
    ("energy_kev", "angle_deg", "radius_px"),
    [(5.0, 1.89851, 297.723), (7.5, 1.34245, 210.484), (10.0, 0.949254, 148.821)],
)
def test_small_angle_energies_and_radii(
    energy_kev: float, angle_deg: float, radius_px: float
) -> None:
    angle = radius_to_angle_rad(radius_px, DISTANCE, PIXEL)
    assert np.degrees(angle) == pytest.approx(angle_deg, rel=EXACT)
    energy = photon_energy_kev(angle, PUMP, NOMINAL, BRAGG)
    assert energy == pytest.approx(energy_kev, rel=EXACT)


@pytest.mark.parametrize(
    ("radius_px", "energy_kev"),
    [
        (100.0, 12.2371),
        (150.0, 9.94726),
        (200.0, 7.88272),
        (250.0, 6.22274),
        (300.0, 4.94938),
        (251.0, 6.19370),
        (260.0, 5.93930),
        (364.9, 3.74729),
    ],
)
def test_energy_from_radius_eq_4(radius_px: float, energy_kev: float) -> None:
    angle = radius_to_angle_rad(radius_px, DISTANCE, PIXEL)
    energy = photon_energy_kev(angle, PUMP, NOMINAL, BRAGG)
    # the far corner is tabulated at 364.9 px, which its own rounding shifts by 2e-4
    assert energy == pytest.approx(energy_kev, rel=2e-4 if radius_px == 364.9 else EXACT)


@pytest.mark.parametrize(
    ("radius_px", "small", "exact"),
    [(150.0, 295.382, 295.408), (200.0, 221.517, 221.542), (250.0, 177.218, 177.236)],
)
def test_twin_of_a_radius_eq_5(radius_px: float, small: float, exact: float) -> None:
    twin = partner_radius_px(radius_px, NOMINAL, BRAGG, DISTANCE, PIXEL)
    assert twin == pytest.approx(small, rel=EXACT)
    angle = radius_to_angle_rad(radius_px, DISTANCE, PIXEL)
    other = partner_angle_rad(angle, closure_defect(NOMINAL, BRAGG))
    assert SCALE * np.tan(other) == pytest.approx(exact, rel=EXACT)


@pytest.mark.parametrize(
    ("fraction", "reads_deg"), [(0.5, 0.0400045), (0.4, 0.0400042), (0.25, 0.0400020)]
)
def test_eq_1_on_exact_angles(fraction: float, reads_deg: float) -> None:
    signal, idler = np.radians(exact_angle_deg(fraction)), np.radians(exact_angle_deg(1 - fraction))
    assert pair_detuning_deg(signal, idler, BRAGG) == pytest.approx(reads_deg, rel=2e-6)


def test_idler_blur_at_a_fixed_radius() -> None:
    ring = float(ring_radius_px(NOMINAL, BRAGG, DISTANCE, PIXEL))
    step = 1e-6
    twins = partner_radius_px(ring, NOMINAL + np.array([-step, step]), BRAGG, DISTANCE, PIXEL)
    # the tabulated value is linear in the angle
    assert (twins[1] - twins[0]) / (2 * step) * 0.0014 == pytest.approx(7.36693, rel=5e-4)


def test_detuning_error_of_one_pixel_in_both_radii() -> None:
    ring = float(ring_radius_px(NOMINAL, BRAGG, DISTANCE, PIXEL))
    angles = radius_to_angle_rad([ring - 0.5, ring, ring + 0.5], DISTANCE, PIXEL)
    slope = pair_detuning_deg(angles[2], angles[1], BRAGG) - pair_detuning_deg(
        angles[0], angles[1], BRAGG
    )
    assert slope * np.sqrt(2.0 / 12.0) == pytest.approx(7.75971e-5, rel=1e-3)


def test_spectrum_moments_and_the_band_of_the_paper() -> None:
    b = (np.arange(200_000) + 0.5) / 200_000
    density = fraction_density(b)
    assert density.max() / PUMP == pytest.approx(0.1, rel=1e-6)
    mean = np.mean(density * b)
    assert PUMP * np.sqrt(np.mean(density * (b - mean) ** 2)) == pytest.approx(3.35410, rel=1e-5)
    band = (b > 1 / 3) & (b < 2 / 3)
    assert np.mean(density * band) == pytest.approx(13 / 27, rel=1e-4)
    assert fraction_quantile(0.5) == pytest.approx(0.5, abs=1e-15)


@pytest.mark.parametrize(
    ("detuning", "stop_half_px", "share"),
    [(0.040, 0, 0.423816), (0.040, 58, 0.423816), (0.040, 105, 0.410792), (0.042, 105, 0.386111)],
)
def test_pair_acceptance(detuning: float, stop_half_px: float, share: float) -> None:
    found = pair_acceptance(
        detuning, BRAGG, DISTANCE, PIXEL, (260.0, 256.0), 512.0, float(stop_half_px)
    )
    assert found == pytest.approx(share, rel=5e-3)


def test_darwin_profile_of_diamond() -> None:
    assert np.isclose(DARWIN_WIDTH_MDEG, 0.674588, rtol=0.02)
    assert float(darwin_reflectivity(0.999 * DARWIN_WIDTH_MDEG / 2)) == 1.0
    offsets = np.linspace(0.0, 2.0, 200_001)
    half = offsets[darwin_reflectivity(offsets) >= 0.5].max()
    assert 2.0 * half == pytest.approx(0.715508, rel=1e-4)


def fwhm(offsets: np.ndarray, curve: np.ndarray) -> float:
    above = offsets[curve >= 0.5 * curve.max()]
    return float(above.max() - above.min())


def test_rocking_curve_of_the_experiment() -> None:
    offsets = np.linspace(-4.0, 4.0, 8001)
    curve = rocking_curve(offsets, mosaic_mdeg=2.726, instrument_mdeg=float(np.hypot(1.0, 0.1)))
    assert fwhm(offsets, curve) == pytest.approx(3.04354, rel=2e-3)
    assert curve.max() == pytest.approx(1.0, abs=1e-12)
    assert np.argmax(curve) == 4000
    assert np.allclose(curve, curve[::-1], atol=1e-12)


def test_mosaicity_that_makes_the_measured_rocking_width() -> None:
    offsets = np.linspace(-4.0, 4.0, 8001)
    curve = rocking_curve(offsets, mosaic_mdeg=2.67872, instrument_mdeg=float(np.hypot(1.0, 0.1)))
    assert fwhm(offsets, curve) == pytest.approx(3.0, rel=2e-3)


def test_rocking_curve_of_one_offset_is_that_of_many() -> None:
    assert float(rocking_curve(1.2)) == pytest.approx(rocking_curve([0.0, 1.2])[1], rel=1e-12)


def test_gaussian_width_factor() -> None:
    assert np.isclose(FWHM_PER_SIGMA, 2.354820, atol=1e-6)


@pytest.mark.parametrize(
    ("energy_kev", "share"), [(7.5, 0.995667), (10.0, 0.906253), (15.0, 0.514303)]
)
def test_silicon_efficiency(energy_kev: float, share: float) -> None:
    assert silicon_efficiency(energy_kev, 300.0) == pytest.approx(share, rel=0.02)


@pytest.mark.parametrize(("energy_kev", "tot_ns"), [(7.5, 336.0), (15.0, 545.0)])
def test_response_of_one_pixel(energy_kev: float, tot_ns: float) -> None:
    abct = (25.77, 170.0, 150.0, 2.0)
    assert tot_from_energy_ns(energy_kev, *abct) == pytest.approx(tot_ns, abs=0.6)
    assert energy_from_tot_kev(tot_ns, *abct) == pytest.approx(energy_kev, abs=0.03)


@pytest.mark.parametrize(("tot_ns", "walk_ns"), [(25, 112), (100, 34), (200, 6.8), (336, 0.8)])
def test_timewalk(tot_ns: float, walk_ns: float) -> None:
    assert timewalk_ns(tot_ns) == pytest.approx(walk_ns, rel=0.05)

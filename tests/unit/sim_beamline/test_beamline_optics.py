"""Foils, slits, mask, currents and the ring."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from sim_iocs.beamline import StorageRing, load_beamline
from sim_iocs.beamline.currents import diode_current_a, ion_chamber_current_a
from sim_iocs.beamline.description import RingDescription, SampleDescription
from sim_iocs.beamline.masks import read_picture, sample_thickness_um, sample_transmission
from sim_iocs.beamline.optics import best_foils, foil_transmission, mono_bragg_deg
from sim_iocs.beamline.travel import Travel
from twinbeam.errors import RecipeError

FOILS_UM = (50.0, 100.0, 200.0, 400.0, 800.0, 1600.0)


def test_monochromator_angle_is_the_published_one() -> None:
    assert mono_bragg_deg(15.0) == pytest.approx(7.57378, rel=1e-4)


def test_aluminium_passes_what_tables_say() -> None:
    # µ/ρ = 7.955 cm²/g at 15 keV (NIST), ρ = 2.699 g/cm³
    assert foil_transmission("aluminum", 100.0, 15.0) == pytest.approx(
        math.exp(-7.955 * 2.699 * 0.01), rel=0.01
    )


@pytest.mark.parametrize("wanted", [1.0, 0.5, 0.1, 1e-2, 2e-3])
def test_the_best_foils_come_within_half_a_step(wanted: float) -> None:
    chosen = best_foils(wanted, "aluminum", FOILS_UM, 15.0)
    thickness = sum(t for t, is_in in zip(FOILS_UM, chosen, strict=True) if is_in)
    passed = foil_transmission("aluminum", thickness, 15.0)
    thinnest = foil_transmission("aluminum", 25.0, 15.0)
    assert thinnest <= passed / wanted <= 1.0 / thinnest


def test_currents_have_the_size_of_real_ones() -> None:
    # 1e11 photons of 15 keV a second: some 0.1 µA in 10 cm of nitrogen, some 30 µA in silicon
    assert 0.05e-6 < ion_chamber_current_a(1e11, 15.0) < 0.2e-6
    per_photon = 15e3 / 3.66 * 1.602e-19 * 0.514
    assert diode_current_a(1e11, 15.0) == pytest.approx(1e11 * per_photon, rel=0.01)


def test_a_mask_absorbs_by_the_energy() -> None:
    sample = SampleDescription(shape="edge", material="tungsten", thickness_um=20.0)
    passed = [float(sample_transmission(1.0, 1.0, energy, sample)) for energy in (7.5, 9.9, 10.5)]
    for energy, value in zip((7.5, 9.9, 10.5), passed, strict=True):
        assert value == pytest.approx(foil_transmission("tungsten", 20.0, energy), rel=1e-6)
    # the L3 edge of tungsten is at 10.207 keV
    assert passed[0] < passed[1]
    assert passed[2] < passed[1]
    assert sample_transmission(-1.0, 1.0, 7.5, sample) == 1.0
    assert sample_transmission(1.0, -1.0, 7.5, sample) == 1.0


@pytest.mark.parametrize("shape", ["spokes", "disc", "edge", "slit"])
def test_shapes_are_in_the_signal_half_only(shape: str) -> None:
    grid = np.linspace(-12, 12, 49) + 0.01
    x, y = np.meshgrid(grid, grid)
    thickness = sample_thickness_um(x, y, SampleDescription(shape=shape))
    assert 0.02 < np.mean(thickness[y > 0.0] > 0.0) < 0.98
    assert not thickness[y < 0.0].any()
    assert not sample_thickness_um(x, y, SampleDescription(shape="none")).any()


def test_a_picture_is_a_mask(tmp_path: Path) -> None:
    picture = np.ones((20, 40))
    picture[:10, :20] = 0.0  # black in the upper left quarter
    np.save(tmp_path / "mask.npy", picture)
    assert read_picture(tmp_path / "mask.npy").sum() == 200
    sample = SampleDescription(shape="image", image=tmp_path / "mask.npy", width_mm=4.0)
    thickness = sample_thickness_um([-1.0, 1.0, -1.0, -3.0, -1.0], [1.5, 1.5, 0.5, 1.5, -1], sample)
    assert list(thickness > 0.0) == [True, False, False, False, False]


def test_what_is_no_picture_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_text("no picture")
    with pytest.raises(RecipeError, match=r"mask\.png: no picture"):
        read_picture(tmp_path / "mask.png")
    with pytest.raises(ValueError, match="a picture goes with shape 'image'"):
        SampleDescription(shape="image")


def test_the_ring_decays_and_is_topped_up() -> None:
    ring = StorageRing(RingDescription())
    currents = []
    for _ in range(600):
        ring.advance(1.0)
        currents.append(ring.current_ma)
    assert max(currents) == 400.0
    assert 397.5 < min(currents) < 399.0  # 120 s of 6.7 h
    assert ring.mode == "Operations"


def test_a_dump_takes_the_beam_and_it_comes_back() -> None:
    ring = StorageRing(RingDescription(dump_s=30.0, fill_ma_s=40.0))
    ring.dump()
    assert (ring.current_ma, ring.mode) == (0.0, "Beam dump")
    ring.advance(29.0)
    assert ring.current_ma == 0.0
    ring.advance(2.0)
    assert ring.mode == "Injecting"
    ring.advance(5.0)
    assert ring.current_ma == pytest.approx(200.0)
    ring.advance(6.0)
    assert (ring.current_ma, ring.mode) == (400.0, "Operations")


def test_a_dump_can_last_until_somebody_fills_the_ring() -> None:
    ring = StorageRing(RingDescription(dump_s=0.0))
    ring.dump()
    ring.advance(1e5)
    assert ring.dumped
    ring.refill()
    ring.advance(100.0)
    assert ring.current_ma == 400.0


def test_travel_speeds_up_and_slows_down() -> None:
    way = Travel(start=1.0, stop=3.0, speed=1.0, ramp_s=0.5)
    assert way.lasts_s == pytest.approx(2.5)
    assert way.position(0.0) == 1.0
    assert way.position(0.5) == pytest.approx(1.25)
    assert way.position(1.25) == pytest.approx(2.0)
    assert way.position(2.5) == 3.0
    times = np.linspace(0.0, 2.5, 100)
    positions = [way.position(t) for t in times]
    assert all(np.diff(positions) >= 0.0)
    speeds = np.diff(positions) / np.diff(times)
    assert speeds.max() == pytest.approx(1.0, rel=1e-3)


def test_a_short_way_never_gets_to_full_speed_and_a_ceiling_holds() -> None:
    way = Travel(start=0.0, stop=-0.1, speed=1.0, ramp_s=1.0)
    assert way.lasts_s == pytest.approx(2.0 * math.sqrt(0.1))
    assert way.position(way.lasts_s / 2) == pytest.approx(-0.05)
    quick = Travel(start=0.0, stop=100.0, speed=1.0, ramp_s=0.1, longest_s=0.3)
    assert quick.lasts_s == 0.3
    assert quick.position(0.15) == pytest.approx(50.0)


def test_the_packaged_beamline_has_all_axes_and_errors_name_the_key(tmp_path: Path) -> None:
    site = load_beamline()
    assert site.motors["theta"].pv == "ES{Gon-Ax:Th}Mtr"
    text = (Path(load_beamline.__code__.co_filename).with_name("chx.yaml")).read_text()
    for wrong, found, message in (
        ("home: 9", "homes: 9", r"unknown key 'motors.energy.homes' .*did you mean 'home'"),
        ("start: 23.152", "start: 99", r"start 99 is not within the limits -5 to 60"),
        ("chi:\n", "kai:\n", r"motors lacks chi"),
        ("alias: Gon-x", "alias: Gon-y", r"same name: Gon-y"),
        ("shape: spokes", "shape: stars", r"sample.shape"),
    ):
        assert wrong in text
        path = tmp_path / "site.yaml"
        path.write_text(text.replace(wrong, found, 1))
        with pytest.raises(RecipeError, match=message):
            load_beamline(path)
    with pytest.raises(RecipeError, match="no-such-file"):
        load_beamline(tmp_path / "no-such-file.yaml")

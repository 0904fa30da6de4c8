"""Calibration plans find what the simulated experiment was made with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pure_beamline import BRAGG_DEG, walk
from raw_beamline import RawBeamline

from twinbeam import plans
from twinbeam.errors import BeamlineError
from twinbeam.pipeline import Recipe

PAIRS = {"pair_rate_hz": 2000.0, "background_rate_hz": 500.0, "sample": "none"}
ANGLES = {"bragg_deg": BRAGG_DEG, "seconds": 2.0}


def at(bench: RawBeamline, detuning_deg: float = 0.040) -> RawBeamline:
    """The beamline with theta detuned."""
    bench.world.theta_deg = BRAGG_DEG + detuning_deg
    return bench


def test_a_quick_look_sees_the_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench = at(RawBeamline(tmp_path, **PAIRS))
    result, _ = walk(plans.count_pairs(bench.detector, bench.shutter, **ANGLES))
    live = result.numbers
    assert live.significance > 10.0
    assert live.detuning_deg == pytest.approx(0.040, abs=5 * live.detuning_err_deg)
    assert result.ring_radius_px == pytest.approx(210.5, abs=2.0)
    assert result.seconds_to_five_sigma < live.seconds
    assert bench.experiment is not None
    assert 0.2 < live.net / len(bench.experiment.truth()) < 1.0
    assert "Pairs are seen." in capsys.readouterr().err
    assert bench.is_safe()


def test_without_beam_there_are_no_pairs(tmp_path: Path) -> None:
    bench = at(RawBeamline(tmp_path, **PAIRS))
    bench.world.flux = 0.0
    result, _ = walk(plans.count_pairs(bench.detector, bench.shutter, **ANGLES))
    assert result.numbers.net == 0
    assert "No clear pairs" in str(result)
    assert "does theta stand at the detuning" in str(result)
    with pytest.raises(Exception, match="net pairs"):
        walk(plans.find_center(bench.detector, bench.shutter, **ANGLES))
    assert bench.is_safe()


@pytest.mark.parametrize(
    ("name", "more"), [("find_hot_pixels", {}), ("classical_image", {"photons": 10})]
)
def test_every_run_of_the_detector_names_its_recipe(
    tmp_path: Path, name: str, more: dict[str, Any]
) -> None:
    bench = RawBeamline(tmp_path)
    recipe = {"geometry": {"distance_m": 0.52, "centre_px": [250.0, 260.0]}}
    plan = getattr(plans, name)(bench.detector, bench.shutter, recipe_md=recipe, **more)
    (start,) = [message.kwargs for message in plan if message.command == "open_run"]
    assert start["recipe_hash"] == Recipe.from_mapping(recipe, where="test").hash
    assert start["geometry"] == start["recipe"]["geometry"]
    told = {"Epump": 15.0, "dd": 52.0, "x_cen": 250.0, "y_cen": 260.0}
    assert told.items() <= start.items()
    assert "theta" not in start, "nobody said where it stands"


def test_the_centre_of_the_ring_is_found(tmp_path: Path) -> None:
    bench = at(RawBeamline(tmp_path, centre_px=(259.3, 256.1), **PAIRS))
    save = str(tmp_path / "recipe.yaml")
    result, _ = walk(plans.find_center(bench.detector, bench.shutter, save=save, **ANGLES))
    for found, error, true in zip(
        result.centre.centre_px, result.centre.errors_px, (259.3, 256.1), strict=True
    ):
        assert found == pytest.approx(true, abs=max(5.0 * error, 0.05))
        assert error < 0.2
    assert Recipe.load(save).geometry.centre_px == pytest.approx(result.centre.centre_px)
    assert "x_cen" in str(result)


def test_the_distance_is_found_whatever_the_bragg_angle_is_off(tmp_path: Path) -> None:
    bench = RawBeamline(tmp_path, distance_m=0.510, **PAIRS)
    plan = plans.distance_from_rings(
        bench.detector,
        bench.shutter,
        bench.theta,
        bragg_deg=BRAGG_DEG - 0.001,
        detunings_deg=[0.020, 0.040],
        seconds=2.0,
    )
    result, _ = walk(plan)
    assert result.distance_m == pytest.approx(0.510, abs=4.0 * result.error_m)
    assert result.error_m < 0.005
    assert result.recipe.geometry.distance_m == result.distance_m
    assert "cm" in str(result)
    assert "the recipe has no beam stop" in str(result)
    assert bench.is_safe()


def test_a_beam_stop_that_the_recipe_knows_does_not_falsify_the_distance(tmp_path: Path) -> None:
    bench = RawBeamline(tmp_path, beam_stop_px=105.0, **PAIRS)
    plan = plans.distance_from_rings(
        bench.detector,
        bench.shutter,
        bench.theta,
        bragg_deg=BRAGG_DEG,
        detunings_deg=[0.020, 0.040],
        seconds=3.0,
        recipe_md={"geometry": {"beam_stop_half_px": 105.0}},
    )
    result, _ = walk(plan)
    assert result.distance_m == pytest.approx(0.494, abs=4.0 * result.error_m)
    assert result.offset_deg == pytest.approx(0.0, abs=4.0 * result.offset_err_deg)
    assert "beware" not in str(result)


def test_the_response_is_found_from_known_energies(tmp_path: Path) -> None:
    bench = at(RawBeamline(tmp_path, pair_rate_hz=0.0, background_rate_hz=4e4, sample="none"))
    plan = plans.calibrate_tot(
        bench.detector,
        bench.energy,
        bench.shutter,
        energies_kev=[6.0, 7.0, 8.5, 10.0, 12.0, 15.0],
        seconds=1.0,
    )
    result, _ = walk(plan)
    curve = result.calibration.curve
    true_ns = true_tot_ns(np.array([7.0, 9.0, 13.0]))
    error_ns = curve.tot_error_ns(np.array([7.0, 9.0, 13.0]))
    assert np.all(np.abs(curve.tot_ns(np.array([7.0, 9.0, 13.0])) - true_ns) < 5 * error_ns + 4.0)
    assert result.recipe.response.a_ns_per_kev == pytest.approx(curve.values[0])
    assert bench.energy.position == 15.0  # put back
    assert bench.is_safe()


def true_tot_ns(energy_kev: np.ndarray) -> np.ndarray:
    """ToT in ns of the simulated pixels."""
    return 25.77 * energy_kev + 170.0 - 150.0 / (energy_kev - 2.0)


def test_timewalk_is_found_from_shared_photons(tmp_path: Path) -> None:
    bench = at(RawBeamline(tmp_path, pair_rate_hz=0.0, background_rate_hz=1e5, sample="none"))
    result, _ = walk(plans.calibrate_timewalk(bench.detector, bench.shutter, seconds=1.0))
    fit = result.calibration.exponential
    for found, error, true in zip(fit.values, fit.errors, (167.0, 0.016), strict=True):
        assert found == pytest.approx(true, abs=max(5.0 * error, 0.05 * true))
    assert "Timewalk =" in str(result)


def test_hot_pixels_are_those_that_fire_in_the_dark(tmp_path: Path) -> None:
    bench = RawBeamline(tmp_path, hot={"count": 12, "rate_hz": 200.0})
    bench.world.is_open = True
    save = str(tmp_path / "pixels.npz")
    plan = plans.find_hot_pixels(bench.detector, bench.shutter, seconds=2.0, save=save)
    result, _ = walk(plan)
    assert bench.experiment is not None
    assert set(result.pixels) == {(int(x), int(y)) for x, y in bench.experiment.hot_pixels}
    assert result.rates_hz[0] == pytest.approx(200.0, rel=0.4)
    assert result.left_hz < 100.0
    assert np.load(save)["reason"].sum() == 12 * 2  # PixelReason.HOT
    assert bench.is_safe()
    masked = str(tmp_path / "masked.npz")  # by hand
    np.savez(masked, reason=np.minimum(np.load(save)["reason"], 1))
    recipe = {"geometry": {"pixels": masked}}
    bench.detector._acquisitions = 0  # the same pixels are hot
    bench.detector.raw_template.put("")
    plan = plans.find_hot_pixels(bench.detector, bench.shutter, seconds=2.0, recipe_md=recipe)
    again, _ = walk(plan)
    assert (again.pixels, again.hits > 4000) == ((), True)
    assert again.left_hz < 100.0, "not those that nobody uses"


def test_the_lowest_quiet_threshold_is_found_and_the_old_one_put_back(tmp_path: Path) -> None:
    bench = RawBeamline(tmp_path)
    plan = plans.threshold_scan(
        bench.detector,
        bench.threshold,
        bench.shutter,
        thresholds=[4.0, 1.5, 2.0, 2.5],
        seconds=1.0,
    )
    result, _ = walk(plan)
    assert result.thresholds == (1.5, 2.0, 2.5, 4.0)
    assert result.best == 2.5
    assert result.noisy_pixels[0] > 150 > result.noisy_pixels[2]
    assert bench.threshold.position == 3.0
    assert "Lowest quiet threshold: 2.5" in str(result)


def test_a_classical_image_has_as_many_photons_as_asked(tmp_path: Path) -> None:
    bench = at(RawBeamline(tmp_path, pair_rate_hz=0.0))
    save = str(tmp_path / "image.npy")
    plan = plans.classical_image(
        bench.detector, bench.shutter, photons=3000, seconds=1.0, save=save
    )
    result, _ = walk(plan)
    assert result.photons == result.image.sum() == np.load(save).sum() == 3000
    assert result.image.shape == (514, 514)
    assert 0.0 < result.seconds < 1.0
    # the sample shadows half of the sensor in part
    lower, upper = result.image[:257].sum(), result.image[257:].sum()
    assert abs(int(lower) - int(upper)) > 5 * np.sqrt(3000)
    more, _ = walk(plans.classical_image(bench.detector, bench.shutter, photons=10**6, seconds=1.0))
    assert more.photons < 10**6
    assert "expose longer" in str(more)


@pytest.mark.parametrize(
    "make",
    [
        lambda b, **a: plans.find_hot_pixels(b.detector, b.shutter, seconds=0.01, **a),
        lambda b, **a: plans.calibrate_tot(
            b.detector, b.energy, b.shutter, energies_kev=[8.0, 12.0], seconds=0.01, **a
        ),
        lambda b, **a: plans.distance_from_rings(
            b.detector, b.shutter, b.theta, bragg_deg=BRAGG_DEG, seconds=0.01, **a
        ),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_moves(make: Any, tmp_path: Path) -> None:
    bench = RawBeamline(tmp_path)
    with pytest.raises(BeamlineError, match="cannot be written"):
        next(make(bench, save=str(tmp_path / "nowhere" / "recipe.txt")))

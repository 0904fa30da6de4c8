"""Arguments are checked before a plan says anything, and have types that programs can read."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pure_beamline import PureBeamline

from twinbeam import plans
from twinbeam.devices import TimePix3Detector
from twinbeam.errors import BeamlineError, TwinbeamError
from twinbeam.pipeline import Recipe


def _touched(_: object) -> None:
    raise AssertionError("nothing is asked of a device before the arguments are known to be good")


_USED = (
    "set stage trigger num_frames frame_time_s count_time intensity user_readback status current"
    " read name"
)
NOBODY: Any = type("Nobody", (), {name: property(_touched) for name in _USED.split()})()


@pytest.mark.parametrize(
    ("plan", "complaint"),
    [
        (lambda: plans.find_bragg(NOBODY, NOBODY, centre_deg=float("nan")), "centre_deg"),
        (lambda: plans.find_bragg(NOBODY, NOBODY, span_deg=0.0), "span_deg"),
        (lambda: plans.find_bragg(NOBODY, NOBODY, fwhm_mdeg=-1.0), "fwhm_mdeg"),
        (lambda: plans.find_bragg(NOBODY, NOBODY, count_s=0.0), "count_s"),
        (lambda: plans.rocking_curve(NOBODY, NOBODY, centre_deg=11.5, num=5), "num"),
        (lambda: plans.rocking_curve(NOBODY, NOBODY, centre_deg="high"), "centre_deg"),
        (lambda: plans.set_detuning(NOBODY, 11.576, 40.0), "not in millidegrees"),
        (lambda: plans.approach(NOBODY, 11.5, backlash_deg=-0.1), "backlash_deg"),
        (lambda: plans.collect_pairs(NOBODY, NOBODY, seconds=-1, bragg_deg=11.5), "seconds"),
        (lambda: plans.collect_pairs(NOBODY, NOBODY, seconds="x", bragg_deg=11.5), "seconds"),
        (
            lambda: plans.collect_pairs(NOBODY, NOBODY, seconds=9, frame_s=11, bragg_deg=11.5),
            "frame_s",
        ),
        (
            lambda: plans.collect_pairs(NOBODY, NOBODY, seconds=9, bragg_deg=11.5, detuning_deg=2),
            "detuning_deg",
        ),
        (
            lambda: plans.collect_pairs(
                NOBODY, NOBODY, seconds=9, bragg_deg=11.5, recipe_md={"a": {1, 2}}
            ),
            "recipe_md",
        ),
        (
            lambda: plans.collect_pairs(
                NOBODY, NOBODY, seconds=9, bragg_deg=11.5, md={"x": float("nan")}
            ),
            "md",
        ),
        (lambda: plans.rocking_curve(NOBODY, NOBODY, centre_deg=11.5, num=9.5), "whole number"),
        (
            lambda: plans.collect_pairs(NOBODY, NOBODY, seconds=9, bragg_deg=11.5, recheck_s=5),
            "needs theta and monitor",
        ),
        (lambda: plans.count_pairs(NOBODY, NOBODY, bragg_deg=11.5, frame_s=11), "frame_s"),
        (
            lambda: plans.detuning_scan(
                NOBODY, NOBODY, NOBODY, results=NOBODY, bragg_deg=11.5, detunings_deg=[]
            ),
            "0 detunings",
        ),
        (
            lambda: plans.detuning_scan(
                NOBODY, NOBODY, NOBODY, results=NOBODY, bragg_deg=11.5, detunings_deg=[40.0]
            ),
            "degrees above",
        ),
        (
            lambda: plans.mosaic_map(
                NOBODY, NOBODY, NOBODY, NOBODY, bragg_deg=11.5, pattern="zigzag"
            ),
            "zigzag",
        ),
        (
            lambda: plans.mosaic_map(NOBODY, NOBODY, NOBODY, NOBODY, bragg_deg=11.5, pitch=1e-4),
            "10000 places",
        ),
        (
            lambda: plans.calibrate_tot(NOBODY, NOBODY, NOBODY, energies_kev=[8.0]),
            "at least two",
        ),
        (
            lambda: plans.distance_from_rings(
                NOBODY, NOBODY, NOBODY, bragg_deg=11.5, detunings_deg=[0.04]
            ),
            "one ring",
        ),
        (lambda: plans.threshold_scan(NOBODY, NOBODY, NOBODY, thresholds=[]), "no thresholds"),
        (lambda: plans.classical_image(NOBODY, NOBODY, photons=0), "photons"),
    ],
)
def test_a_bad_argument_is_named_before_any_message(
    plan: Callable[[], Any], complaint: str
) -> None:
    with pytest.raises(BeamlineError, match=complaint):
        next(plan())


BENCH: Any = PureBeamline()
AT = {"bragg_deg": 11.576}


@pytest.mark.parametrize(
    ("plan", "complaint"),
    [
        (lambda b: plans.find_bragg(b.theta, b.monitor), "monitor must be an intensity monitor,"
         r" got theta \(PureMotor\)"),
        (lambda b: plans.find_bragg(b.monitor, "theta"), "theta must be a motor, got 'theta'"),
        (lambda b: plans.find_bragg(b.monitor, b.theta, shutter=b.theta), "shutter must be a sh"),
        (lambda b: plans.mosaic_map(b.monitor, b.theta, None, b.y, **AT), "x must be something"),
        (lambda b: plans.count_pairs(b.shutter, b.detector, **AT), "detector must be a Timepix3"),
        (lambda b: plans.count_pairs(b.detector, None, **AT), "shutter must be a shutter, got Non"),
        (lambda b: plans.count_pairs(b.detector, b.shutter, bragg_deg=None), "must be a number"),
        (lambda b: plans.count_pairs(b.detector, b.shutter, **AT, seconds="10"), "got '10'"),
        (lambda b: plans.count_pairs(b.detector, b.shutter, **AT, seconds=True), "got True"),
        (lambda b: plans.count_pairs(b.detector, b.shutter, **AT, detuning_deg=40), "millideg"),
        (lambda b: plans.find_center(b.detector, b.shutter, **AT, detuning_deg=-1.0), "detuning"),
        (lambda b: plans.count_pairs(b.detector, b.shutter, **AT, md="mask"), "md must be a map"),
        (lambda b: plans.find_hot_pixels(b.detector, b.shutter, recipe_md=Recipe()), "as_dict"),
        (lambda b: plans.find_hot_pixels(b.detector, b.shutter, save=1), "save must be a text"),
        (lambda b: plans.calibrate_tot(b.detector, b.x, b.shutter, energies_kev=8.0), "several n"),
        (lambda b: plans.detuning_scan(b.detector, b.shutter, b.theta, results=len, **AT,
                                       detunings_deg=(0.04, None)), r"several numbers such as"),
        (lambda b: plans.threshold_scan(b.detector, b.x, b.shutter, thresholds=iter([1.0])), "sev"),
        (lambda b: plans.collect_pairs(b.detector, b.shutter, seconds=5, **AT, ring=b.monitor),
         "ring must be the ring current, got monitor"),
        (lambda b: plans.collect_pairs(b.detector, b.shutter, seconds=5, **AT, conditions=[1]),
         "conditions must be several, each something that can be read"),
        (lambda b: plans.find_bragg(b.monitor, b.theta, span=0.1), "did you mean span_deg"),
        (lambda b: plans.find_bragg(b.monitor), "missing a required argument: 'theta'"),
        (lambda b: plans.find_bragg(b.monitor, b.theta, fwhm_mdeg=0.003), "in millidegrees"),
        (lambda b: plans.count_pairs(b.detector, b.shutter, **AT, recipe_md={"geometry": None}),
         "geometry"),
    ],
)  # fmt: skip
def test_an_argument_of_another_kind_is_one_clear_line(
    plan: Callable[[Any], Any], complaint: str
) -> None:
    with pytest.raises(TwinbeamError, match=complaint) as told:
        next(plan(BENCH))
    assert len(str(told.value)) < 200
    assert BENCH.is_safe()


def test_a_summary_of_hours_is_short() -> None:
    """Without a RunEngine no frame comes; the acquisition is one all the same."""
    plan = plans.collect_pairs(
        BENCH.detector, BENCH.shutter, BENCH.theta, seconds=3600.0, bragg_deg=11.576
    )
    commands = [message.command for message in plan]
    assert commands.count("kickoff") == 1
    assert len(commands) < 60


def test_numbers_of_numpy_are_numbers() -> None:
    plan = plans.detuning_scan(
        BENCH.detector, BENCH.shutter, BENCH.theta, results=lambda _: None,
        bragg_deg=np.float32(11.576), detunings_deg=np.linspace(0.02, 0.04, 3),
    )  # fmt: skip
    assert next(plan).command == "checkpoint"
    plan.close()
    plan = plans.rocking_curve(BENCH.monitor, BENCH.theta, centre_deg=11.576, num=np.int64(21))
    assert next(plan).command == "stage"
    plan.close()


def test_annotations_are_types_not_words() -> None:
    parameters = inspect.signature(plans.collect_pairs).parameters
    assert parameters["seconds"].annotation is float
    assert parameters["detector"].annotation is TimePix3Detector
    for name in ("find_bragg", "rocking_curve", "set_detuning", "approach", "fly_frames"):
        signature = inspect.signature(getattr(plans, name))
        assert all(not isinstance(p.annotation, str) for p in signature.parameters.values())
        assert inspect.isgeneratorfunction(getattr(plans, name))


def test_metadata_has_the_keys_that_existing_notebooks_read() -> None:
    recipe = {
        "geometry": {
            "energy_kev": 15.0,
            "distance_m": 0.494,
            "centre_px": (258.0, 257.5),
            "bragg_deg": 11.5,
            "detuning_deg": 0.02,
        },
        "pairing": {"window_ns": 20.0},
    }
    metadata = plans.pair_metadata(recipe, 11.576, 0.0419662)
    recipe_hash = metadata.pop("recipe_hash")
    assert recipe_hash == Recipe.from_mapping(metadata["recipe"], where="test").hash
    assert metadata.pop("geometry") == metadata["recipe"]["geometry"]
    assert {key: metadata[key] for key in metadata if key != "recipe"} == {
        "Epump": 15.0,
        "dd": 49.4,
        "theta": 11.576,
        "del_theta": 0.0419662,
        "x_cen": 258.0,
        "y_cen": 257.5,
    }
    # the stored recipe holds the angles of this run; the one handed in is not touched
    assert metadata["recipe"]["geometry"]["bragg_deg"] == 11.576
    assert metadata["recipe"]["geometry"]["detuning_deg"] == 0.0419662
    assert metadata["recipe"]["pairing"]["window_ns"] == 20.0
    assert recipe["geometry"]["bragg_deg"] == 11.5


def test_metadata_without_a_recipe_name_the_default_one() -> None:
    """What is collected at night with default arguments must be readable by the notebooks, too."""
    metadata = plans.pair_metadata(None, 11.5, 0.03)
    assert {"Epump": 15.0, "dd": 49.4, "theta": 11.5, "del_theta": 0.03}.items() <= metadata.items()
    recipe = Recipe.from_mapping(metadata["recipe"], where="test")
    assert recipe.hash == metadata["recipe_hash"] != Recipe().hash
    assert (recipe.geometry.bragg_deg, recipe.geometry.detuning_deg) == (11.5, 0.03)

"""Arguments are checked before a plan says anything, and have types that programs can read."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from twinbeam import plans
from twinbeam.devices import TimePix3Detector
from twinbeam.errors import BeamlineError
from twinbeam.pipeline import Recipe

NOBODY: Any = object()  # a device that is touched would fail


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


def test_metadata_without_a_recipe_are_the_angles() -> None:
    assert plans.pair_metadata(None, 11.5, 0.04) == {"theta": 11.5, "del_theta": 0.04}

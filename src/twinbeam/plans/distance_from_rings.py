"""The distance from crystal to sensor, from rings at several detunings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from bluesky.utils import MsgGenerator
from numpy.typing import NDArray
from ophyd import EpicsMotor

from twinbeam.calibrate import DetuningCalibration, require_significant, revised
from twinbeam.devices import Shutter, TimePix3Detector
from twinbeam.errors import BeamlineError
from twinbeam.pipeline import Recipe
from twinbeam.plans._annotations import typed_signature
from twinbeam.plans._guards import check_angle, check_number, check_travel
from twinbeam.plans.exposures import check_exposure, check_save, expose, save_recipe, say_saved
from twinbeam.plans.find_center import ring_of_pairs
from twinbeam.plans.in_thread import in_thread
from twinbeam.plans.moves import BACKLASH_DEG, set_detuning
from twinbeam.plans.report import report, say, with_error
from twinbeam.plans.start_metadata import pair_metadata, recipe_of, start_document

__all__ = ["DistanceResult", "distance_from_rings"]


@dataclass(frozen=True)
class DistanceResult:
    """Distance and what it follows from.

    Attributes
    ----------
    detunings_deg
        What was set, in degrees.
    measured
        Pair detuning at each with the distance of the old recipe.
    distance_m, error_m
        Distance and its standard error, in metres.
    offset_deg, offset_err_deg
        Pair detuning at a set detuning of zero, in degrees: refraction (about -0.0014) and the
        error of the Bragg angle.
    recipe
        The recipe with this distance; None without a RunEngine.
    written
        What was written of it.
    """

    detunings_deg: tuple[float, ...]
    measured: tuple[DetuningCalibration, ...]
    distance_m: float
    error_m: float
    offset_deg: float
    offset_err_deg: float
    recipe: Recipe | None
    written: str = ""

    def __str__(self) -> str:
        stop_known = self.recipe is None or self.recipe.geometry.beam_stop_half_px > 0.0
        return report(
            "Distance from the rings; shutter closed.",
            [
                ("distance", with_error(100.0 * self.distance_m, 100.0 * self.error_m, "cm")),
                ("rings at", ", ".join(f"{each:.4f}" for each in self.detunings_deg) + " deg"),
                ("offset", with_error(1e3 * self.offset_deg, 1e3 * self.offset_err_deg, "mdeg")),
                ("recipe", self.written),
                (
                    "beware",
                    "" if stop_known else "the recipe has no beam stop; is there one? It",
                ),
                (
                    "",
                    ""
                    if stop_known
                    else "hides part of small rings: give geometry.beam_stop_half_px",
                ),
            ],
        )


@typed_signature
def distance_from_rings(
    detector: TimePix3Detector,
    shutter: Shutter,
    theta: EpicsMotor,
    *,
    bragg_deg: float,
    detunings_deg: Sequence[float] = (0.020, 0.030, 0.040),
    seconds: float = 120.0,
    frame_s: float = 1.0,
    pool_px: float = 25.0,
    recipe_md: Mapping[str, Any] | None = None,
    save: str | None = None,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[DistanceResult]:
    """Measure the pair detuning at several detunings and find the distance that fits the steps.

    A wrong distance L₀ makes every pair detuning wrong by the factor (L/L₀)². One ring cannot tell
    that from a wrong Bragg angle or from refraction, which add to all of them alike; the *steps*
    between rings, which the goniometer knows exactly, can.

    The recipe must know the beam stop, `geometry.beam_stop_half_px`: small rings lose pairs behind
    it, which makes the distance too short by half a percent if nobody says so.

    Parameters
    ----------
    detector
        The Timepix3.
    shutter
        Open during the exposures only.
    theta
        Rotation of the crystal; stays at the last detuning.
    bragg_deg
        Measured Bragg angle, in degrees.
    detunings_deg
        At least two detunings, in degrees.
    seconds
        Exposure at each, in seconds, rounded up to whole frames.
    frame_s
        Exposure of one frame, in seconds; at most 10.
    pool_px
        How far off in pixels the recipe's centre may be.
    recipe_md
        Plain values of the recipe to start from; the default recipe when left out.
    save
        Path of a YAML file for the recipe with the new distance.
    md
        More metadata of the runs.

    Returns
    -------
    DistanceResult
        Distance with its error, and the new recipe.

    Raises
    ------
    BeamlineError, RecipeError
        If an argument is out of bounds (before anything moves), the beamline fails, or there are
        too few pairs.
    """
    here = "distance_from_rings"
    frames = check_exposure(here, seconds, frame_s)
    check_angle(here, "bragg_deg", bragg_deg, 90.0)
    check_number(here, "pool_px", pool_px, 1.0, 200.0)
    check_save(here, save)
    wanted = sorted({float(each) for each in detunings_deg})
    if len(wanted) < 2:
        raise BeamlineError("one ring does not tell the distance", where=here, hint="give two")
    for each in wanted:
        check_number(here, "detunings_deg", each, 0.0, 1.0, hint="degrees above the Bragg angle")
        check_travel(here, theta, bragg_deg + each - BACKLASH_DEG, bragg_deg + each)
    measured: list[DetuningCalibration] = []
    recipe = recipe_of(recipe_md, here, bragg_deg=bragg_deg, detuning_deg=wanted[-1])
    for each in wanted:
        recipe = recipe_of(recipe.as_dict(), here, bragg_deg=bragg_deg, detuning_deg=each)
        metadata = pair_metadata(recipe.as_dict(), bragg_deg, each, plan=here)
        arguments = {"detuning_deg": each, "seconds": seconds, "frame_s": frame_s}
        start = start_document(
            here, arguments, detectors=[detector], md={**metadata, **(md or {})}, num_points=1
        )
        yield from set_detuning(theta, bragg_deg, each)
        _, taken = yield from expose(
            here,
            detector,
            start,
            frames=frames,
            frame_s=frame_s,
            shutter=shutter,
            others=[theta],
        )
        if not taken:
            continue
        work = partial(ring_of_pairs, taken[0].paths, recipe, pool_px)
        _, detuning, recipe = yield from in_thread(work)
        measured.append(detuning)
        told = with_error(detuning.detuning_deg, detuning.error_deg, "deg")
        say(
            f"  ring {len(measured)} of {len(wanted)}, set to {each:.4f} deg: pair detuning {told},"
            f" {detuning.n_net:.0f} pairs"
        )
    if not measured:
        return DistanceResult(tuple(wanted), (), math.nan, math.nan, math.nan, math.nan, None)
    slope, slope_err, offset, offset_err = _line(np.array(wanted), measured)
    require_significant("distance", slope, slope_err, least_sigmas=10.0)
    old_m = recipe.geometry.distance_m
    distance_m = old_m * math.sqrt(slope)
    new = revised(recipe, "geometry", distance_m=distance_m)
    result = DistanceResult(
        detunings_deg=tuple(wanted),
        measured=tuple(measured),
        distance_m=distance_m,
        error_m=0.5 * distance_m * slope_err / slope,
        offset_deg=offset / slope,  # measured with the old distance
        offset_err_deg=offset_err / slope,
        recipe=new,
    )
    return say_saved(result, "written", lambda: save_recipe(new, save))


def _line(
    set_deg: NDArray[np.float64], measured: Sequence[DetuningCalibration]
) -> tuple[float, float, float, float]:
    """Slope and offset of the measured detunings against those that were set, with errors."""
    value = np.array([each.detuning_deg for each in measured])
    error = np.array([each.error_deg for each in measured])
    matrix = np.stack((set_deg, np.ones_like(set_deg)), axis=1) / error[:, None]
    covariance = np.linalg.inv(matrix.T @ matrix)
    best = covariance @ (matrix.T @ (value / error))
    residual = (value / error) - matrix @ best
    scatter = max(1.0, float(residual @ residual) / max(value.size - 2, 1))
    errors = np.sqrt(np.diag(covariance) * scatter)
    return float(best[0]), float(errors[0]), float(best[1]), float(errors[1])

"""The centre of the ring, from pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluesky.utils import MsgGenerator

from twinbeam.calibrate import (
    CentreCalibration,
    DetuningCalibration,
    calibrate_detuning,
    centre_by_lines,
    find_candidates,
)
from twinbeam.devices import Shutter, TimePix3Detector
from twinbeam.pipeline import Recipe
from twinbeam.plans._annotations import typed_signature
from twinbeam.plans._guards import check_angle, check_number
from twinbeam.plans.exposures import check_exposure, check_save, expose, save_recipe, say_saved
from twinbeam.plans.in_thread import in_thread
from twinbeam.plans.report import report, with_error
from twinbeam.plans.start_metadata import pair_metadata, recipe_of, start_document

__all__ = ["CenterResult", "find_center", "ring_of_pairs"]


@dataclass(frozen=True)
class CenterResult:
    """Axis of the ring and pair detuning.

    Attributes
    ----------
    run_uid
        Of the run's start document.
    centre, detuning
        The calibrations; None without a RunEngine.
    recipe
        The recipe with this centre; None without a RunEngine.
    written
        What was written of it.
    """

    run_uid: str
    centre: CentreCalibration | None
    detuning: DetuningCalibration | None
    recipe: Recipe | None
    written: str = ""

    def __str__(self) -> str:
        if self.centre is None or self.detuning is None:
            return "Centre of the ring: no data."
        (x, y), (ex, ey) = self.centre.centre_px, self.centre.errors_px
        return report(
            "Centre of the ring found; shutter closed.",
            [
                ("x_cen", with_error(x, ex, "px")),
                ("y_cen", with_error(y, ey, "px")),
                ("pairs", f"{self.centre.n_net:.0f} net"),
                (
                    "pair detuning",
                    with_error(self.detuning.detuning_deg, self.detuning.error_deg, "deg"),
                ),
                ("recipe", self.written),
            ],
        )


def ring_of_pairs(
    paths: tuple[Path, ...], recipe: Recipe, pool_px: float
) -> tuple[CentreCalibration, DetuningCalibration, Recipe]:
    """Centre and pair detuning of raw files, and the recipe with that centre.

    Raises
    ------
    RecipeError
        If there are too few pairs.
    """
    found = find_candidates(paths, recipe, pool_px=pool_px)
    replicas = found.estimate.replicas
    centre = centre_by_lines(found.pairs, replicas, recipe.geometry.centre_px, pool_px)
    centred = centre.apply(recipe)
    found = find_candidates(paths, centred, pool_px=4.0 * centre.dp_cut_px)
    nominal = recipe.geometry.detuning_deg
    between = (0.25 * nominal, 2.0 * nominal)
    return centre, calibrate_detuning(found.pairs, replicas, between, centred.geometry), centred


@typed_signature
def find_center(
    detector: TimePix3Detector,
    shutter: Shutter,
    *,
    bragg_deg: float,
    detuning_deg: float = 0.040,
    seconds: float = 120.0,
    frame_s: float = 1.0,
    pool_px: float = 25.0,
    recipe_md: Mapping[str, Any] | None = None,
    save: str | None = None,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[CenterResult]:
    """Collect pairs and find the point that the lines between their photons meet in.

    Nothing is moved. A few hundred pairs give a tenth of a pixel.

    Parameters
    ----------
    detector
        The Timepix3.
    shutter
        Opened for the exposure only.
    bragg_deg, detuning_deg
        Where theta stands: measured Bragg angle, and detuning from it, in degrees.
    seconds
        Exposure in seconds, rounded up to whole frames.
    frame_s
        Exposure of one frame, in seconds; at most 10.
    pool_px
        How far off in pixels the recipe's centre may be.
    recipe_md
        Plain values of the recipe to start from; the default recipe when left out.
    save
        Path of a YAML file for the recipe with the new centre.
    md
        More metadata of the run.

    Returns
    -------
    CenterResult
        Centre and pair detuning with their errors, and the new recipe.

    Raises
    ------
    BeamlineError, RecipeError
        If an argument is out of bounds, the beamline fails, or there are too few pairs.
    """
    here = "find_center"
    frames = check_exposure(here, seconds, frame_s)
    check_angle(here, "bragg_deg", bragg_deg, 90.0)
    check_number(
        here, "detuning_deg", detuning_deg, 0.0, 1.0, hint="in degrees, not in millidegrees"
    )
    check_number(here, "pool_px", pool_px, 1.0, 200.0)
    check_save(here, save)
    recipe = recipe_of(recipe_md, here, bragg_deg=bragg_deg, detuning_deg=detuning_deg)
    metadata = pair_metadata(recipe.as_dict(), bragg_deg, detuning_deg, plan=here)
    arguments = {"seconds": seconds, "frame_s": frame_s, "pool_px": pool_px}
    start = start_document(
        here, arguments, detectors=[detector], md={**metadata, **(md or {})}, num_points=1
    )
    run, taken = yield from expose(
        here, detector, start, frames=frames, frame_s=frame_s, shutter=shutter
    )
    if not taken:
        return CenterResult(run, None, None, None)
    found = yield from in_thread(lambda: ring_of_pairs(taken[0].paths, recipe, pool_px))
    result = CenterResult(run, *found)
    return say_saved(result, "written", lambda: save_recipe(found[2], save))

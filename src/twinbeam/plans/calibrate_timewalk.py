"""Timewalk, from photons shared between two pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluesky.utils import MsgGenerator

from twinbeam import calibrate
from twinbeam.calibrate import WalkCalibration, hit_offsets_ticks, read_clusters, walk_cells
from twinbeam.devices import Shutter, TimePix3Detector
from twinbeam.pipeline import Recipe
from twinbeam.plans._annotations import typed_signature
from twinbeam.plans.exposures import check_exposure, check_save, expose, save_recipe, say_saved
from twinbeam.plans.in_thread import in_thread
from twinbeam.plans.report import report, with_error
from twinbeam.plans.start_metadata import recipe_metadata, recipe_of, start_document

__all__ = ["TimewalkResult", "calibrate_timewalk"]


@dataclass(frozen=True)
class TimewalkResult:
    """Timewalk of the pixels.

    Attributes
    ----------
    run_uid
        Of the run's start document.
    calibration
        Both forms of the timewalk; None without a RunEngine.
    recipe
        The recipe with the better one; None without a RunEngine.
    written
        What was written of it.
    """

    run_uid: str
    calibration: WalkCalibration | None
    recipe: Recipe | None
    written: str = ""

    def __str__(self) -> str:
        if self.calibration is None:
            return "Timewalk: no data."
        best = self.calibration.best
        exponential = best.form == "exponential"
        units = ("ns", "1/ns") if exponential else ("ns keV", "keV")
        names = ("B", "k") if exponential else ("c", "t")
        formula = "B exp(-k ToT)" if exponential else "c / (E - t)"
        values = zip(names, best.values, best.errors, units, strict=True)
        return report(
            f"Timewalk = {formula}; shutter closed.",
            [
                *((name, with_error(value, error, unit)) for name, value, error, unit in values),
                ("fit", f"chi2/ndf {best.chi2 / max(best.ndf, 1):.2f}, p {best.p_value:.2g}"),
                ("shared photons", str(self.calibration.cells.used)),
                ("recipe", self.written),
            ],
        )


@typed_signature
def calibrate_timewalk(
    detector: TimePix3Detector,
    shutter: Shutter,
    *,
    seconds: float = 60.0,
    frame_s: float = 1.0,
    recipe_md: Mapping[str, Any] | None = None,
    save: str | None = None,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[TimewalkResult]:
    """Expose to any light and fit the timewalk to photons that two pixels shared.

    Parameters
    ----------
    detector
        The Timepix3.
    shutter
        Opened for the exposure only.
    seconds
        Exposure in seconds, rounded up to whole frames.
    frame_s
        Exposure of one frame, in seconds; at most 10.
    recipe_md
        Plain values of the recipe to start from; the default recipe when left out.
    save
        Path of a YAML file for the recipe with the new timewalk.
    md
        More metadata of the run.

    Returns
    -------
    TimewalkResult
        Both forms with their errors, and the new recipe.

    Raises
    ------
    BeamlineError, RecipeError
        If an argument is out of bounds, the beamline fails, or the light was too little.
    """
    here = "calibrate_timewalk"
    frames = check_exposure(here, seconds, frame_s)
    check_save(here, save)
    recipe = recipe_of(recipe_md, here)
    arguments = {"seconds": seconds, "frame_s": frame_s}
    metadata = {**recipe_metadata(recipe), **(md or {})}
    start = start_document(here, arguments, detectors=[detector], md=metadata, num_points=1)
    run, taken = yield from expose(
        here, detector, start, frames=frames, frame_s=frame_s, shutter=shutter
    )
    if not taken:
        return TimewalkResult(run, None, None)
    found = yield from in_thread(lambda: _fit(taken[0].paths, recipe))
    new = found.apply(recipe)
    result = TimewalkResult(run, found, new)
    return say_saved(result, "written", lambda: save_recipe(new, save))


def _fit(paths: tuple[Path, ...], recipe: Recipe) -> WalkCalibration:
    clustered = read_clusters(paths, recipe)
    cells = walk_cells(clustered, hit_offsets_ticks(clustered.hits, recipe.response))
    return calibrate.calibrate_timewalk(cells, recipe.response)

"""ToT to energy, from scattered light of known energies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bluesky.protocols import NamedMovable
from bluesky.utils import MsgGenerator

from twinbeam.calibrate import EnergyCalibration, calibrate_energy, read_clusters
from twinbeam.devices import Shutter, TimePix3Detector
from twinbeam.errors import BeamlineError
from twinbeam.pipeline import Recipe
from twinbeam.plans._annotations import typed_signature
from twinbeam.plans._guards import check_number, check_travel
from twinbeam.plans.exposures import (
    Exposure,
    check_exposure,
    check_save,
    expose,
    save_recipe,
    say_saved,
)
from twinbeam.plans.in_thread import in_thread
from twinbeam.plans.report import report, with_error
from twinbeam.plans.start_metadata import recipe_metadata, recipe_of, start_document

__all__ = ["ToTResult", "calibrate_tot"]

ENERGIES_KEV = tuple(float(each) for each in np.arange(6.0, 15.01, 0.5))


@dataclass(frozen=True)
class ToTResult:
    """Response of the pixels.

    Attributes
    ----------
    run_uid
        Of the run's start document.
    calibration
        Peaks and curve; None without a RunEngine.
    recipe
        The recipe with this response; None without a RunEngine.
    written
        What was written of it.
    """

    run_uid: str
    calibration: EnergyCalibration | None
    recipe: Recipe | None
    written: str = ""

    def __str__(self) -> str:
        if self.calibration is None:
            return "ToT calibration: no data."
        curve = self.calibration.curve
        names = (("a", "ns/keV"), ("b", "ns"), ("c", "ns keV"), ("t", "keV"))
        missing = ", ".join(f"{each:g}" for each in self.calibration.missing_kev)
        return report(
            "ToT = a E + b - c / (E - t); shutter closed.",
            [
                *(
                    (name, with_error(value, error, unit))
                    for (name, unit), value, error in zip(
                        names, curve.values, curve.errors, strict=True
                    )
                ),
                ("energies", f"{len(self.calibration.energies_kev)} with a peak"),
                ("no peak at", f"{missing} keV" if missing else ""),
                ("photons", f"{self.calibration.n_used} in the peaks"),
                ("recipe", self.written),
            ],
        )


@typed_signature
def calibrate_tot(
    detector: TimePix3Detector,
    energy: NamedMovable,
    shutter: Shutter,
    *,
    energies_kev: Sequence[float] = ENERGIES_KEV,
    seconds: float = 30.0,
    frame_s: float = 1.0,
    threshold_kev: float = 3.0,
    kev_per_unit: float = 1.0,
    recipe_md: Mapping[str, Any] | None = None,
    save: str | None = None,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[ToTResult]:
    """Expose to scattered light at each energy and fit the response of the pixels.

    Parameters
    ----------
    detector
        The Timepix3.
    energy
        What sets the photon energy; put back in the end.
    shutter
        Open during the exposures only.
    energies_kev
        Energies in keV, at least two.
    seconds
        Exposure at each, in seconds, rounded up to whole frames.
    frame_s
        Exposure of one frame, in seconds; at most 10.
    threshold_kev
        Threshold of the pixels in keV.
    kev_per_unit
        Unit of the positioner in keV: 1 for keV, 0.001 for eV.
    recipe_md
        Plain values of the recipe to start from; the default recipe when left out.
    save
        Path of a YAML file for the recipe with the new response.
    md
        More metadata of the run.

    Returns
    -------
    ToTResult
        The response with its errors, and the new recipe.

    Raises
    ------
    BeamlineError, RecipeError
        If an argument is out of bounds (before anything moves), the beamline fails, or fewer than
        two energies show a peak.
    """
    here = "calibrate_tot"
    frames = check_exposure(here, seconds, frame_s)
    check_number(here, "threshold_kev", threshold_kev, 0.0, 50.0)
    check_number(here, "kev_per_unit", kev_per_unit, 0.0, 1e3)
    check_save(here, save)
    wanted = sorted({float(each) for each in energies_kev})
    if len(wanted) < 2:
        raise BeamlineError(f"{len(wanted)} energies", where=here, hint="at least two are needed")
    for each in wanted:
        check_number(here, "energies_kev", each, 1.0, 200.0, hint="in keV")
    positions = [each / kev_per_unit for each in wanted]
    check_travel(here, energy, *positions)
    recipe = recipe_of(recipe_md, here)
    arguments = {"energies_kev": wanted, "seconds": seconds, "frame_s": frame_s}
    metadata = recipe_metadata(recipe)
    del metadata["Epump"]  # it is what changes
    start = start_document(
        here,
        arguments,
        detectors=[detector],
        motors=[energy],
        dimensions=[energy.name],
        md={**metadata, **(md or {})},
        num_points=len(wanted),
    )
    run, taken = yield from expose(
        here,
        detector,
        start,
        frames=frames,
        frame_s=frame_s,
        shutter=shutter,
        motor=energy,
        positions=positions,
    )
    if not taken:
        return ToTResult(run, None, None)

    def work() -> EnergyCalibration:
        return _fit(taken, wanted, recipe, threshold_kev)

    found = yield from in_thread(work)
    new = found.apply(recipe)
    result = ToTResult(run, found, new)
    return say_saved(result, "written", lambda: save_recipe(new, save))


def _fit(
    taken: Sequence[Exposure], energies_kev: Sequence[float], recipe: Recipe, threshold_kev: float
) -> EnergyCalibration:
    exposures = {
        each: read_clusters(exposure.paths, recipe)
        for each, exposure in zip(energies_kev, taken, strict=True)
    }
    return calibrate_energy(exposures, threshold_kev=threshold_kev)

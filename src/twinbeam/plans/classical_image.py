"""The same object in ordinary scattered light, with the same number of photons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bluesky.utils import MsgGenerator
from numpy.typing import NDArray

from twinbeam.devices import Shutter, TimePix3Detector
from twinbeam.errors import StorageError
from twinbeam.pipeline import Recipe, read_photons
from twinbeam.plans._annotations import typed_signature
from twinbeam.plans._guards import check_number, check_whole
from twinbeam.plans.exposures import check_exposure, check_save, expose, say_saved
from twinbeam.plans.in_thread import in_thread
from twinbeam.plans.report import report
from twinbeam.plans.start_metadata import recipe_metadata, recipe_of, start_document
from twinbeam.tpx3 import TICK_NS

__all__ = ["ClassicalImage", "classical_image"]


@dataclass(frozen=True, eq=False)
class ClassicalImage:
    """Image of elastically scattered photons.

    Attributes
    ----------
    run_uid
        Of the run's start document.
    image
        Photons in each pixel of the 514 grid, [y, x]; empty without a RunEngine.
    photons
        Photons in it.
    wanted
        Photons that were asked for.
    seconds
        Time in which they came.
    file
        Where it was written; empty when nowhere.
    """

    run_uid: str
    image: NDArray[np.uint32]
    photons: int
    wanted: int
    seconds: float
    file: str = ""

    def __str__(self) -> str:
        short = "" if self.photons >= self.wanted else f"; {self.wanted} were asked, expose longer"
        return report(
            "Classical image; shutter closed.",
            [
                ("photons", f"{self.photons}{short}"),
                ("time", f"{self.seconds:.4g} s"),
                ("file", self.file or "not written; give save="),
            ],
        )


@typed_signature
def classical_image(
    detector: TimePix3Detector,
    shutter: Shutter,
    *,
    photons: int,
    seconds: float = 60.0,
    frame_s: float = 1.0,
    half_window_kev: float = 2.5,
    recipe_md: Mapping[str, Any] | None = None,
    save: str | None = None,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[ClassicalImage]:
    """Image with scattered photons of the pump, as many as an image of pairs has.

    Only photons within a window around the energy of the pump count, and only the first `photons`
    of them, so that both images can be compared. Nothing is moved.

    Parameters
    ----------
    detector
        The Timepix3.
    shutter
        Opened for the exposure only.
    photons
        Photons the image shall have.
    seconds
        Exposure in seconds, rounded up to whole frames; more photons than needed do not matter.
    frame_s
        Exposure of one frame, in seconds; at most 10.
    half_window_kev
        Half the window around the energy of the pump, in keV.
    recipe_md
        Plain values of the recipe to analyse with; the default recipe when left out.
    save
        Path of a `.npy` file for the image.
    md
        More metadata of the run.

    Returns
    -------
    ClassicalImage
        The image, and how long it took.

    Raises
    ------
    BeamlineError, RecipeError
        If an argument is out of bounds, or the beamline fails.
    """
    here = "classical_image"
    frames = check_exposure(here, seconds, frame_s)
    check_whole(here, "photons", photons, 1, 10**9)
    check_number(here, "half_window_kev", half_window_kev, 0.0, 100.0)
    check_save(here, save, ".npy")
    recipe = recipe_of(recipe_md, here)
    arguments = {
        "photons": photons,
        "seconds": seconds,
        "frame_s": frame_s,
        "half_window_kev": half_window_kev,
    }
    metadata = {**recipe_metadata(recipe), **(md or {})}
    start = start_document(here, arguments, detectors=[detector], md=metadata, num_points=1)
    run, taken = yield from expose(
        here, detector, start, frames=frames, frame_s=frame_s, shutter=shutter
    )
    if not taken:
        return ClassicalImage(run, np.zeros((0, 0), np.uint32), 0, photons, math.nan)
    image, lasted_s = yield from in_thread(
        lambda: _image(taken[0].paths, recipe, photons, half_window_kev)
    )
    result = ClassicalImage(run, image, int(image.sum()), photons, lasted_s)
    return say_saved(result, "file", lambda: _saved(image, save))


def _saved(image: NDArray[np.uint32], save: str | None) -> str:
    """Write the image if a path is given; the file."""
    if save is None:
        return ""
    try:
        with Path(save).open("wb") as stream:
            np.save(stream, image, allow_pickle=False)
    except OSError as error:
        raise StorageError(f"cannot be written: {error.strerror}", where=save) from error
    return str(Path(save).absolute())


def _image(
    paths: tuple[Path, ...], recipe: Recipe, wanted: int, half_window_kev: float
) -> tuple[NDArray[np.uint32], float]:
    found = read_photons(paths, recipe)
    elastic = np.abs(found.energy_kev - recipe.geometry.energy_kev) <= half_window_kev
    index = np.flatnonzero(elastic)[:wanted]
    side = recipe.geometry.side_px
    edges = np.arange(side + 1) - 0.5
    image, _, _ = np.histogram2d(found.y[index], found.x[index], (edges, edges))
    t = found.t[index]
    lasted_s = float(t[-1] - found.t[0]) * TICK_NS * 1e-9 if t.size else 0.0
    return image.astype(np.uint32), lasted_s

"""Pixels that fire without light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from bluesky.utils import MsgGenerator

from twinbeam.calibrate import PixelReason, calibrate_pixels, known_pixels, read_counts
from twinbeam.devices import Shutter, TimePix3Detector
from twinbeam.plans._annotations import typed_signature
from twinbeam.plans._guards import check_number
from twinbeam.plans.exposures import check_exposure, check_save, expose, say_saved
from twinbeam.plans.in_thread import in_thread
from twinbeam.plans.report import report
from twinbeam.plans.start_metadata import recipe_metadata, recipe_of, start_document

__all__ = ["HotPixels", "find_hot_pixels"]

_WORST = 5


@dataclass(frozen=True)
class HotPixels:
    """What fires in the dark.

    Attributes
    ----------
    run_uid
        Of the run's start document.
    pixels
        Hot pixels as (x, y) on the 512 grid, the hottest first.
    rates_hz
        Hits per second in each.
    seconds
        Exposure.
    hits
        All hits of it.
    left_hz
        Hits per second in all other pixels together, but for those that the recipe masks.
    file
        Where they were written, as `twinbeam calibrate pixels` does; empty when nowhere.
    """

    run_uid: str
    pixels: tuple[tuple[int, int], ...]
    rates_hz: tuple[float, ...]
    seconds: float
    hits: int
    left_hz: float
    file: str = ""

    def __str__(self) -> str:
        worst = ", ".join(
            f"({x}, {y}) {rate:.3g}/s"
            for (x, y), rate in zip(self.pixels[:_WORST], self.rates_hz, strict=False)
        )
        return report(
            f"{len(self.pixels)} hot pixel{'' if len(self.pixels) == 1 else 's'}"
            f" in {self.seconds:g} s of darkness; shutter closed.",
            [
                ("worst", worst),
                ("all others", f"{self.left_hz:.3g} hits/s together"),
                ("file", self.file or "not written; give save="),
            ],
        )


@typed_signature
def find_hot_pixels(
    detector: TimePix3Detector,
    shutter: Shutter,
    *,
    seconds: float = 10.0,
    frame_s: float = 1.0,
    false_positives: float = 0.1,
    recipe_md: Mapping[str, Any] | None = None,
    save: str | None = None,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[HotPixels]:
    """Expose with the shutter closed and find the pixels that fire nevertheless.

    Parameters
    ----------
    detector
        The Timepix3.
    shutter
        Closed for the exposure, and left closed.
    seconds
        Exposure in seconds, rounded up to whole frames.
    frame_s
        Exposure of one frame, in seconds; at most 10.
    false_positives
        Good pixels of the whole sensor that may be called hot by chance, on average.
    recipe_md
        Plain values of the recipe whose masked pixels are not looked at again.
    save
        Path of a `.npz` file for the pixels, as recipes name it.
    md
        More metadata of the run.

    Returns
    -------
    HotPixels
        Where they are and how hot.

    Raises
    ------
    BeamlineError, RecipeError
        If an argument is out of bounds, or the beamline fails.
    """
    here = "find_hot_pixels"
    frames = check_exposure(here, seconds, frame_s)
    check_number(here, "false_positives", false_positives, 0.0, 1e3)
    check_save(here, save, ".npz")
    recipe = recipe_of(recipe_md, here)
    arguments = {"seconds": seconds, "frame_s": frame_s, "false_positives": false_positives}
    metadata = {**recipe_metadata(recipe), **(md or {})}
    start = start_document(here, arguments, detectors=[detector], md=metadata, num_points=1)
    run, taken = yield from expose(
        here, detector, start, frames=frames, frame_s=frame_s, shutter=shutter, dark=True
    )
    if not taken:
        return HotPixels(run, (), (), seconds, 0, 0.0)
    counts, _ = yield from in_thread(lambda: read_counts(taken[0].paths))
    exposure_s = frames * frame_s
    found = calibrate_pixels(
        counts,
        exposure_s,
        known=known_pixels(recipe.geometry),
        gap_px=recipe.geometry.gap_px,
        false_positives=false_positives,
    )
    hot = found.reason == PixelReason.HOT
    masked = np.isin(found.reason, (PixelReason.MASKED, PixelReason.BEAM_STOP))
    y, x = np.nonzero(hot)
    order = np.argsort(-counts[hot], kind="stable")
    result = HotPixels(
        run_uid=run,
        pixels=tuple((int(x[i]), int(y[i])) for i in order),
        rates_hz=tuple(float(counts[y[i], x[i]]) / exposure_s for i in order),
        seconds=exposure_s,
        hits=int(counts.sum()),
        left_hz=float(counts[~hot & ~masked].sum()) / exposure_s,
    )
    return say_saved(result, "file", lambda: str(found.save(save)) if save is not None else "")

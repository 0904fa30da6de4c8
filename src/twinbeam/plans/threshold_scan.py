"""Where the threshold of the pixels clears the noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bluesky.protocols import NamedMovable
from bluesky.utils import MsgGenerator

from twinbeam.calibrate import read_counts
from twinbeam.devices import Shutter, TimePix3Detector
from twinbeam.errors import BeamlineError
from twinbeam.plans._annotations import typed_signature
from twinbeam.plans._guards import check_number, check_travel
from twinbeam.plans.exposures import check_exposure, expose
from twinbeam.plans.in_thread import in_thread
from twinbeam.plans.report import say, table
from twinbeam.plans.start_metadata import recipe_metadata, recipe_of, start_document

__all__ = ["ThresholdResult", "threshold_scan"]


@dataclass(frozen=True)
class ThresholdResult:
    """Noise against threshold, without light.

    Attributes
    ----------
    run_uid
        Of the run's start document.
    thresholds
        Settings of the threshold, rising, in the units of its positioner.
    rates_hz
        Hits per second of all pixels together.
    noisy_pixels
        Pixels with any hit.
    best
        The lowest setting from which on all rates are below the limit; None when there is none.
    """

    run_uid: str
    thresholds: tuple[float, ...]
    rates_hz: tuple[float, ...]
    noisy_pixels: tuple[int, ...]
    best: float | None

    def __str__(self) -> str:
        columns = zip(self.thresholds, self.rates_hz, self.noisy_pixels, strict=True)
        lines = [[f"{t:g}", f"{rate:.4g}", str(n)] for t, rate, n in columns]
        verdict = (
            "No setting is quiet enough: go higher."
            if self.best is None
            else f"Lowest quiet threshold: {self.best:g}. The threshold was put back."
        )
        if self.thresholds and self.best == self.thresholds[0]:
            verdict += "\nIt is the lowest that was tried: go lower to see the noise."
        head = ("threshold", "hits/s", "pixels")
        return "\n".join(["Threshold scan without light.", table(head, lines), verdict])


@typed_signature
def threshold_scan(
    detector: TimePix3Detector,
    threshold: NamedMovable,
    shutter: Shutter,
    *,
    thresholds: Sequence[float],
    limit_hz: float = 100.0,
    seconds: float = 2.0,
    frame_s: float = 1.0,
    recipe_md: Mapping[str, Any] | None = None,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[ThresholdResult]:
    """Expose without light at each threshold, and find the lowest that is quiet.

    Parameters
    ----------
    detector
        The Timepix3.
    threshold
        What sets the threshold of all pixels, such as `detector.threshold`; put back in the end.
    shutter
        Closed for the exposures, and left closed.
    thresholds
        Settings to try.
    limit_hz
        Hits per second of the whole sensor that count as quiet.
    seconds
        Exposure at each, in seconds, rounded up to whole frames.
    frame_s
        Exposure of one frame, in seconds; at most 10.
    recipe_md
        Plain values of the recipe that the run tells; the default recipe when left out.
    md
        More metadata of the run.

    Returns
    -------
    ThresholdResult
        Rates at each threshold, and the lowest quiet one.

    Raises
    ------
    BeamlineError, RecipeError
        If an argument is out of bounds (before anything moves), or the beamline fails.
    """
    here = "threshold_scan"
    frames = check_exposure(here, seconds, frame_s)
    check_number(here, "limit_hz", limit_hz, 0.0, 1e9)
    wanted = sorted({float(each) for each in thresholds})
    if not wanted:
        raise BeamlineError("no thresholds", where=here)
    check_travel(here, threshold, *wanted)
    recipe = recipe_of(recipe_md, here)
    arguments = {"thresholds": wanted, "limit_hz": limit_hz, "seconds": seconds, "frame_s": frame_s}
    start = start_document(
        here,
        arguments,
        detectors=[detector],
        motors=[threshold],
        dimensions=[threshold.name],
        md={**recipe_metadata(recipe), **(md or {})},
        num_points=len(wanted),
    )
    run, taken = yield from expose(
        here,
        detector,
        start,
        frames=frames,
        frame_s=frame_s,
        shutter=shutter,
        dark=True,
        motor=threshold,
        positions=wanted,
    )
    if not taken:
        return ThresholdResult(run, (), (), (), None)
    images = yield from in_thread(lambda: [read_counts(each.paths)[0] for each in taken])
    rates = [float(image.sum()) / (frames * frame_s) for image in images]
    quiet = np.array(rates) <= limit_hz
    from_here = np.logical_and.accumulate(quiet[::-1])[::-1]
    result = ThresholdResult(
        run_uid=run,
        thresholds=tuple(each.position for each in taken),
        rates_hz=tuple(rates),
        noisy_pixels=tuple(int(np.count_nonzero(image)) for image in images),
        best=taken[int(np.argmax(from_here))].position if from_here.any() else None,
    )
    say(result)
    return result

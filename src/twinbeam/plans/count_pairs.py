"""A quick look at the pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluesky.utils import MsgGenerator

from twinbeam.devices import Shutter, TimePix3Detector
from twinbeam.pipeline import process, summary
from twinbeam.plans._annotations import typed_signature
from twinbeam.plans._guards import check_angle, check_number
from twinbeam.plans.collect_result import pair_rows
from twinbeam.plans.exposures import check_exposure, expose
from twinbeam.plans.in_thread import in_thread
from twinbeam.plans.live_results import LiveNumbers
from twinbeam.plans.report import report, say
from twinbeam.plans.start_metadata import pair_metadata, recipe_of, start_document

__all__ = ["CountResult", "count_pairs"]

_SIGMAS_SEEN = 3.0


@dataclass(frozen=True)
class CountResult:
    """Pairs of a short exposure.

    Attributes
    ----------
    run_uid
        Of the run's start document.
    numbers
        Pairs and accidentals; None without a RunEngine.
    ring_radius_px
        Radius of the ring at the measured detuning, in pixels; None without a peak.
    """

    run_uid: str
    numbers: LiveNumbers | None
    ring_radius_px: float | None = None

    @property
    def seconds_to_five_sigma(self) -> float:
        """Exposure after which the excess would be five standard deviations, in seconds."""
        live = self.numbers
        if live is None or live.net <= 0.0 or live.significance <= 0.0:
            return math.inf
        return live.seconds * (5.0 / live.significance) ** 2

    def __str__(self) -> str:
        live = self.numbers
        if live is None:
            return "Count of pairs: no data."
        clear = live.significance >= 5.0
        seen = "Pairs are seen." if clear else "No clear pairs yet."
        radius = self.ring_radius_px
        wait_s = self.seconds_to_five_sigma
        guess = ", a guess from so few" if live.significance < _SIGMAS_SEEN else ""
        return report(
            f"{seen} {live.seconds:.3g} s, {live.photons} photons; shutter closed.",
            [
                *pair_rows(live),
                ("ring radius", f"{radius:.1f} px" if radius is not None else ""),
                (
                    "five sigma",
                    f"after {wait_s:.3g} s{guess}" if math.isfinite(wait_s) else "not known",
                ),
                ("next", "" if clear else "count longer; does theta stand at the detuning, not at"),
                ("", "" if clear else "the Bragg angle? find_bragg, then %mov detuning 0.040"),
            ],
        )


@typed_signature
def count_pairs(
    detector: TimePix3Detector,
    shutter: Shutter,
    *,
    bragg_deg: float,
    detuning_deg: float = 0.040,
    seconds: float = 10.0,
    frame_s: float = 1.0,
    recipe_md: Mapping[str, Any] | None = None,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[CountResult]:
    """Look whether there are pairs: a short exposure, analysed at once. Nothing is moved.

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
    recipe_md
        Plain values of the recipe to analyse with; the default recipe when left out.
    md
        More metadata of the run.

    Returns
    -------
    CountResult
        Pairs, accidentals and what follows from them.

    Raises
    ------
    BeamlineError, RecipeError
        If an argument is out of bounds, or the beamline fails.
    """
    here = "count_pairs"
    frames = check_exposure(here, seconds, frame_s)
    check_angle(here, "bragg_deg", bragg_deg, 90.0)
    check_number(
        here, "detuning_deg", detuning_deg, 0.0, 1.0, hint="in degrees, not in millidegrees"
    )
    recipe = recipe_of(recipe_md, here, bragg_deg=bragg_deg, detuning_deg=detuning_deg)
    metadata = pair_metadata(recipe.as_dict(), bragg_deg, detuning_deg, plan=here)
    arguments = {
        "seconds": seconds,
        "frame_s": frame_s,
        "bragg_deg": bragg_deg,
        "detuning_deg": detuning_deg,
    }
    start = start_document(
        here, arguments, detectors=[detector], md={**metadata, **(md or {})}, num_points=1
    )
    run, taken = yield from expose(
        here, detector, start, frames=frames, frame_s=frame_s, shutter=shutter
    )
    if not taken:
        return CountResult(run, None)
    paths: tuple[Path, ...] = taken[0].paths
    values = yield from in_thread(lambda: summary(process(paths, recipe)))
    numbers = LiveNumbers.of_summary(run, values)
    result = CountResult(run, numbers, numbers.ring_radius_px(recipe))
    say(result)
    return result

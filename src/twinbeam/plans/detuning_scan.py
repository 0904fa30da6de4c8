"""Pairs against detuning: where to measure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bluesky.utils import MsgGenerator, short_uid
from ophyd import EpicsMotor

from twinbeam.devices import Shutter, TimePix3Detector
from twinbeam.errors import BeamlineError
from twinbeam.plans._annotations import typed_signature
from twinbeam.plans._guards import check_angle, check_number, check_travel
from twinbeam.plans.collect import collect_pairs
from twinbeam.plans.live_results import LiveNumbers, LiveResults
from twinbeam.plans.moves import BACKLASH_DEG, set_detuning
from twinbeam.plans.report import say, table, with_error
from twinbeam.plans.row import write_row
from twinbeam.plans.runs import in_run
from twinbeam.plans.start_metadata import recipe_metadata, recipe_of, start_document

__all__ = ["DetuningResult", "DetuningStep", "best_detuning", "detuning_scan"]

_MOST_STEPS = 1000
_SUSPICIOUS_DEG = 0.005  # refraction is 0.0014


@dataclass(frozen=True)
class DetuningStep:
    """One detuning of a scan.

    Attributes
    ----------
    detuning_deg
        What was set, in degrees.
    run_uid
        Run with its raw data.
    numbers
        Its final live results; None when there were none in time.
    ring_radius_px
        Radius of the ring at the measured detuning, in pixels; None without a peak.
    """

    detuning_deg: float
    run_uid: str
    numbers: LiveNumbers | None
    ring_radius_px: float | None = None


@dataclass(frozen=True)
class DetuningResult:
    """Pairs at each detuning, and where they are best.

    Attributes
    ----------
    steps
        The steps, in order.
    best_deg
        Recommended detuning in degrees: most signal to noise of pairs per square root of time;
        None when no step shows pairs.
    equal_deg
        Detunings that are as good within two standard errors.
    moved
        Whether theta stands at the recommended detuning.
    """

    steps: tuple[DetuningStep, ...]
    best_deg: float | None
    equal_deg: tuple[float, ...] = ()
    moved: bool = False

    def __str__(self) -> str:
        head = ("detuning", "pairs/s", "accidentals/s", "S/B", "S/N per √s", "measured deg", "ring")
        lines = [_line(step) for step in self.steps if step.numbers is not None]
        silent = [f"{step.detuning_deg:.4f}" for step in self.steps if step.numbers is None]
        if not lines:
            verdict = "No live results came, so nothing can be recommended: does `live` run?"
        elif self.best_deg is None:
            verdict = "No step shows pairs; nothing can be recommended."
        else:
            where = (
                "theta stands there"
                if self.moved
                else f"theta stands at {self.steps[-1].detuning_deg:.4f}: %mov detuning"
                f" {self.best_deg:.4f}"
            )
            equal = ", ".join(f"{each:.4f}" for each in self.equal_deg)
            verdict = f"Best detuning {self.best_deg:.4f} deg; {where}\nAs good: {equal} deg"
            if len(self.steps) > 1 and self.best_deg in self._ends_deg:
                verdict += "\nThat is an end of the scan: beyond it may be better."
        if silent and lines:
            verdict += f"\nNo live results came at {', '.join(silent)} deg."
        off = self.offset_deg
        if off is not None and abs(off) > _SUSPICIOUS_DEG:
            verdict += (
                f"\nThe pairs were made {off:+.4f} deg from what was set: is bragg_deg right?"
            )
        return "\n".join(["Scan of the detuning; shutter closed.", table(head, lines), verdict])

    @property
    def _ends_deg(self) -> tuple[float, float]:
        tried = [step.detuning_deg for step in self.steps]
        return min(tried), max(tried)

    @property
    def offset_deg(self) -> float | None:
        """Measured minus set detuning where it is known best, in degrees; None if nowhere."""
        known = [
            (live.detuning_err_deg, live.detuning_deg - step.detuning_deg)
            for step in self.steps
            if (live := step.numbers) is not None
            and live.detuning_deg is not None
            and live.detuning_err_deg is not None
            and math.isfinite(live.detuning_err_deg)
        ]
        return min(known)[1] if known else None


def _line(step: DetuningStep) -> list[str]:
    live = step.numbers
    assert live is not None
    seconds = live.seconds or math.nan
    radius = step.ring_radius_px
    return [
        f"{step.detuning_deg:.4f}",
        with_error(live.net / seconds, live.net_err / seconds),
        f"{live.accidental / seconds:.3g}",
        f"{live.s_over_b:.3g}" if live.s_over_b is not None else "-",
        with_error(live.quality, live.quality_err),
        with_error(live.detuning_deg, live.detuning_whole_err_deg),
        f"{radius:.1f} px" if radius is not None else "-",
    ]


def best_detuning(steps: Sequence[DetuningStep]) -> tuple[float | None, tuple[float, ...]]:
    """Where signal to noise is best, and the steps that are as good within two standard errors.

    A parabola through the best step and its neighbours says where between them the top lies; a
    best step at the end of the scan, or one that was made twice, is recommended as it is. Only
    steps with an excess of three standard deviations count.
    """
    sure = [
        (step.detuning_deg, step.numbers.quality, step.numbers.quality_err)
        for step in steps
        if step.numbers is not None and step.numbers.significance >= 3.0
    ]
    if not sure:
        return None, ()
    at, quality, error = (np.array(column) for column in zip(*sorted(sure), strict=True))
    top = int(np.argmax(quality))
    near = quality[top] - quality <= 2.0 * np.hypot(error, error[top])
    equal = tuple(float(each) for each in at[near])
    if not 0 < top < at.size - 1 or not at[top - 1] < at[top] < at[top + 1]:
        return float(at[top]), equal
    low, high = float(at[top - 1]), float(at[top + 1])
    bend, slope, _ = np.polyfit(at[top - 1 : top + 2] - at[top], quality[top - 1 : top + 2], 2)
    best = float(at[top]) - slope / (2.0 * bend) if bend < 0.0 else float(at[top])
    return float(np.clip(best, low, high)), equal


@typed_signature
def detuning_scan(
    detector: TimePix3Detector,
    shutter: Shutter,
    theta: EpicsMotor,
    *,
    results: LiveResults,
    bragg_deg: float,
    detunings_deg: Sequence[float] = (0.010, 0.020, 0.030, 0.040, 0.050),
    seconds: float = 60.0,
    relative_error: float = 0.1,
    go: bool = False,
    frame_s: float = 1.0,
    recipe_md: Mapping[str, Any] | None = None,
    flush_s: float = 0.5,
    final_s: float = 30.0,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[DetuningResult]:
    """Measure pairs, accidentals, ring radius and pair detuning at each detuning.

    Each step is a run of `collect_pairs` of its own, analysed live with a recipe for its detuning;
    it ends early when its net pairs are known well enough. A last run holds the table, stream
    `detuning`, an event a step. The key `scan_group` joins them.

    Parameters
    ----------
    detector
        The Timepix3.
    shutter
        Open during the steps only.
    theta
        Rotation of the crystal.
    results
        Live results, as `live_results` gives them.
    bragg_deg
        Measured Bragg angle, in degrees.
    detunings_deg
        Detunings to try, in degrees.
    seconds
        Longest exposure of a step, in seconds.
    relative_error
        A step ends when the standard error of its net pairs is such a part of them.
    go
        Whether theta goes to the best detuning in the end; otherwise it stays at the last.
    frame_s
        Exposure of one frame, in seconds.
    recipe_md
        Plain values of the recipe to analyse with; the default recipe when left out.
    flush_s
        Time between two looks at the results, in seconds.
    final_s
        Longest wait for the final results of a step, in seconds.
    md
        More metadata of the runs.

    Returns
    -------
    DetuningResult
        All steps and the recommendation.

    Raises
    ------
    BeamlineError, RecipeError
        If an argument is out of bounds (before anything moves), or the beamline fails.
    """
    here = "detuning_scan"
    wanted = [float(each) for each in detunings_deg]
    if not 1 <= len(wanted) <= _MOST_STEPS:
        raise BeamlineError(f"{len(wanted)} detunings", where=here, hint="1 to 1000 are possible")
    check_angle(here, "bragg_deg", bragg_deg, 90.0)
    check_number(here, "relative_error", relative_error, 0.0, 10.0)
    for each in wanted:
        check_number(here, "detunings_deg", each, 0.0, 1.0, hint="degrees above the Bragg angle")
        target_deg = bragg_deg + each
        check_travel(here, theta, target_deg - BACKLASH_DEG, target_deg)
    group = short_uid("detuning_scan")
    extra = {**(md or {}), "scan_group": group}
    steps: list[DetuningStep] = []
    for each in wanted:
        recipe = recipe_of(recipe_md, here, bragg_deg=bragg_deg, detuning_deg=each)
        collected = yield from collect_pairs(
            detector,
            shutter,
            theta,
            seconds=seconds,
            bragg_deg=bragg_deg,
            detuning_deg=each,
            frame_s=frame_s,
            recipe_md=recipe.as_dict(),
            results=results,
            stop_relative_error=relative_error,
            flush_s=flush_s,
            final_s=final_s,
            md=extra,
        )
        live = collected.numbers
        radius = live.ring_radius_px(recipe) if live is not None else None
        steps.append(DetuningStep(each, collected.run_uid, live, radius))
    best_deg, equal_deg = best_detuning(steps)
    arguments = {
        "bragg_deg": bragg_deg,
        "detunings_deg": wanted,
        "seconds": seconds,
        "relative_error": relative_error,
        "go": go,
    }
    metadata = {**recipe_metadata(recipe_of(recipe_md, here, bragg_deg=bragg_deg)), **extra}
    start = start_document(
        here,
        arguments,
        detectors=[detector],
        motors=[theta],
        md={"theta": bragg_deg, **metadata},
        steps=[step.run_uid for step in steps],
        hints={"dimensions": [(["detuning_detuning_deg"], "detuning")]},
    )
    if any(step.numbers is not None for step in steps):
        yield from in_run(lambda _: _write(steps), start)
    moved = go and best_deg is not None
    if best_deg is not None and go:
        yield from set_detuning(theta, bragg_deg, best_deg)
    result = DetuningResult(tuple(steps), best_deg, equal_deg, moved)
    if any(step.run_uid for step in steps):
        say(result)
    return result


def _write(steps: Sequence[DetuningStep]) -> MsgGenerator[None]:
    for step in steps:
        live = step.numbers
        if live is None:
            continue
        yield from write_row(
            "detuning",
            {
                "detuning_deg": step.detuning_deg,
                "run": step.run_uid,
                "seconds": live.seconds,
                "net": live.net,
                "net_err": live.net_err,
                "accidental": live.accidental,
                "s_over_b": live.s_over_b,
                "significance": live.significance,
                "quality": live.quality,
                "measured_deg": live.detuning_deg,
                "measured_err_deg": live.detuning_whole_err_deg,
                "ring_radius_px": step.ring_radius_px,
            },
        )

"""Collection of photon pairs, for minutes or for nights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.protocols import Readable
from bluesky.utils import MsgGenerator
from ophyd import EpicsMotor

from twinbeam.devices import IntensityMonitor, RingCurrent, Shutter, TimePix3Detector
from twinbeam.devices.settings import LONGEST_FRAME_S
from twinbeam.errors import BeamlineError
from twinbeam.pipeline import Recipe, recipe_of_start
from twinbeam.plans._annotations import typed_signature
from twinbeam.plans._guards import (
    check_angle,
    check_number,
    check_travel,
    check_whole,
    say_why,
    set_shutter,
    with_shutter_open,
    with_values,
)
from twinbeam.plans.collect_result import Acquired, CollectResult
from twinbeam.plans.drift import Drift, check_bragg
from twinbeam.plans.earlier import (
    Earlier,
    EarlierRuns,
    check_same_detuning,
    continuing,
    enough_before,
    found_before,
)
from twinbeam.plans.flying import fly_frames
from twinbeam.plans.in_thread import in_thread
from twinbeam.plans.live_results import LiveNumbers, LiveResults
from twinbeam.plans.moves import BACKLASH_DEG, set_detuning
from twinbeam.plans.report import say
from twinbeam.plans.runs import in_run
from twinbeam.plans.start_metadata import pair_metadata, start_document
from twinbeam.plans.stop_rule import StopRule, wait_final

__all__ = ["collect_pairs"]

_LONGEST_S = 7 * 86_400.0


@dataclass
class _Progress:
    """What is known while the frames come in."""

    bragg_deg: float
    run: str = ""
    frames: int = 0
    why: str = ""
    failures: int = 0
    declared: bool = False
    earlier: Earlier | None = None
    acquired: list[Acquired] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)


@typed_signature
def collect_pairs(
    detector: TimePix3Detector,
    shutter: Shutter,
    theta: EpicsMotor | None = None,
    *,
    seconds: float,
    bragg_deg: float,
    detuning_deg: float = 0.040,
    frame_s: float = 1.0,
    recipe_md: Mapping[str, Any] | None = None,
    ring: RingCurrent | None = None,
    monitor: IntensityMonitor | None = None,
    conditions: Sequence[Readable] | None = None,
    results: LiveResults | None = None,
    stop_pairs: float | None = None,
    stop_significance: float | None = None,
    stop_image_sn: float | None = None,
    stop_relative_error: float | None = None,
    image_elements: int = 1000,
    recheck_s: float | None = None,
    recheck_half_width_deg: float = 0.006,
    recheck_count_s: float = 0.1,
    least_current_ma: float = 1.0,
    retries: int = 3,
    retry_wait_s: float = 10.0,
    final_s: float = 30.0,
    flush_s: float = 0.5,
    continue_from: str | int | None = None,
    earlier: EarlierRuns | None = None,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[CollectResult]:
    """Collect raw data with the shutter open until there is enough.

    One event a frame comes out while it runs, in the stream `primary`. However the plan ends, the
    detector is stopped, its settings are restored, and the shutter is closed. A pause of the
    RunEngine does not pause the detector and loses nothing. When the acquisition is ended from
    outside, as by `suspend_on_beam_loss`, another one goes on where it ended; when it fails, the
    complete frames are kept and it is tried again.

    With `recheck_s` the Bragg angle is looked at from time to time and theta follows it. When that
    fails, the collection goes on with the angle of before.

    The stream `conditions` holds theta, shutter, ring and monitor once before and once after the
    frames, both with the shutter open: rates mean little without them. It has nothing to do with
    the stream `baseline` of a RunEngine's `SupplementalData`, which may be used beside it.

    Parameters
    ----------
    detector
        The Timepix3.
    shutter
        Opened for the frames only.
    theta
        Rotation of the crystal. If given, it is moved to the detuned angle first, from below, so
        that the metadata are true; None leaves it where it is.
    seconds
        Exposure of all frames together, in seconds, rounded up to whole frames; the most when
        something else may end it.
    bragg_deg
        Measured Bragg angle, in degrees.
    detuning_deg
        Detuning from it, in degrees.
    frame_s
        Exposure of one frame, and so of one raw file, in seconds; at most 10.
    recipe_md
        Plain values of the recipe to analyse with; stored in the start document.
    ring, monitor
        More devices for the conditions; `monitor` also looks at the Bragg angle.
    conditions
        Other devices for the conditions instead of all these; an empty sequence for none.
    results
        Live results to stop by, as `live_results` gives them.
    stop_pairs
        End with so many net pairs.
    stop_significance
        End with such an excess of pairs, in standard deviations.
    stop_image_sn
        End with such a mean signal to noise of a resolution element of the pair image.
    stop_relative_error
        End when the standard error of the net pairs is such a part of them.
    image_elements
        Number of these elements.
    recheck_s
        Exposure between two looks at the Bragg angle, in seconds; None for no look.
    recheck_half_width_deg, recheck_count_s
        Half the range of that rocking curve in degrees, and the time of a point in seconds.
    least_current_ma
        Without so much stored current (of `ring`) it does not begin, in milliamperes.
    retries
        Failures without a new frame in between after which it gives up. A failure before the
        first frame of all is not tried again.
    retry_wait_s
        Time before the next try, in seconds.
    final_s
        Longest wait for the final live results after the run, in seconds.
    flush_s
        Time between two looks for complete frames, in seconds.
    continue_from
        Uid of a collection that was broken off, or its beginning, or -1 for the newest: its frames
        and its pairs count here, and so do those of the runs that it continues itself. It must have
        the same detuning. The new run names it as `continues`.
    earlier
        Where that is looked up, as `earlier_runs` gives it.
    md
        More metadata of the run.

    Returns
    -------
    CollectResult
        Where the raw files are, what ended it, and the final live results.

    Raises
    ------
    BeamlineError
        If an argument is out of bounds (before anything moves), or the beamline fails.
    """
    here = "collect_pairs"
    check_number(here, "seconds", seconds, 0.0, _LONGEST_S)
    check_number(here, "frame_s", frame_s, 0.0, LONGEST_FRAME_S, hint="Serval's longest exposure")
    check_number(here, "flush_s", flush_s, 0.0, 60.0)
    check_angle(here, "bragg_deg", bragg_deg, 90.0)
    check_angle(here, "detuning_deg", detuning_deg, 1.0)
    check_whole(here, "retries", retries, 0, 1000)
    check_number(here, "retry_wait_s", retry_wait_s, -1e-9, 3600.0)
    check_number(here, "final_s", final_s, -1e-9, 3600.0)
    rule = StopRule(
        stop_pairs, stop_significance, stop_image_sn, image_elements, stop_relative_error
    )
    rule.check(here, results)
    if recheck_s is not None:
        check_number(here, "recheck_s", recheck_s, 0.0, _LONGEST_S)
        check_number(here, "recheck_half_width_deg", recheck_half_width_deg, 0.0, 1.0)
        check_number(here, "recheck_count_s", recheck_count_s, 0.0, 60.0)
        if theta is None or monitor is None:
            raise BeamlineError("recheck_s needs theta and monitor", where=here)
    if theta is not None:
        target_deg = bragg_deg + detuning_deg
        least_deg, most_deg = target_deg - BACKLASH_DEG, target_deg
        if recheck_s is not None:
            least_deg = min(least_deg, bragg_deg - 2.0 * recheck_half_width_deg - BACKLASH_DEG)
            most_deg = max(most_deg, bragg_deg + 2.0 * recheck_half_width_deg)
        check_travel(here, theta, least_deg, most_deg)
    metadata = pair_metadata(recipe_md, bragg_deg, detuning_deg, plan=here)
    before = found_before(continue_from, earlier)
    check_same_detuning(before, detuning_deg)
    left_s = seconds - before.seconds if before is not None else seconds
    if left_s <= 1e-9 * seconds:
        raise enough_before(f"{seconds - left_s:g} s")
    frames = max(math.ceil(left_s / frame_s - 1e-9), 1)
    arguments = {
        "seconds": seconds,
        "frame_s": frame_s,
        "bragg_deg": bragg_deg,
        "detuning_deg": detuning_deg,
        "stop_pairs": stop_pairs,
        "stop_significance": stop_significance,
        "stop_image_sn": stop_image_sn,
        "stop_relative_error": stop_relative_error,
        "image_elements": image_elements,
        "recheck_s": recheck_s,
        "continue_from": continue_from,
    }
    start = start_document(
        here,
        arguments,
        detectors=[detector],
        md={**metadata, **continuing(before), **(md or {})},
        num_points=frames,
    )
    if conditions is None:
        conditions = [each for each in (theta, shutter, ring, monitor) if each is not None]
    progress = _Progress(bragg_deg)
    stint = frames if recheck_s is None else max(math.ceil(recheck_s / frame_s - 1e-9), 1)

    def enough() -> bool:
        if results is not None:
            progress.why = rule.reached(together(results(progress.run)))
        return bool(progress.why)

    def together(live: LiveNumbers | None) -> LiveNumbers | None:
        return live if progress.earlier is None else progress.earlier.together(live)

    def look() -> MsgGenerator[None]:
        assert theta is not None
        assert monitor is not None
        drift = yield from check_bragg(
            monitor,
            theta,
            progress.bragg_deg,
            half_width_deg=recheck_half_width_deg,
            count_s=recheck_count_s,
        )
        progress.drifts.append(drift)
        progress.bragg_deg = drift.bragg_deg
        yield from set_detuning(theta, progress.bragg_deg, detuning_deg)

    def some_frames(number: int) -> MsgGenerator[None]:
        yield from set_shutter(shutter, "open")
        if progress.acquired and recheck_s is not None:
            yield from look()
        yield from bps.mv(detector.num_frames, number)
        yield from _acquire(detector, progress, number, flush_s, enough)

    def with_beam() -> MsgGenerator[None]:
        yield from _read_conditions(conditions)
        while progress.frames < frames and not (progress.frames and enough()):
            yield from bps.checkpoint()
            try:
                yield from say_why(some_frames(min(frames - progress.frames, stint)))
            except BeamlineError as error:
                progress.failures += 1
                if not progress.frames or progress.failures > retries:
                    raise
                say(f"  tried again in {retry_wait_s:g} s, since {error}")
                try:
                    yield from say_why(bps.sleep(retry_wait_s))
                except BeamlineError:  # a status of the same failure that ended only now
                    yield from bps.sleep(retry_wait_s)
            else:
                if progress.failures > retries:
                    raise _all_dropped(detector, progress.failures)
        try:
            yield from say_why(_read_conditions(conditions))
        except BeamlineError as error:  # the frames are there
            say(f"  conditions after the frames not known: {error}")

    def body(run: str) -> MsgGenerator[None]:
        progress.run = run
        return say_why(with_shutter_open(with_beam(), shutter))

    if ring is not None:
        yield from say_why(_check_current(ring, least_current_ma))
    if before is not None:
        say(before)
        if results is not None:
            recipe = recipe_of_start(start) or Recipe()
            progress.earlier = yield from in_thread(lambda: before.count(recipe))
            if why := rule.reached(together(None)):
                raise enough_before(why)
        yield from bps.stop(detector)  # nobody else ends what a process that died has begun
    if theta is not None:
        yield from set_detuning(theta, bragg_deg, detuning_deg)
    values = {
        detector.num_frames: frames,
        detector.frame_time_s: frame_s,
        **({monitor.count_time: recheck_count_s} if monitor is not None and recheck_s else {}),
    }
    yield from with_values(bpp.stage_wrapper(in_run(body, start), [detector]), values)
    numbers = yield from wait_final(results, progress.run, final_s)
    first = progress.acquired[0] if progress.acquired else Acquired("", "", 0, 0)
    result = CollectResult(
        run_uid=progress.run,
        raw_uri=first.raw_uri,
        raw_template=first.raw_template,
        frames=progress.frames,
        raw_bytes=sum(each.raw_bytes for each in progress.acquired),
        seconds=progress.frames * frame_s,
        acquisitions=tuple(progress.acquired),
        drifts=tuple(progress.drifts),
        bragg_deg=progress.bragg_deg,
        why=progress.why or "its time",
        numbers=numbers,
        before=before,
        together=together(numbers) if before is not None else None,
    )
    if progress.run:
        say(result)
    return result


def _acquire(
    detector: TimePix3Detector,
    progress: _Progress,
    number: int,
    flush_s: float,
    enough: Callable[[], bool],
) -> MsgGenerator[None]:
    """One acquisition of so many frames; what is complete of it counts, however it ends."""
    before = detector.raw_template.get()
    try:
        yield from fly_frames(
            detector, flush_s=flush_s, declare=not progress.declared, enough=enough
        )
    finally:
        progress.declared = True
        known = detector.raw_template.get() != before
        if known:
            _count(detector, progress)
    if not known:  # a summary, in which nothing is set: the detector's own number means nothing
        progress.frames += number


def _count(detector: TimePix3Detector, progress: _Progress) -> None:
    acquired = Acquired(
        raw_uri=str(detector.raw_uri.get()),
        raw_template=str(detector.raw_template.get()),
        frames=int(detector.raw_count.get()),
        raw_bytes=int(detector.raw_bytes.get()),
        dropped=int(detector.raw_dropped.get()),
    )
    if acquired.frames or acquired.dropped:
        progress.acquired.append(acquired)
        progress.frames += acquired.frames
        progress.failures = 0 if acquired.frames else progress.failures + 1


def _all_dropped(detector: TimePix3Detector, times: int) -> BeamlineError:
    return BeamlineError(
        f"has dropped all frames of {times} acquisitions one after the other",
        where=detector.name,
        hint="take fewer hits a second: put attenuators in, or mask what is bright",
    )


def _read_conditions(devices: Sequence[Readable]) -> MsgGenerator[None]:
    if devices:
        yield from bps.checkpoint()
        yield from bps.trigger_and_read(list(devices), name="conditions")
        yield from bps.checkpoint()  # a later pause does not read them again


def _check_current(ring: RingCurrent, least_ma: float) -> MsgGenerator[None]:
    current_ma = float((yield from bps.rd(ring.current, default_value=math.inf)))
    if current_ma < least_ma:
        raise BeamlineError(
            f"{current_ma:.3g} mA are stored, {least_ma:g} are asked",
            where=ring.name,
            hint="wait for the beam; nothing has moved",
        )

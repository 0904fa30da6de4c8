"""Collection of photon pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.protocols import Readable
from bluesky.utils import MsgGenerator
from ophyd import EpicsMotor

from twinbeam.devices import IntensityMonitor, RingCurrent, Shutter, TimePix3Detector
from twinbeam.devices.settings import LONGEST_FRAME_S
from twinbeam.plans._annotations import typed_signature
from twinbeam.plans._guards import (
    check_angle,
    check_number,
    check_travel,
    plain,
    say_why,
    with_shutter_open,
    with_values,
)
from twinbeam.plans.flying import fly_frames
from twinbeam.plans.moves import BACKLASH_DEG, set_detuning
from twinbeam.plans.start_metadata import pair_metadata

__all__ = ["CollectResult", "collect_pairs"]

_LONGEST_S = 7 * 86_400.0


@dataclass(frozen=True)
class CollectResult:
    """What a collection left on disk.

    Attributes
    ----------
    run_uid
        Of the run's start document.
    raw_uri
        Folder of the raw files.
    raw_template
        Python format of their names, for `template.format(index)`.
    frames
        Files, numbered from 0.
    raw_bytes
        Their size together.
    seconds
        Exposure of all frames together.
    """

    run_uid: str
    raw_uri: str
    raw_template: str
    frames: int
    raw_bytes: int
    seconds: float


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
    baseline: Sequence[Readable] | None = None,
    flush_s: float = 0.5,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[CollectResult]:
    """Collect raw data with the shutter open, in one acquisition without dead time.

    One event a frame comes out while it runs, in the stream `primary`. However the plan ends, the
    detector is stopped, its settings are restored, and the shutter is closed.

    The stream `baseline` holds theta, shutter, ring and monitor once before and once after the
    frames, both with the shutter open: rates mean little without them, so the plan records them
    itself. A RunEngine whose `SupplementalData` has a baseline of its own would write other
    devices into the same stream, which bluesky refuses; pass ``baseline=()`` there.

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
        Exposure of all frames together, in seconds, rounded up to whole frames.
    bragg_deg
        Measured Bragg angle, in degrees.
    detuning_deg
        Detuning from it, in degrees.
    frame_s
        Exposure of one frame, and so of one raw file, in seconds; at most 10.
    recipe_md
        Plain values of the recipe to analyse with; stored in the start document.
    ring, monitor
        More devices for the baseline.
    baseline
        Other devices for the baseline instead of all these; an empty sequence for no baseline.
    flush_s
        Time between two looks for complete frames, in seconds.
    md
        More metadata of the run.

    Returns
    -------
    CollectResult
        Where the raw files are.

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
    if theta is not None:
        target_deg = bragg_deg + detuning_deg
        check_travel(here, theta, target_deg - BACKLASH_DEG, target_deg)
    metadata = {**pair_metadata(recipe_md, bragg_deg, detuning_deg), **plain(here, "md", md or {})}
    frames = max(math.ceil(seconds / frame_s - 1e-9), 1)
    start = {
        "plan_name": here,
        "detectors": [detector.name],
        "num_points": frames,
        "plan_args": {
            "seconds": seconds,
            "frame_s": frame_s,
            "bragg_deg": bragg_deg,
            "detuning_deg": detuning_deg,
        },
        "hints": {"dimensions": [(("time",), "primary")]},
        **metadata,
    }
    if baseline is None:
        baseline = [each for each in (theta, shutter, ring, monitor) if each is not None]

    def read_baseline() -> MsgGenerator[None]:
        if baseline:
            yield from bps.trigger_and_read(list(baseline), name="baseline")

    def frames_with_beam() -> MsgGenerator[None]:
        yield from read_baseline()
        yield from fly_frames(detector, flush_s=flush_s)
        yield from read_baseline()

    def staged_run() -> MsgGenerator[str]:
        body = say_why(with_shutter_open(frames_with_beam(), shutter))
        run = bpp.run_wrapper(body, md=start)
        return (yield from bpp.stage_wrapper(run, [detector]))

    if theta is not None:
        yield from set_detuning(theta, bragg_deg, detuning_deg)
    values = {detector.num_frames: frames, detector.frame_time_s: frame_s}
    uid = yield from with_values(staged_run(), values)
    count = int((yield from bps.rd(detector.raw_count, default_value=frames)))
    return CollectResult(
        run_uid=str(uid),
        raw_uri=str((yield from bps.rd(detector.raw_uri, default_value=""))),
        raw_template=str((yield from bps.rd(detector.raw_template, default_value=""))),
        frames=count,
        raw_bytes=int((yield from bps.rd(detector.raw_bytes, default_value=0))),
        seconds=count * frame_s,
    )

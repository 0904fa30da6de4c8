"""Acquisitions of the detector: with an event a frame while it runs, or one event in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.protocols import Readable
from bluesky.utils import FailedStatus, MsgGenerator, short_uid

from twinbeam.devices import TimePix3Detector
from twinbeam.errors import BeamlineError
from twinbeam.plans._annotations import typed_signature
from twinbeam.plans.report import say
from twinbeam.store import raw_files

__all__ = ["fly_frames", "shoot", "wait_done"]

_LOOK_S = 0.2
_MOST_SHOTS = 20
_MOST_LOSSES = 3


@typed_signature
def fly_frames(
    detector: TimePix3Detector,
    *,
    flush_s: float = 0.5,
    stream: str = "primary",
    declare: bool = True,
    enough: Callable[[], bool] | None = None,
) -> MsgGenerator[int]:
    """Make one acquisition of a staged detector in the open run.

    Events of complete frames come out every `flush_s` while it runs. When it is broken off, the
    detector is stopped first and frames that are complete by then get their events too.

    A pause of the RunEngine does not pause the detector: its frames get their events when the
    RunEngine resumes.

    Parameters
    ----------
    detector
        Staged detector; its `num_frames` and `frame_time_s` say how long it takes.
    flush_s
        Time between two looks for complete frames, in seconds.
    stream
        Name of the event stream.
    declare
        Whether the stream is new in this run.
    enough
        Asked after every look, once a frame is complete; the acquisition is ended early when it
        says so. Must not block.

    Returns
    -------
    int
        Frames that are complete; all of them when nobody ended the acquisition early.
    """
    wanted = int(detector.num_frames.get())
    complete = 0
    if declare:
        yield from bps.declare_stream(detector, name=stream, collect=True)
    try:
        # a group of its own: in that of no name a failure stays, and fails every later start
        yield from bps.kickoff(detector, group=short_uid("start"), wait=True)
        group = short_uid("frames")
        status = yield from bps.complete(detector, group=group, wait=False)
        yield from bps.checkpoint()  # a pause just after its end would otherwise begin another one
        # Not collect_while_completing: that never ends when nobody answers, as in a summary, and
        # takes a wait that a pause interrupted for the end.
        while status is not None and not status.done:
            done = yield from bps.wait(group=group, timeout=flush_s, error_on_timeout=False)
            pages = yield from bps.collect(detector, name=stream, return_payload=True)
            yield from bps.checkpoint()
            complete += sum(len(page["time"]) for page in pages or ())
            # the analysis reads a frame while it is written; cut short, nothing of it would count
            if enough is not None and complete and not status.done and enough():
                yield from bps.stop(detector)
            elif done is not False and not status.done:
                yield from bps.sleep(flush_s)
        yield from bps.wait(group=group)
        if status is not None and status.exception() is not None:
            raise status.exception()  # its wait was lost in a pause
        yield from bps.collect(detector, name=stream, return_payload=False)
        yield from bps.checkpoint()
    except Exception:
        yield from bps.stop(detector)
        yield from bps.collect(detector, name=stream, return_payload=False)
        raise
    return wanted if status is None else int(detector.raw_count.get())


def wait_done(status: Any, group: str) -> MsgGenerator[None]:
    """Wait for one status until it is done, however often the RunEngine pauses meanwhile.

    A wait that a pause interrupted is not taken for the end. Without a RunEngine, as when a plan is
    summarised, there is no status and nothing to wait for.
    """
    yield from bps.wait(group=group)
    while status is not None and not status.done:
        yield from bps.sleep(_LOOK_S)
    if status is not None and status.exception() is not None:
        raise status.exception()


def shoot(
    detector: TimePix3Detector, others: Sequence[Readable] = (), *, stream: str = "primary"
) -> MsgGenerator[list[Path]]:
    """Make one acquisition of a staged detector and one event for it, in the open run.

    An acquisition that is ended from outside before all frames are there, as by
    `suspend_on_beam_loss`, has no event; another one is made in its place. So it is with one of
    which the detector has dropped frames, but only twice.

    Parameters
    ----------
    detector
        Staged detector; its `num_frames` and `frame_time_s` say how long it takes.
    others
        What else is read into the event.
    stream
        Name of the event stream.

    Returns
    -------
    list of Path
        The raw files; none without a RunEngine.

    Raises
    ------
    BeamlineError
        If it is ended from outside again and again, or the detector drops frames every time.
    """
    wanted, losses = int(detector.num_frames.get()), 0
    for _ in range(_MOST_SHOTS):
        yield from bps.checkpoint()
        before = detector.raw_template.get()
        try:
            group = short_uid("shot")
            status = yield from bps.trigger(detector, group=group)
            yield from wait_done(status, group)
        except Exception as error:
            yield from bps.stop(detector)
            if not _has_dropped(error):
                raise
            losses += 1
            if losses == _MOST_LOSSES:
                raise _drops_always(detector, losses) from error
            say(f"  exposed again: the detector dropped frames, time {losses} of {_MOST_LOSSES}")
            continue
        known = detector.raw_template.get() != before  # otherwise it is a summary
        frames = int(detector.raw_count.get())
        if not known or frames >= wanted:
            break
        say(f"  exposed again: it was ended from outside after {frames} of {wanted} frames")
    else:
        raise BeamlineError(
            f"was ended from outside {_MOST_SHOTS} times before {wanted} frames were there",
            where=detector.name,
            hint="who stops the detector?",
        )
    yield from bps.checkpoint()
    yield from bps.create(stream)
    try:
        yield from bps.read(detector)
        for other in others:
            yield from bps.read(other)
    except Exception:
        yield from bps.drop()
        raise
    yield from bps.save()
    yield from bps.checkpoint()  # a pause while the shutter closes would otherwise expose again
    if not known:
        return []
    # not what `read` answers, which is lost if a pause comes just then
    keys = ("uri", "template", "first", "count", "bytes")
    signals = {key: getattr(detector, f"raw_{key}") for key in keys}
    data = {f"{detector.name}_raw_{key}": signal.get() for key, signal in signals.items()}
    return list(raw_files(data, detector.name).paths)


def _has_dropped(error: Exception) -> bool:
    """Whether an acquisition failed since the detector has dropped frames of it."""
    cause = error.__cause__ if isinstance(error, FailedStatus) else error
    return isinstance(cause, BeamlineError) and "DroppedFrames_RBV" in cause.what


def _drops_always(detector: TimePix3Detector, times: int) -> BeamlineError:
    return BeamlineError(
        f"has dropped frames of {times} acquisitions one after the other",
        where=detector.name,
        hint="take fewer hits a second: put attenuators in, or mask what is bright; in the dark, a"
        " higher threshold",
    )

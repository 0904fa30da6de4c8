"""One acquisition of the detector with an event a frame while it runs."""

from __future__ import annotations

import bluesky.plan_stubs as bps
from bluesky.utils import MsgGenerator, short_uid

from twinbeam.devices import TimePix3Detector
from twinbeam.plans._annotations import typed_signature

__all__ = ["fly_frames"]


@typed_signature
def fly_frames(
    detector: TimePix3Detector, *, flush_s: float = 0.5, stream: str = "primary"
) -> MsgGenerator[None]:
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
    """
    yield from bps.declare_stream(detector, name=stream, collect=True)
    try:
        yield from bps.kickoff(detector, wait=True)
        group = short_uid("frames")
        status = yield from bps.complete(detector, group=group, wait=False)
        # Not collect_while_completing: that never ends when nobody answers, as in a summary, and
        # takes a wait that a pause interrupted for the end.
        while status is not None and not status.done:
            done = yield from bps.wait(group=group, timeout=flush_s, error_on_timeout=False)
            yield from bps.collect(detector, name=stream, return_payload=False)
            if done is not False and not status.done:
                yield from bps.sleep(flush_s)
        yield from bps.wait(group=group)
        yield from bps.collect(detector, name=stream, return_payload=False)
    except Exception:
        yield from bps.stop(detector)
        yield from bps.collect(detector, name=stream, return_payload=False)
        raise

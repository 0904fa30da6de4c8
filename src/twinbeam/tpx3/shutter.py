"""When the shutter was open, as the raw words tell."""

from __future__ import annotations

from dataclasses import dataclass

from twinbeam.tpx3.census import Census
from twinbeam.tpx3.notes import Note

__all__ = ["ShutterInterval", "shutter_intervals"]


@dataclass(frozen=True)
class ShutterInterval:
    """An opening of the shutter.

    Attributes
    ----------
    opened, closed
        Times in ticks; None when the stream does not tell.
    """

    opened: int | None
    closed: int | None


def shutter_intervals(census: Census) -> list[ShutterInterval]:
    """Openings of the shutter in order of time, the words of the four chips taken together.

    As many as the first noted words of each kind tell (100 when all chips send them).
    """
    events = sorted(
        {(t, 0) for t in census.noted(Note.SHUTTER_OPEN).values}
        | {(t, 1) for t in census.noted(Note.SHUTTER_CLOSE).values}
    )
    intervals: list[ShutterInterval] = []
    opened: int | None = None
    for t, is_close in events:
        if is_close:
            intervals.append(ShutterInterval(opened, t))
            opened = None
        else:
            if opened is not None:
                intervals.append(ShutterInterval(opened, None))
            opened = t
    if opened is not None:
        intervals.append(ShutterInterval(opened, None))
    return intervals

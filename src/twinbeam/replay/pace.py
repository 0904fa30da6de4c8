"""Documents at the pace at which they once came."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

__all__ = ["Pace"]


class Pace:
    """Waits before each document until its time has come, counted from the first one.

    Parameters
    ----------
    speed
        How many times faster than it was: 1 is the original pace, 10 is ten times faster. None does
        not wait.
    latest
        Time in s since 1970 after which nothing is taken to have happened: events stamped by a
        clock that is ahead are not waited for longer than that.

    Raises
    ------
    ValueError
        If `speed` is not a positive number.
    """

    def __init__(self, speed: float | None, latest: float | None = None) -> None:
        if speed is not None and not (speed > 0.0 and math.isfinite(speed)):
            raise ValueError(f"speed must be a positive number, not {speed}")
        self._speed = speed
        self._latest = math.inf if latest is None else latest
        self._began: tuple[float, float] | None = None

    def wait(self, document: Mapping[str, Any]) -> None:
        """Return when it is time for this document; at once when it has no time."""
        if self._speed is None:
            return
        stamp = _time_of(document)
        if stamp is None:
            return
        if self._began is None:
            self._began = time.monotonic(), stamp
        begun, first = self._began
        due = begun + (min(stamp, self._latest) - first) / self._speed
        left = due - time.monotonic()
        if left > 0.0:
            time.sleep(left)  # Ctrl-C ends it


def _time_of(document: Mapping[str, Any]) -> float | None:
    """Time of a document, of a page that of its first event; None where there is none."""
    stamp = document.get("time")
    if isinstance(stamp, list):
        stamp = stamp[0] if stamp else None
    return float(stamp) if isinstance(stamp, int | float) and math.isfinite(stamp) else None

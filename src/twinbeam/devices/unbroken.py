"""Whether the connection to the driver held while several things were written one by one."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any, Self

from twinbeam.devices.cam import TimePix3Cam
from twinbeam.errors import BeamlineError

__all__ = ["Unbroken"]

_AWAY_S = 3.0
_POLL_S = 0.02


class Unbroken:
    """Context in which a loss of the connection is noticed, however short.

    An IOC that was started again meanwhile has forgotten what was written before; so what goes on
    as if nothing had happened would be half of it.

    Parameters
    ----------
    cam
        The driver; None for a connection that is never looked at.
    """

    def __init__(self, cam: TimePix3Cam | None) -> None:
        self._cam = cam
        self._lost = threading.Event()
        self._token = 0

    def __enter__(self) -> Self:
        if self._cam is not None:
            acquire = self._cam.acquire
            self._token = acquire.subscribe(self._told, event_type=acquire.SUB_META, run=False)
        return self

    def __exit__(self, *_: object) -> None:
        if self._cam is not None:
            with contextlib.suppress(KeyError):  # the device was destroyed meanwhile
                self._cam.acquire.unsubscribe(self._token)

    def _told(self, *_: Any, connected: bool = False, **__: Any) -> None:
        if not connected:
            self._lost.set()

    def check(self) -> None:
        """Make sure that it held.

        Raises
        ------
        BeamlineError
            If it was lost.
        """
        if self._lost.is_set() and self._cam is not None:
            raise BeamlineError(
                "the connection to the detector IOC was lost meanwhile",
                where=self._cam.prefix,
                hint="see whether the IOC runs, and load it again",
            )

    def renew(self) -> None:
        """Forget a loss, and give the connection a moment to come back; for cleaning up."""
        deadline = time.monotonic() + _AWAY_S
        while self._cam is not None and not self._cam.connected and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        self._lost.clear()

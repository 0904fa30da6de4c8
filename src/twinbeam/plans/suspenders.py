"""Suspenders: when a RunEngine waits by itself, and goes on by itself.

Install them with ``RE.install_suspender(suspend_on_beam_loss(ring, detector))``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.suspenders import SuspendBoolLow, SuspenderBase, SuspendFloor, SuspendWhenOutsideBand
from bluesky.utils import MsgGenerator
from ophyd.signal import Signal

from twinbeam.devices import RingCurrent, TimePix3Detector
from twinbeam.plans._guards import check_number

__all__ = [
    "SuspendUnless",
    "suspend_on_beam_loss",
    "suspend_on_closed_shutter",
    "suspend_on_detector_loss",
    "suspend_outside",
]


class SuspendUnless(SuspenderBase):
    """Suspend while a signal has another value than the wanted one, words compared without case.

    Parameters
    ----------
    signal
        The signal to watch.
    wanted
        The value with which plans may go on.
    kwargs
        As every suspender of bluesky takes them.
    """

    def __init__(self, signal: Signal, wanted: Any, **kwargs: Any) -> None:
        super().__init__(signal, **kwargs)
        self._wanted = wanted

    def _is_wanted(self, value: Any) -> bool:
        if isinstance(self._wanted, str):
            return str(value).strip().lower() == self._wanted.strip().lower()
        return bool(value == self._wanted)

    def _should_suspend(self, value: Any) -> bool:
        return not self._is_wanted(value)

    def _should_resume(self, value: Any) -> bool:
        return self._is_wanted(value)

    def _get_justification(self) -> str:
        if not self.tripped:
            return ""
        what = f"{self._sig.name} is not {self._wanted!r}"
        return ": ".join(part for part in (what, self._tripped_message) if part)


def _stopping(detector: TimePix3Detector | None) -> Callable[[], MsgGenerator[None]] | None:
    """Plan that ends a running acquisition, so that no frames without beam are written."""
    if detector is None:
        return None

    def stop() -> MsgGenerator[None]:
        yield from bps.stop(detector)

    return stop


def suspend_on_beam_loss(
    ring: RingCurrent,
    detector: TimePix3Detector | None = None,
    *,
    below_ma: float = 50.0,
    resume_ma: float | None = None,
    settle_s: float = 60.0,
) -> SuspendFloor:
    """Wait while the stored current is low.

    Parameters
    ----------
    ring
        The storage ring.
    detector
        Its acquisition is ended when the beam goes; `collect_pairs` begins another one afterwards
        and loses only the frame that was cut short. None lets it run on without beam.
    below_ma
        Current below which plans wait, in milliamperes.
    resume_ma
        Current from which they go on; 1.2 times `below_ma` when left out.
    settle_s
        Time for the optics to settle after the beam is back, in seconds.

    Raises
    ------
    BeamlineError
        If a current is out of bounds.
    """
    here = "suspend_on_beam_loss"
    back_ma = 1.2 * below_ma if resume_ma is None else resume_ma
    check_number(here, "below_ma", below_ma, 0.0, 1e4, hint="in milliamperes")
    check_number(here, "resume_ma", back_ma, below_ma - 1e-9, 1e5, hint="in milliamperes")
    check_number(here, "settle_s", settle_s, -1e-9, 86_400.0)
    return SuspendFloor(
        ring.current,
        below_ma,
        resume_thresh=back_ma,
        sleep=settle_s,
        pre_plan=_stopping(detector),
        tripped_message="the beam is lost; it goes on by itself when it is back",
    )


def suspend_on_closed_shutter(
    status: Signal,
    detector: TimePix3Detector | None = None,
    *,
    open_value: Any = "Open",
    settle_s: float = 5.0,
) -> SuspendUnless:
    """Wait while a shutter that plans do not operate is closed, such as that of the front end.

    Not for the photon shutter: plans close it themselves and would then wait for ever.

    Parameters
    ----------
    status
        State of the shutter.
    detector
        As for `suspend_on_beam_loss`.
    open_value
        What it reads when the shutter is open.
    settle_s
        Time after it has opened, in seconds.

    Raises
    ------
    BeamlineError
        If the time is out of bounds.
    """
    check_number("suspend_on_closed_shutter", "settle_s", settle_s, -1e-9, 86_400.0)
    return SuspendUnless(
        status,
        open_value,
        sleep=settle_s,
        pre_plan=_stopping(detector),
        tripped_message="a shutter is closed; it goes on by itself when it is open",
    )


def suspend_on_detector_loss(
    detector: TimePix3Detector, *, settle_s: float = 10.0
) -> SuspendBoolLow:
    """Wait while the driver has no connection to the detector.

    An acquisition that runs then fails by itself; `collect_pairs` tries again when plans go on.

    Raises
    ------
    BeamlineError
        If the time is out of bounds.
    """
    check_number("suspend_on_detector_loss", "settle_s", settle_s, -1e-9, 86_400.0)
    return SuspendBoolLow(
        detector.cam.detector_connected,
        sleep=settle_s,
        tripped_message="the detector is away; it goes on by itself when it is back",
    )


def suspend_outside(
    signal: Signal,
    low: float,
    high: float,
    detector: TimePix3Detector | None = None,
    *,
    settle_s: float = 10.0,
) -> SuspendWhenOutsideBand:
    """Wait while a value such as a temperature, a humidity or a bias is outside a band.

    Parameters
    ----------
    signal
        What to watch.
    low, high
        Ends of the band, in the signal's units.
    detector
        As for `suspend_on_beam_loss`.
    settle_s
        Time after it came back, in seconds.

    Raises
    ------
    BeamlineError
        If the band is empty, or the time out of bounds.
    """
    check_number("suspend_outside", "high", high, low, 1e300)
    check_number("suspend_outside", "settle_s", settle_s, -1e-9, 86_400.0)
    return SuspendWhenOutsideBand(
        signal,
        low,
        high,
        sleep=settle_s,
        pre_plan=_stopping(detector),
        tripped_message=f"outside {low:g} to {high:g}",
    )

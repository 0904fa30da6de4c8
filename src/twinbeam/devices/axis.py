"""A motor record whose moves end from below and whose failures say why."""

from __future__ import annotations

import functools
import math
import threading
import time
from collections.abc import Callable
from typing import Any

from ophyd import Component as Cpt
from ophyd import EpicsMotor, EpicsSignal, EpicsSignalRO
from ophyd.status import MoveStatus
from ophyd.status import wait as status_wait
from ophyd.utils import DisconnectedError, InvalidState

from twinbeam.errors import BeamlineError

__all__ = ["Axis"]

_LONGEST_MOVE_S = 120.0
_POLL_S = 0.02
_LOOK_S = 1.0
_SETTLED_S = 0.3


class Axis(EpicsMotor):
    """An `EpicsMotor` that takes up mechanical play, and fails with a `BeamlineError`.

    A move down goes `approach` too far and comes back up, so that every move ends in the same
    direction; records that do so by themselves (`BDST`) are left alone.

    Parameters
    ----------
    approach
        Length of the last, upward part of a move down, in the units of the motor; more than the
        play of the mechanics. 0 goes straight.
    """

    # ophyd connects monitored signals one after the other; what is only read now and then is not
    # monitored, and what hardly anybody looks at is connected when it is.
    motor_egu = Cpt(EpicsSignal, ".EGU", kind="config", auto_monitor=False)
    high_limit_switch = Cpt(EpicsSignalRO, ".HLS", kind="omitted", auto_monitor=False)
    low_limit_switch = Cpt(EpicsSignalRO, ".LLS", kind="omitted", auto_monitor=False)
    direction_of_travel = Cpt(EpicsSignal, ".TDIR", kind="omitted", auto_monitor=False)
    motor_is_moving = Cpt(EpicsSignalRO, ".MOVN", kind="omitted", auto_monitor=False)
    user_offset = Cpt(EpicsSignal, ".OFF", kind="config", auto_monitor=False)
    user_offset_dir = Cpt(EpicsSignal, ".DIR", kind="config", auto_monitor=False)
    velocity = Cpt(EpicsSignal, ".VELO", kind="config", auto_monitor=False)
    acceleration = Cpt(EpicsSignal, ".ACCL", kind="config", auto_monitor=False)
    offset_freeze_switch = Cpt(EpicsSignal, ".FOFF", kind="omitted", lazy=True)
    set_use_switch = Cpt(EpicsSignal, ".SET", kind="omitted", lazy=True)
    home_forward = Cpt(EpicsSignal, ".HOMF", kind="omitted", lazy=True)
    home_reverse = Cpt(EpicsSignal, ".HOMR", kind="omitted", lazy=True)
    backlash = Cpt(EpicsSignal, ".BDST", kind="omitted")

    def __init__(self, *args: Any, approach: float = 0.0, **kwargs: Any) -> None:
        kwargs.setdefault("timeout", _LONGEST_MOVE_S)
        self.approach = float(approach)
        self._order = threading.RLock()
        self._whole: MoveStatus | None = None
        self._stopped: MoveStatus | None = None
        super().__init__(*args, **kwargs)

    def move(
        self,
        position: float,
        wait: bool = True,
        timeout: float | None = None,
        moved_cb: Callable[..., None] | None = None,
        **kwargs: Any,
    ) -> MoveStatus:
        """Move to a position, from below.

        Parameters
        ----------
        position
            Where to go.
        wait
            Whether to return only when it stands.
        timeout
            Longest time of each part of the move in seconds.
        moved_cb
            Called with the status and ``obj=self`` when it stands.

        Returns
        -------
        MoveStatus
            Fails with a `BeamlineError` if the motor does not get there.

        Raises
        ------
        BeamlineError
            If the motor is not connected.
        LimitError
            If the position is outside the limits; nothing moves then.
        """
        if not self.connected:
            raise self._away("is not connected")
        self.check_value(position)
        whole = MoveStatus(self, position, call_stop_on_failure=False)
        if moved_cb is not None:
            whole.add_callback(functools.partial(moved_cb, obj=self))
        with self._order:
            superseded, self._whole = self._whole, whole
        if superseded is not None:
            self._end(superseded, "another move was begun before this one had ended")
        places = self._places(float(position))
        try:
            self._next_part(whole, places, timeout, kwargs, overlaps=superseded is not None)
            if wait:
                status_wait(whole)
        except KeyboardInterrupt:
            self.stop()
            raise
        except (OSError, DisconnectedError) as error:  # the connection ends just now
            with self._order:
                if self._whole is whole:
                    self._whole = None
            raise self._away(f"does not answer: {error}") from error
        return whole

    def stop(self, *, success: bool = False) -> None:
        """Stop, and do not begin the next part of the move."""
        with self._order:
            if not success:
                self._stopped = self._whole or self._stopped
            self._whole = None
        super().stop(success=success)

    def _away(self, what: str) -> BeamlineError:
        return BeamlineError(
            f"{self.name} {what}",
            where=self.prefix,
            hint="an IOC may have ended; when it is back the device connects again by itself",
        )

    def _places(self, position: float) -> list[float]:
        """Where to go one after the other."""
        if not self.approach or position >= self.position:
            return [position]
        try:
            if float(self.backlash.get()) != 0.0:
                return [position]
        except (TimeoutError, DisconnectedError):
            pass  # the move itself will say that the motor does not answer
        low, high = self.limits
        below = position - self.approach
        return [max(below, low) if low < high else below, position]

    def _next_part(
        self,
        whole: MoveStatus,
        places: list[float],
        timeout: float | None,
        kwargs: dict[str, Any],
        overlaps: bool = False,
    ) -> None:
        place, *others = places
        part = super().move(place, wait=False, timeout=timeout, **kwargs)
        # ophyd lets a failed status stop the motor, whichever move that is by then
        part._call_stop_on_failure = False
        self._look_after(part, place)

        def ended(status: MoveStatus) -> None:
            if status.success and (overlaps or not self._near(self.position, place)):
                self._wait_until_at(place, whole)
            with self._order:
                wanted, stopped = self._whole is whole, self._stopped is whole
            if stopped or (wanted and not status.success):
                why = self._why(status)
                if wanted:
                    super(Axis, self).stop(success=False)
                self._end(whole, why)
            elif not others or not wanted:  # not wanted: stopped, and that counts as success
                self._end(whole, None)
            else:
                try:
                    self._next_part(whole, others, timeout, kwargs, overlaps)
                except Exception as error:  # nobody else is told: this runs in a callback
                    self._end(whole, str(error))

        part.add_callback(ended)

    def _look_after(self, part: MoveStatus, place: float) -> None:
        """End a part of a move that stands where it should, though nobody has told its end.

        That is so when the connection comes back just then: ophyd looks for an end that it was
        told the beginning of.
        """

        def look() -> None:
            if part.done:
                return
            try:
                there = self._stands_at(place)
            except (TimeoutError, DisconnectedError):
                there = False
            if there and not part.done:
                self._moving = False
                self._done_moving(success=True)
            else:
                self._look_after(part, place)

        timer = threading.Timer(_LOOK_S, look)
        timer.daemon = True
        timer.start()
        part.add_callback(lambda _: timer.cancel())

    def _near(self, readback: float, place: float) -> bool:
        return abs(readback - place) <= 10.0 ** -min(int(self.precision), 6)

    def _stands_at(self, place: float) -> bool:
        """Whether the record, asked now, says that it does not move and is where it should be."""
        readback = float(self.user_readback.get(use_monitor=False))
        if self.motor_done_move.get(use_monitor=False) != 1 or not self._near(readback, place):
            return False
        self._set_position(readback)
        return True

    def _wait_until_at(self, place: float, whole: MoveStatus) -> None:
        """The end that was told may be that of another move; look until it is this one's.

        A motor that stands somewhere else, and goes on standing, has ended too.
        """
        deadline = time.monotonic() + (self.timeout or _LONGEST_MOVE_S)
        stood, since = math.nan, 0.0
        while self._whole is whole and (now := time.monotonic()) < deadline:
            try:
                if self._stands_at(place):
                    return
                readback = float(self.user_readback.get(use_monitor=False))
                standing = self.motor_done_move.get(use_monitor=False) == 1
            except (TimeoutError, DisconnectedError):
                return
            if not standing or readback != stood:
                stood, since = readback, now
            elif now - since > _SETTLED_S:
                self._set_position(readback)
                return
            time.sleep(_POLL_S)

    def _end(self, whole: MoveStatus, why_not: str | None) -> None:
        with self._order:
            if self._whole is whole:
                self._whole = None
        try:
            if why_not is None:
                whole.set_finished()
                return
            whole.set_exception(
                BeamlineError(
                    f"{self.name} did not get to {whole.target:.6g}: {why_not}",
                    where=self.prefix,
                    hint="look at the motor's screen: limits, alarm, and SPMG on Go",
                )
            )
        except InvalidState:
            pass  # it has ended already

    def _why(self, status: MoveStatus) -> str:
        """What the record knows about a move that failed."""
        error = status.exception()
        place = f"it stands at {self.position:.6g} {self.motor_egu.get()}"
        if isinstance(error, TimeoutError):
            return f"no end of the move was told in time; {place}"
        if self.high_limit_switch.get():
            return f"it is at its high limit switch; {place}"
        if self.low_limit_switch.get():
            return f"it is at its low limit switch; {place}"
        if self.user_readback.alarm_severity:
            alarm = self.user_readback.alarm_status
            return f"the record is in alarm {getattr(alarm, 'name', alarm)}; {place}"
        return f"it was stopped; {place}"

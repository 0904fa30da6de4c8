"""What every plan promises, whatever happens in it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from numbers import Integral
from typing import Any, Literal, TypeVar

import bluesky.plan_stubs as bps
import numpy as np
from bluesky.utils import FailedStatus, MsgGenerator, short_uid
from ophyd.signal import Signal
from ophyd.utils import DisconnectedError, LimitError

from twinbeam.devices import Shutter
from twinbeam.errors import BeamlineError
from twinbeam.plans._arguments import is_number

__all__ = [
    "and_always",
    "check_angle",
    "check_number",
    "check_travel",
    "check_whole",
    "plain",
    "say_why",
    "set_shutter",
    "with_shutter_open",
    "with_values",
]

T = TypeVar("T")

_MOST_ATTEMPTS = 3
_NO_ANSWER_S = 30.0  # longer than devices themselves take to complain
_PV_IN_WORDS = re.compile(r"<PV name='([^']+)'")
_DEVICE_IN_WORDS = re.compile(r"^(\S+) is not connected$")


def check_number(
    plan: str, name: str, value: float, low: float, high: float, *, hint: str | None = None
) -> None:
    """Make sure that an argument of a plan is a number in `low` < value <= `high`.

    Raises
    ------
    BeamlineError
        If it is not.
    """
    if not (is_number(value) and low < value <= high):
        raise BeamlineError(
            f"{name} must be above {low:g} and at most {high:g}, got {value!r}",
            where=plan,
            hint=hint,
        )


def check_angle(plan: str, name: str, value: float, most: float) -> None:
    """Make sure that an angle in degrees is finite and not larger than `most` either way.

    Raises
    ------
    BeamlineError
        If it is not.
    """
    if not (is_number(value) and math.isfinite(value) and abs(value) <= most):
        raise BeamlineError(
            f"{name} must be an angle within {most:g} degrees of 0, got {value!r}",
            where=plan,
            hint="angles are in degrees, not in millidegrees",
        )


def check_whole(plan: str, name: str, value: int, low: int, high: int) -> None:
    """Make sure that an argument is a whole number in `low` <= value <= `high`.

    Raises
    ------
    BeamlineError
        If it is not.
    """
    if not (is_number(value) and isinstance(value, Integral) and low <= value <= high):
        raise BeamlineError(
            f"{name} must be a whole number from {low} to {high}, got {value!r}", where=plan
        )


def check_travel(plan: str, motor: Any, *positions: float) -> None:
    """Make sure that a motor may go to all positions, before it goes to the first.

    Anything that can be moved will do: limits are looked at where there are any, and otherwise the
    device's own `check_value` is asked.

    Raises
    ------
    BeamlineError
        If one is outside its limits (equal limits are none), or the motor is not connected.
    """
    try:
        low, high = getattr(motor, "limits", None) or (None, None)
        if low is None or high is None or low >= high:
            check = getattr(motor, "check_value", None)
            if check is not None:
                for position in positions:
                    check(position)
            return
    except (DisconnectedError, TimeoutError):
        raise BeamlineError(
            f"{motor.name} is not connected", where=plan, hint="twinbeam.devices.connect says why"
        ) from None
    except (LimitError, ValueError) as error:
        raise _outside(plan, motor, str(error)) from error
    for position in positions:
        if not low <= position <= high:
            raise _outside(
                plan,
                motor,
                f"would go to {position:.6f}, outside its limits {low:g} to {high:g}",
            )


def _outside(plan: str, motor: Any, what: str) -> BeamlineError:
    return BeamlineError(
        f"{motor.name} {what}",
        where=plan,
        hint="nothing has moved; check the positions, or the motor's limits",
    )


def plain(plan: str, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping as it is after JSON, as start documents need it.

    Raises
    ------
    BeamlineError
        If something in it has no form in JSON.
    """
    try:
        copied: dict[str, Any] = json.loads(
            json.dumps(dict(values), allow_nan=False, default=_of_numpy)
        )
    except (TypeError, ValueError) as error:
        raise BeamlineError(
            f"{name} cannot be stored: {error}",
            where=plan,
            hint='pass plain values, such as recipe.model_dump(mode="json")',
        ) from error
    return copied


def _of_numpy(value: Any) -> Any:
    """A number of NumPy as one of Python, an array as a list."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def say_why(plan: MsgGenerator[T]) -> MsgGenerator[T]:
    """Let the device's own words out instead of the RunEngine's "FailedStatus"."""
    try:
        return (yield from plan)
    except FailedStatus as failure:
        cause = failure.__cause__
        if isinstance(cause, BeamlineError):
            raise cause from None
        status = failure.args[0] if failure.args else None
        device = getattr(status, "device", None) or getattr(status, "obj", None)
        name = getattr(device, "name", "") or "a device"
        reason = f"{type(cause).__name__}: {cause}" if cause else "it gave no reason"
        raise BeamlineError(
            f"{name} did not do what it was told: {reason}",
            where=str(getattr(device, "prefix", "") or name),
            hint="a motor may be stuck, stopped by somebody, or at a limit switch",
        ) from failure
    except (DisconnectedError, TimeoutError) as failure:
        named = _PV_IN_WORDS.search(str(failure)) or _DEVICE_IN_WORDS.match(str(failure))
        raise BeamlineError(
            "does not answer" if named else f"a device does not answer: {failure}",
            where=named.group(1) if named else "the beamline",
            hint="an IOC may have ended; twinbeam.devices.connect names what is missing",
        ) from failure


def and_always(
    plan: MsgGenerator[T], afterwards: Callable[[], MsgGenerator[None]]
) -> MsgGenerator[T]:
    """Run the plan, and another one however it ends.

    Unlike bluesky's `finalize_wrapper` it goes through the other one again when that is broken off
    itself, as by impatient Ctrl-C: what it tidies up matters more. A device that fails is not asked
    again.
    """
    try:
        result = yield from plan
    except GeneratorExit:  # nobody takes messages any more
        raise
    except BeamlineError as first:
        try:
            yield from _to_its_end(afterwards)
        except BeamlineError as second:
            raise _both(first, second) from first
        raise
    except BaseException:
        yield from _to_its_end(afterwards)
        raise
    yield from _to_its_end(afterwards)
    return result


def _both(first: BeamlineError, second: BeamlineError) -> BeamlineError:
    """What a plan failed with, and what it could not tidy up."""
    if second.what in first.what:
        return first
    where = "" if second.where in (None, first.where) else f"{second.where}: "
    return BeamlineError(
        f"{first.what}; then {where}{second.what}",
        where=first.where,
        hint="; ".join(dict.fromkeys(hint for hint in (second.hint, first.hint) if hint)),
    )


def _to_its_end(plan: Callable[[], MsgGenerator[None]]) -> MsgGenerator[None]:
    broken_off: Exception | None = None
    for _ in range(_MOST_ATTEMPTS):
        try:
            yield from plan()
        except (BeamlineError, FailedStatus):
            raise
        except Exception as error:
            broken_off = broken_off or error
        else:
            break
    if broken_off is not None:
        raise broken_off


def set_shutter(shutter: Shutter, state: Literal["open", "closed"]) -> MsgGenerator[None]:
    """Open or close a shutter and wait, but not for ever.

    Raises
    ------
    BeamlineError
        If it does not follow, or nobody says whether it does.
    """
    group = short_uid("shutter")

    def command() -> MsgGenerator[None]:
        yield from bps.abs_set(shutter, state, group=group)
        yield from bps.wait(group=group, timeout=_NO_ANSWER_S)

    yield from say_why(command())


def with_shutter_open(plan: MsgGenerator[T], shutter: Shutter | None) -> MsgGenerator[T]:
    """Open the shutter, run the plan, and close the shutter however the plan ends.

    Without a shutter nothing is opened or closed.

    Raises
    ------
    BeamlineError
        If it does not open or close.
    """
    if shutter is None:
        return (yield from plan)

    def opened() -> MsgGenerator[T]:
        yield from set_shutter(shutter, "open")
        return (yield from plan)

    def close() -> MsgGenerator[None]:
        try:
            yield from set_shutter(shutter, "closed")
        except BeamlineError as error:
            raise BeamlineError(
                f"{shutter.name} was not closed: {error.what}",
                where=error.where,
                hint="close it by hand, then look at its IOC",
            ) from error

    return (yield from and_always(say_why(opened()), close))


def with_values(plan: MsgGenerator[T], values: Mapping[Signal, Any]) -> MsgGenerator[T]:
    """Run the plan with other values of some signals, and set the old ones again afterwards.

    Raises
    ------
    BeamlineError
        If they cannot be set.
    """
    old: dict[Signal, Any] = {}

    def change() -> MsgGenerator[None]:
        for signal, value in values.items():
            old[signal] = yield from bps.rd(signal, default_value=value)
        yield from bps.mv(*_flat(values), timeout=_NO_ANSWER_S)

    def changed() -> MsgGenerator[T]:
        yield from say_why(change())
        return (yield from plan)

    def restore() -> MsgGenerator[None]:
        if old:
            yield from say_why(bps.mv(*_flat(old), timeout=_NO_ANSWER_S))

    return (yield from and_always(changed(), restore))


def _flat(values: Mapping[Signal, Any]) -> Iterator[Any]:
    for signal, value in values.items():
        yield from (signal, value)

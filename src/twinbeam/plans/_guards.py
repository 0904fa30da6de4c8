"""What every plan promises, whatever happens in it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.utils import FailedStatus, MsgGenerator
from ophyd.signal import Signal
from ophyd.utils import DisconnectedError, LimitError

from twinbeam.devices import Shutter
from twinbeam.errors import BeamlineError

__all__ = [
    "check_angle",
    "check_number",
    "check_travel",
    "check_whole",
    "plain",
    "say_why",
    "with_shutter_open",
    "with_values",
]

T = TypeVar("T")


def check_number(
    plan: str, name: str, value: float, low: float, high: float, *, hint: str | None = None
) -> None:
    """Make sure that an argument of a plan is a number in `low` < value <= `high`.

    Raises
    ------
    BeamlineError
        If it is not.
    """
    try:
        good = low < float(value) <= high
    except (TypeError, ValueError):
        good = False
    if not good:
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
    if not (isinstance(value, int | float) and math.isfinite(value) and abs(value) <= most):
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
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
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
        copied: dict[str, Any] = json.loads(json.dumps(dict(values), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise BeamlineError(
            f"{name} cannot be stored: {error}",
            where=plan,
            hint='pass plain values, such as recipe.model_dump(mode="json")',
        ) from error
    return copied


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
        raise BeamlineError(
            f"a device does not answer: {failure}",
            where="the beamline",
            hint="an IOC may have ended; twinbeam.devices.connect names what is missing",
        ) from failure


def with_shutter_open(plan: MsgGenerator[T], shutter: Shutter | None) -> MsgGenerator[T]:
    """Open the shutter, run the plan, and close the shutter however the plan ends.

    Without a shutter nothing is opened or closed.
    """
    if shutter is None:
        return (yield from plan)

    def opened() -> MsgGenerator[T]:
        yield from bps.abs_set(shutter, "open", wait=True)
        return (yield from plan)

    def close() -> MsgGenerator[None]:
        yield from bps.abs_set(shutter, "closed", wait=True)

    result: T = yield from bpp.finalize_wrapper(opened(), close)
    return result


def with_values(plan: MsgGenerator[T], values: Mapping[Signal, Any]) -> MsgGenerator[T]:
    """Run the plan with other values of some signals, and set the old ones again afterwards."""
    old: dict[Signal, Any] = {}

    def changed() -> MsgGenerator[T]:
        for signal, value in values.items():
            old[signal] = yield from bps.rd(signal, default_value=value)
        yield from bps.mv(*_flat(values))
        return (yield from plan)

    def restore() -> MsgGenerator[None]:
        if old:
            yield from bps.mv(*_flat(old))

    result: T = yield from bpp.finalize_wrapper(changed(), restore)
    return result


def _flat(values: Mapping[Signal, Any]) -> Iterator[Any]:
    for signal, value in values.items():
        yield from (signal, value)

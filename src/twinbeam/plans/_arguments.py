"""Arguments of plans held against their annotations, before anything moves."""

from __future__ import annotations

import difflib
import inspect
import reprlib
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Union, get_args, get_origin

from bluesky.protocols import Movable, NamedMovable, Readable
from ophyd import EpicsMotor

from twinbeam.devices import IntensityMonitor, RingCurrent, Shutter, TimePix3Detector
from twinbeam.errors import BeamlineError

__all__ = ["bound_arguments", "check_arguments", "is_number"]

#: What a device argument is called, and what plans use of it. Devices of other makes may be given,
#: so these are looked for and not the class.
_DEVICES: Mapping[Any, tuple[str, tuple[str, ...]]] = {
    TimePix3Detector: ("a Timepix3 detector", ("num_frames", "frame_time_s", "stage")),
    IntensityMonitor: ("an intensity monitor", ("count_time", "intensity", "trigger")),
    EpicsMotor: ("a motor", ("set", "user_readback")),
    Shutter: ("a shutter", ("set", "status")),
    RingCurrent: ("the ring current", ("current",)),
    Movable: ("something that moves", ("set",)),
    NamedMovable: ("something that moves", ("set", "name")),
    Readable: ("something that can be read", ("read", "name")),
}


def is_number(value: object) -> bool:
    """Whether it is a real number, NumPy's too; a truth value is none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def bound_arguments(
    plan: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of a call by their names.

    Raises
    ------
    BeamlineError
        If one is missing, or there is none of that name.
    """
    signature, name = inspect.signature(plan), plan.__name__
    try:
        return dict(signature.bind(*args, **kwargs).arguments)
    except TypeError as error:
        unknown = [key for key in kwargs if key not in signature.parameters]
        near = difflib.get_close_matches(unknown[0], signature.parameters, 1) if unknown else []
        hint = f"did you mean {near[0]}?" if near else f"{name}? tells what it takes"
        raise BeamlineError(str(error), where=name, hint=hint) from None


def check_arguments(plan: str, values: Mapping[str, Any], hints: Mapping[str, Any]) -> None:
    """Make sure that arguments are what the annotations say.

    Numbers, sequences of numbers, texts, mappings and devices are looked at; whether a number is
    within bounds is for the plan to say.

    Parameters
    ----------
    plan
        Named in errors.
    values
        Arguments by their names.
    hints
        Annotations by the same names.

    Raises
    ------
    BeamlineError
        Naming the first that is something else.
    """
    for name, value in values.items():
        wanted = _complaint(hints.get(name), value)
        if wanted:
            raise BeamlineError(
                f"{name} must be {wanted}, got {_short(value)}",
                where=plan,
                hint=f"{plan}? tells what it takes",
            )


def _complaint(hint: Any, value: Any) -> str:
    """What it must be instead; empty if it is that, or if nothing is known about the hint."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return ""
        wanted = [_complaint(each, value) for each in inner if each is not type(None)]
        return " or ".join(wanted) if all(wanted) else ""
    if hint is float:
        return "" if is_number(value) else "a number"
    if hint is int:
        return "" if isinstance(value, Integral) and is_number(value) else "a whole number"
    if hint is str:
        return "" if isinstance(value, str) else "a text"
    if origin is Mapping:
        if hasattr(value, "as_dict"):  # a recipe
            return "a mapping, as its as_dict() gives it"
        return "" if isinstance(value, Mapping) else "a mapping such as {'sample': 'mask 1'}"
    if origin is Sequence:
        return _complaint_about_several(inner[0], value)
    if hint in _DEVICES:
        what, uses = _DEVICES[hint]
        return "" if all(_has(value, each) for each in uses) else what
    return ""


def _complaint_about_several(hint: Any, values: Any) -> str:
    # an iterator would be used up by looking
    several = isinstance(values, Iterable) and not isinstance(
        values, str | bytes | Mapping | Iterator
    )
    if several and not any(_complaint(hint, each) for each in values):
        return ""
    if hint is float:
        return "several numbers such as [1.0, 2.0]"
    return f"several, each {_DEVICES[hint][0]}" if hint in _DEVICES else ""


def _has(device: Any, attribute: str) -> bool:
    """Whether there is such an attribute; a device is not touched for it."""
    return inspect.getattr_static(device, attribute, None) is not None


def _short(value: Any) -> str:
    """What was given, in a few words: of a device its name and class."""
    name = getattr(value, "name", None)
    if isinstance(name, str) and not isinstance(value, type):
        return f"{name} ({type(value).__name__})"
    return reprlib.repr(value)

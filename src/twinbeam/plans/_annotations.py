"""Annotations of plans as real types, for programs that look at signatures."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from bluesky.protocols import Flyable, Movable, NamedMovable, Readable
from ophyd.ophydobj import OphydObject

from twinbeam.errors import BeamlineError
from twinbeam.plans._arguments import bound_arguments, check_arguments

__all__ = ["bind", "typed_signature"]

P = ParamSpec("P")
R = TypeVar("R")

_PROTOCOLS: dict[Any, str] = {
    Movable: "__MOVABLE__",
    NamedMovable: "__MOVABLE__",
    Readable: "__READABLE__",
    Flyable: "__FLYABLE__",
}
_QUEUE_SERVER = "_custom_parameter_annotation_"


def typed_signature(plan: Callable[P, R]) -> Callable[P, R]:
    """Replace the postponed annotations of a plan by types, and hold its arguments against them.

    bluesky-queueserver reads annotations as they are and would take ``"float"`` for a string; of
    our device classes it knows nothing, so it is told to take names of devices there. An argument
    that is missing, unknown or of another kind is a `BeamlineError` before the first message.
    """
    hints = get_type_hints(plan)
    plan.__annotations__ = hints

    @wraps(plan)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Any:
        check_arguments(plan.__name__, bound_arguments(plan, args, kwargs), hints)
        return (yield from cast(Any, plan(*args, **kwargs)))

    devices = {name: _as_device(hint) for name, hint in hints.items() if name != "return"}
    told = {name: {"annotation": words} for name, words in devices.items() if words}
    setattr(checked, _QUEUE_SERVER, {"parameters": told})
    return cast(Callable[P, R], checked)


def bind(plan: Callable[..., R], **given: Any) -> Callable[..., R]:
    """The same plan with some arguments given for good; they leave its signature.

    For objects that a queue server cannot name, such as live results:
    ``detuning_scan = bind(detuning_scan, results=live_results(live))``.

    Raises
    ------
    BeamlineError
        If the plan has no such argument.
    """
    signature = inspect.signature(plan)
    unknown = sorted(set(given) - set(signature.parameters))
    name = getattr(plan, "__name__", "plan")
    if unknown:
        raise BeamlineError(f"has no argument {', '.join(unknown)}", where=name)

    @wraps(plan)
    def bound(*args: Any, **kwargs: Any) -> Any:
        return (yield from cast(Any, plan(*args, **{**given, **kwargs})))

    del bound.__dict__["__wrapped__"]
    left = [parameter for key, parameter in signature.parameters.items() if key not in given]
    bound.__dict__["__signature__"] = signature.replace(parameters=left)
    bound.__annotations__ = {k: v for k, v in plan.__annotations__.items() if k not in given}
    told = getattr(plan, _QUEUE_SERVER, {"parameters": {}})["parameters"]
    setattr(bound, _QUEUE_SERVER, {"parameters": {k: v for k, v in told.items() if k not in given}})
    return cast(Callable[..., R], bound)


def _as_device(hint: Any) -> str | None:
    """How the queue server writes a device argument; None for anything else."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = [each for each in get_args(hint) if each is not type(None)]
        word = _as_device(inner[0]) if len(inner) == 1 else None
        return f"typing.Optional[{word}]" if word else None
    origin = get_origin(hint) or hint
    if origin in _PROTOCOLS:
        return _PROTOCOLS[origin]
    is_device = isinstance(origin, type) and issubclass(origin, OphydObject)
    return "__DEVICE__" if is_device else None

"""The plans of the experiment, as the prompt has them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import twinbeam.plans
from twinbeam.plans import bind, live_results

__all__ = ["published_plans"]


def published_plans(namespace: Mapping[str, Any], live: Any = None) -> dict[str, Any]:
    """All public names of `twinbeam.plans` that are not taken, so that new ones come by themselves.

    Parameters
    ----------
    namespace
        What is there already. Devices and tools keep their names; a name that is not published is
        found in `twinbeam.plans` all the same.
    live
        Source of live results. Plans that take `results` get them from it unless they are told
        otherwise; the argument leaves their signatures, for a queue server cannot give it.
    """
    results = None if live is None else live_results(live)
    published: dict[str, Any] = {}
    for name in twinbeam.plans.__all__:
        thing = getattr(twinbeam.plans, name)
        if name in namespace and namespace[name] is not thing and not _is_ours(namespace[name]):
            continue
        if results is not None and inspect.isgeneratorfunction(thing) and _takes_results(thing):
            thing = bind(thing, results=results)
        published[name] = thing
    return published


def _takes_results(plan: Callable[..., Any]) -> bool:
    return "results" in inspect.signature(plan).parameters


def _is_ours(thing: object) -> bool:
    """Whether it is of an earlier execution of the profile."""
    return str(getattr(thing, "__module__", "")).startswith("twinbeam.plans")

"""The plans of the experiment, as the prompt has them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import twinbeam.plans
from twinbeam.plans import bind, earlier_runs, live_results
from twinbeam.store import Catalog

__all__ = ["published_plans"]


def published_plans(
    namespace: Mapping[str, Any], live: Any = None, catalog: Catalog | None = None
) -> dict[str, Any]:
    """All public names of `twinbeam.plans` that are not taken, so that new ones come by themselves.

    Parameters
    ----------
    namespace
        What is there already. Devices and tools keep their names; a name that is not published is
        found in `twinbeam.plans` all the same.
    live
        Source of live results. Plans that take `results` get them from it unless they are told
        otherwise; the argument leaves their signatures, for a queue server cannot give it.
    catalog
        Where plans look up earlier runs, likewise.
    """
    given: dict[str, Any] = {}
    if live is not None:
        given["results"] = live_results(live)
    if catalog is not None:
        given["earlier"] = earlier_runs(catalog)
    published: dict[str, Any] = {}
    for name in twinbeam.plans.__all__:
        thing = getattr(twinbeam.plans, name)
        if name in namespace and namespace[name] is not thing and not _is_ours(namespace[name]):
            continue
        if inspect.isgeneratorfunction(thing) and (mine := _taken(thing, given)):
            thing = bind(thing, **mine)
        published[name] = thing
    return published


def _taken(plan: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What a plan takes of this."""
    parameters = inspect.signature(plan).parameters
    return {name: value for name, value in given.items() if name in parameters}


def _is_ours(thing: object) -> bool:
    """Whether it is of an earlier execution of the profile."""
    return str(getattr(thing, "__module__", "")).startswith("twinbeam.plans")

"""Annotations of plans as real types, for programs that look at signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, get_type_hints

__all__ = ["typed_signature"]

P = ParamSpec("P")
R = TypeVar("R")


def typed_signature(plan: Callable[P, R]) -> Callable[P, R]:
    """Replace the postponed annotations of a plan by types.

    bluesky-queueserver reads annotations as they are and would take ``"float"`` for a string.
    """
    plan.__annotations__ = get_type_hints(plan)
    return plan

"""Work that takes seconds, beside the RunEngine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import bluesky.plan_stubs as bps
from bluesky.utils import MsgGenerator

__all__ = ["in_thread"]

T = TypeVar("T")

_LOOK_S = 0.05


def in_thread(work: Callable[[], T]) -> MsgGenerator[T]:
    """Do work in a thread and give its result, so that Ctrl-C and suspenders act meanwhile.

    When the plan is broken off the thread works on to its end, and its result is dropped.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # it is raised in the plan
            errors.append(error)

    thread = threading.Thread(target=run, name="twinbeam-plan-work", daemon=True)
    thread.start()
    while thread.is_alive():
        yield from bps.checkpoint()  # where Ctrl-C may pause; what was waited is not waited again
        yield from bps.sleep(_LOOK_S)
    if errors:
        raise errors[0]
    return results[0]

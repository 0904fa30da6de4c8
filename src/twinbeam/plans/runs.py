"""A run whose plan knows its uid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.utils import MsgGenerator, RunEngineControlException

__all__ = ["in_run"]

T = TypeVar("T")


def in_run(body: Callable[[str], MsgGenerator[T]], start: Mapping[str, Any]) -> MsgGenerator[T]:
    """Open a run, go through the plan that `body` makes of its uid, and close it however it ends.

    Without a RunEngine the uid is empty.
    """
    uid = str((yield from bps.open_run(dict(start))) or "")

    def failed(error: Exception) -> MsgGenerator[None]:
        if isinstance(error, RunEngineControlException):
            yield from bps.close_run(exit_status=getattr(error, "exit_status", "abort"))
        else:
            yield from bps.close_run(exit_status="fail", reason=str(error))

    result: T = yield from bpp.contingency_wrapper(
        body(uid), except_plan=failed, else_plan=bps.close_run
    )
    return result

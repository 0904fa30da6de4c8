"""Documents of one run to callbacks, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twinbeam.replay.pace import Pace

__all__ = ["Callback", "send"]

Callback = Callable[[str, dict[str, Any]], object]


def send(
    documents: Sequence[tuple[str, dict[str, Any]]],
    callbacks: Sequence[Callback],
    speed: float | None = None,
) -> None:
    """Call every callback, in their order, with each document's name and the document.

    Parameters
    ----------
    speed
        How many times faster than it was; None is as fast as possible.

    Raises
    ------
    ValueError
        If `speed` is not a positive number.
    """
    ends = [doc["time"] for name, doc in documents if name == "stop"]
    pace = Pace(speed, ends[-1] if ends else None)
    for name, doc in documents:
        pace.wait(doc)
        for callback in callbacks:
            callback(name, doc)

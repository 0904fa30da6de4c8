"""How many threads to work with."""

from __future__ import annotations

import os

__all__ = ["default_workers"]

_MOST = 4  # the one thread that decodes ahead and joins keeps no more than a few busy


def default_workers() -> int:
    """Processors this process may run on, at most 4."""
    return min(_MOST, len(os.sched_getaffinity(0)))

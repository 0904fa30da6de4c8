"""Memory that was freed, back to the system."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

__all__ = ["give_back"]


def give_back() -> None:
    """Return freed memory to the system, where the C library can (glibc); else do nothing.

    Blocks of many sizes are freed when a run is over. What lies between those that stay is kept by
    the allocator, and a little more after each run: nothing is lost, but the process looks as if
    it were growing for days.
    """
    if _trim is not None:
        _trim(0)


def _malloc_trim() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # a C library without it, such as musl
        return None
    return found


_trim = _malloc_trim()

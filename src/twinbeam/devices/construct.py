"""Devices are made, also while a connection comes and goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from twinbeam.errors import BeamlineError, TwinbeamError

__all__ = ["construct"]

_TRIES = 3
_AGAIN_S = 0.5

D = TypeVar("D")


def construct(make: Callable[[], D], where: str) -> D:
    """Make a device; try again when the Channel Access client fails meanwhile.

    ophyd reads values while it makes a device. A connection that is lost or found at that moment
    makes some clients raise errors of their own, although nothing is wrong a moment later.

    Parameters
    ----------
    make
        Makes it.
    where
        Its prefix, for the error.

    Raises
    ------
    BeamlineError
        If it fails each time.
    """
    failure: Exception | None = None
    for _ in range(_TRIES):
        try:
            return make()
        except (TwinbeamError, TypeError, ValueError):  # no connection makes those better
            raise
        except Exception as error:
            failure = error
            time.sleep(_AGAIN_S)
    raise BeamlineError(
        f"the device cannot be made: {type(failure).__name__}: {failure}",
        where=where,
        hint="see whether its IOC comes and goes, then try again",
    ) from failure

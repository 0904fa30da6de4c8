"""Counts of what is seen while instruments may move."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["count"]

_STEP_S = 0.01

Rates = Callable[[], NDArray[np.float64]]


async def count(
    lasts_s: float, rates_hz: Rates, random: np.random.Generator
) -> AsyncIterator[tuple[float, NDArray[np.int64]]]:
    """Count for a time; give seconds and counts so far, again and again, the last ones exact.

    Parameters
    ----------
    lasts_s
        How long, in seconds.
    rates_hz
        Gives the expected rates of all channels at the moment.
    random
        The counts are Poisson distributed around what is expected.
    """
    total = np.zeros(len(rates_hz()), dtype=np.int64)
    began = last = time.monotonic()
    end = began + max(lasts_s, 1e-6)
    while last < end:
        await asyncio.sleep(min(_STEP_S, max(end - last, 0.0)))
        now = min(time.monotonic(), end)
        total += random.poisson(np.maximum(rates_hz(), 0.0) * (now - last))
        last = now
        yield last - began, total

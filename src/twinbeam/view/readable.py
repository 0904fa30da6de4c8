"""Numbers as text."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

__all__ = ["date", "finite", "metric"]


def finite(value: float | None, digits: int = 0) -> str:
    """A number as text with separators; a dash when there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.{digits}f}"


def metric(value: float | None, unit: str) -> str:
    """A number with three digits and a prefix: 1.23 M."""
    if value is None or not math.isfinite(value):
        return "–"
    for limit, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{float(f'{value / limit:.3g}'):g} {prefix}{unit}".rstrip()
    return f"{float(f'{value:.3g}'):g} {unit}".rstrip()


def date(time_s: Any) -> str:
    """A time since the epoch by the clock on the wall; empty when there is none."""
    if not isinstance(time_s, int | float) or not math.isfinite(time_s):
        return ""
    return datetime.fromtimestamp(float(time_s)).strftime("%Y-%m-%d %H:%M:%S")

"""The curve of a scan: what its documents plot against what, and where its peak is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Axes", "Peak", "axes_of", "peak_of", "point_of"]

_LEAST_POINTS = 9
_STANDS_OUT = 5.0  # so many times the noise beside it a peak is high
_FWHM_SIGMAS = 2.0 * math.sqrt(2.0 * math.log(2.0))


@dataclass(frozen=True)
class Axes:
    """Event keys of a scan with one axis.

    Attributes
    ----------
    x, y
        Keys of what is scanned and of what is counted.
    x_label, y_label
        What they are called, with units.
    per, error
        Keys of what y is divided by, and of its standard error; empty when there is none.
    times
        Factor of x in the unit that is shown.
    """

    x: str
    y: str
    x_label: str
    y_label: str
    per: str = ""
    error: str = ""
    times: float = 1.0


@dataclass(frozen=True, eq=False)
class Peak:
    """A Gaussian on a constant through the points of a scan.

    Attributes
    ----------
    centre, fwhm
        In the unit of the axis.
    x, y
        The curve.
    """

    centre: float
    fwhm: float
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def axes_of(start: Mapping[str, Any], descriptor: Mapping[str, Any]) -> Axes | None:
    """What a stream of a run shows against what; None when it is no scan of one dimension."""
    try:
        (keys, stream), *others = start["hints"]["dimensions"]
        (x,) = keys
    except (KeyError, TypeError, ValueError):
        return None
    data_keys = descriptor.get("data_keys") or {}
    if others or stream != descriptor.get("name") or x not in data_keys:
        return None
    y = _counted(start, descriptor, x)
    if y is None:
        return None
    unit = str(data_keys[x].get("units") or ("deg" if x.endswith("_deg") else ""))
    times = 1.0
    if unit == "deg" and "detuning" in x:
        unit, times = "mdeg", 1e3
    stem = y.removesuffix("_net")
    if stem != y and f"{stem}_seconds" in data_keys:
        error = f"{y}_err" if f"{y}_err" in data_keys else ""
        label = _label(x, unit)
        return Axes(x, y, label, "pairs per second", f"{stem}_seconds", error, times)
    return Axes(x, y, _label(x, unit), _label(y, str(data_keys[y].get("units") or "")), times=times)


def _counted(start: Mapping[str, Any], descriptor: Mapping[str, Any], x: str) -> str | None:
    """The first number a detector hints at, or the pairs of a table."""
    hints, data_keys = descriptor.get("hints") or {}, descriptor["data_keys"]
    motors = set(start.get("motors") or ())
    detectors = [name for name in start.get("detectors") or () if name in hints]
    fields = [
        field
        for name in (*detectors, *(name for name in hints if name not in motors))
        for field in hints[name].get("fields") or ()
        if field != x and data_keys.get(field, {}).get("dtype") in ("number", "integer")
    ]
    return next(
        (field for field in fields if field.endswith("_net")), fields[0] if fields else None
    )


def _label(key: str, unit: str) -> str:
    unit = {"cps": "counts/s"}.get(unit, unit)
    words = key.removesuffix("_deg").split("_")
    said = [word for at, word in enumerate(words) if at == 0 or word != words[at - 1]]
    return f"{' '.join(said)}  [{unit}]" if unit else " ".join(said)


def point_of(axes: Axes, data: Mapping[str, Any]) -> tuple[float, float, float]:
    """x, y and standard error of y of an event; NaN where something is missing."""
    x, y = _number(data.get(axes.x)) * axes.times, _number(data.get(axes.y))
    error = _number(data.get(axes.error)) if axes.error else math.nan
    if axes.per:
        per = _number(data.get(axes.per))
        y, error = (y / per, error / per) if per > 0.0 else (math.nan, math.nan)
    return x, y, error


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def peak_of(points: Sequence[tuple[float, float, float]]) -> Peak | None:
    """The peak of a scan; None when no peak stands out or its width cannot be told."""
    values = np.array([point[:2] for point in points], dtype=np.float64).reshape(-1, 2)
    x, y = values[np.isfinite(values).all(axis=1)].T
    if x.size < _LEAST_POINTS or np.ptp(x) <= 0.0:
        return None
    floor, top = float(np.median(np.sort(y)[: max(3, y.size // 2)])), float(y.max())
    noise = max(math.sqrt(max(floor, 1.0)), 1.0)
    above = x[y > 0.5 * (floor + top)]
    if top - floor < _STANDS_OUT * noise or above.size < 3:
        return None
    from scipy.optimize import OptimizeWarning, curve_fit  # takes a while to import

    def bell(at: Any, height: float, centre: float, sigma: float, constant: float) -> Any:
        return height * np.exp(-0.5 * ((at - centre) / sigma) ** 2) + constant

    first = [top - floor, float(above.mean()), max(float(np.ptp(above)), 1e-9) / 2.4, floor]
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)
            found, _ = curve_fit(bell, x, y, first, sigma=np.sqrt(np.maximum(y, 1.0)), maxfev=2000)
    except RuntimeError:
        return None
    centre, sigma = float(found[1]), abs(float(found[2]))
    inside = x.min() < centre < x.max() and 0.0 < sigma < np.ptp(x)
    if not inside or found[0] <= 0.0:
        return None
    reach = min(4.0 * sigma, float(np.ptp(x)))
    at = np.linspace(max(x.min(), centre - reach), min(x.max(), centre + reach), 161)
    return Peak(centre, sigma * _FWHM_SIGMAS, at, bell(at, *found))

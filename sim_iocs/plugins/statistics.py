"""Statistics of one array, by areaDetector's definitions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Centroid", "Histogram", "basic", "centroid", "histogram", "lines"]

Floats = NDArray[np.float64]


def basic(data: NDArray[Any], background_px: int) -> dict[str, float]:
    """Extremes with their places, mean, standard deviation, sum, and sum above background.

    Parameters
    ----------
    data
        Rows and columns.
    background_px
        Width of the border whose mean is the background; 0 for no background.
    """
    values = np.atleast_2d(data).astype(np.float64)
    low, high = int(values.argmin()), int(values.argmax())
    total, mean = float(values.sum()), float(values.mean())
    flat = values.ravel()
    # not a product of vectors: its library would start threads that do more harm than good
    variance = float(np.einsum("i,i", flat, flat)) / flat.size - mean**2
    width = values.shape[1]
    return {
        "MinValue": float(flat[low]),
        "MinX": low % width,
        "MinY": low // width,
        "MaxValue": float(flat[high]),
        "MaxX": high % width,
        "MaxY": high // width,
        "MeanValue": mean,
        "Sigma": math.sqrt(max(variance, 0.0)),
        "Total": total,
        "Net": total - _background(values, background_px) * values.size,
    }


def _background(values: Floats, width: int) -> float:
    """Mean of the strips along the borders; corners count for both of their strips."""
    if width <= 0:
        return 0.0
    strips = [values[:width], values[-width:], values[:, :width], values[:, -width:]]
    return float(sum(strip.sum() for strip in strips)) / sum(strip.size for strip in strips)


@dataclass(frozen=True)
class Centroid:
    """Moments of what reaches a threshold, and the mean profiles of all and of that.

    `profiles` are those of all along x and y, then those of what reaches the threshold.
    """

    values: dict[str, float]
    profiles: tuple[Floats, Floats, Floats, Floats]


def centroid(data: NDArray[Any], threshold: float) -> Centroid:
    """Moments of the part of an image that is at least `threshold`.

    An image that nothing of reaches the threshold has zeros.
    """
    values = np.atleast_2d(data).astype(np.float64)
    height, width = values.shape
    counted = np.where(values >= threshold, values, 0.0)
    along_x, along_y = counted.sum(0), counted.sum(1)
    profiles = (values.mean(0), values.mean(1), along_x / height, along_y / width)
    mass = float(along_x.sum())
    names = (
        "CentroidTotal", "CentroidX", "CentroidY", "SigmaX", "SigmaY", "SigmaXY", "SkewX", "SkewY",
        "KurtosisX", "KurtosisY", "Eccentricity", "Orientation",
    )  # fmt: skip
    if mass <= 0:
        return Centroid(dict.fromkeys(names, 0.0), profiles)
    x, y = np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64)
    mean_x, mean_y = float(along_x @ x) / mass, float(along_y @ y) / mass
    dx, dy = x - mean_x, y - mean_y
    var_x, skew_x, kurtosis_x = _shape(along_x, dx, mass)
    var_y, skew_y, kurtosis_y = _shape(along_y, dy, mass)
    covariance = float(np.einsum("y,yx,x", dy, counted, dx, optimize=False)) / mass
    spread = math.sqrt(var_x * var_y)
    both = (var_x + var_y) ** 2
    return Centroid(
        dict(
            zip(
                names,
                (
                    mass,
                    mean_x,
                    mean_y,
                    math.sqrt(var_x),
                    math.sqrt(var_y),
                    covariance / spread if spread else 0.0,
                    skew_x,
                    skew_y,
                    kurtosis_x,
                    kurtosis_y,
                    ((var_x - var_y) ** 2 - 4 * covariance**2) / both if both else 0.0,
                    math.degrees(0.5 * math.atan2(2.0 * covariance, var_x - var_y)),
                ),
                strict=True,
            )
        ),
        profiles,
    )


def _shape(weights: Floats, distance: Floats, mass: float) -> tuple[float, float, float]:
    """Variance, skewness and excess kurtosis along one axis."""
    second, third, fourth = (float(weights @ distance**power) / mass for power in (2, 3, 4))
    if second <= 0:
        return 0.0, 0.0, 0.0
    return second, third / second**1.5, fourth / second**2 - 3.0


def lines(data: NDArray[Any], x: float, y: float) -> tuple[Floats, Floats]:
    """Row and column through a point, which is moved inside."""
    values = np.atleast_2d(data)
    row = min(max(int(y), 0), values.shape[0] - 1)
    column = min(max(int(x), 0), values.shape[1] - 1)
    return values[row].astype(np.float64), values[:, column].astype(np.float64)


@dataclass(frozen=True)
class Histogram:
    """Elements by value."""

    counts: Floats
    centres: Floats
    below: int
    above: int
    entropy: float


def histogram(data: NDArray[Any], bins: int, low: float, high: float) -> Histogram:
    """Count elements in bins whose first and last centre are `low` and `high`."""
    if high <= low:
        high = low + 1.0
    values = data.ravel().astype(np.float64)
    inside = values[(values >= low) & (values <= high)]
    number = np.floor((inside - low) * (bins - 1) / (high - low) + 0.5).astype(np.intp)
    counts = np.bincount(number, minlength=bins).astype(np.float64)
    filled = np.maximum(counts, 1.0)
    return Histogram(
        counts,
        np.linspace(low, high, bins) if bins > 1 else np.array([low]),
        int((values < low).sum()),
        int((values > high).sum()),
        -float(filled @ np.log(filled)) / max(values.size, 1),
    )

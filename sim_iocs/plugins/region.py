"""NDROI: a part of each array, binned, mirrored, scaled, in another type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_iocs.plugins.frame import TYPES, Frame
from sim_iocs.plugins.plugin import Plugin

__all__ = ["Axis", "Region", "cut"]

_AXES = "XYZ"
_AUTOMATIC = len(TYPES)


@dataclass(frozen=True)
class Axis:
    """What is taken of one dimension, in pixels."""

    first: int = 0
    size: int = 1_000_000
    bin: int = 1
    reverse: bool = False

    def within(self, n_pixels: int) -> Axis:
        """The same, moved inside a dimension of `n_pixels`."""
        first = min(max(self.first, 0), n_pixels - 1)
        size = min(max(self.size, 1), n_pixels - first)
        return Axis(first, size, min(max(self.bin, 1), size), self.reverse)


def cut(
    data: NDArray[Any], axes: tuple[Axis, ...], scale: float | None, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """The part that `axes` (fastest dimension first, inside the array) take of an array.

    Pixels of a bin are added up in double precision, then divided by `scale`, then converted;
    what remains beyond the last whole bin is left out.
    """
    for number, axis in enumerate(axes):
        where = data.ndim - 1 - number
        n_bins = axis.size // axis.bin
        pixels = slice(axis.first, axis.first + n_bins * axis.bin)
        data = data[(slice(None),) * where + (pixels,)]
        if axis.bin > 1:
            shape = (*data.shape[:where], n_bins, axis.bin, *data.shape[where + 1 :])
            data = data.reshape(shape).sum(axis=where + 1, dtype=np.float64)
        if axis.reverse:
            data = np.flip(data, where)
    if scale is not None:
        data = data.astype(np.float64) / scale
    if dtype.kind in "iu" and data.dtype.kind == "f":
        data = data.astype(np.int64)
    return np.ascontiguousarray(data.astype(dtype))


class Region(Plugin):
    """Hands a part of each array on."""

    async def process(self, frame: Frame) -> Frame:
        """Cut out what the records say, and say what could be cut out."""
        get, post = self.channels.get, self.channels.post
        axes = []
        for name, n_pixels in zip(_AXES, frame.dimensions, strict=False):
            axis = self._axis(name, n_pixels).within(n_pixels)
            axes.append(axis)
            await post(f"MaxSize{name}_RBV", n_pixels)
            await post(f"Min{name}_RBV", axis.first)
            await post(f"Size{name}_RBV", axis.size)
            await post(f"Bin{name}_RBV", axis.bin)
        await post("MaxX", frame.dimensions[0])
        await post("MaxY", frame.dimensions[1] if len(frame.dimensions) > 1 else 0)
        number = get("DataTypeOut_RBV")
        dtype = frame.data.dtype if number == _AUTOMATIC else TYPES[number]
        scale = get("Scale_RBV") if get("EnableScale_RBV") else None
        data = cut(frame.data, tuple(axes), scale, dtype)
        if get("CollapseDims_RBV"):
            data = np.atleast_1d(data.squeeze())
        sizes = (*data.shape[::-1], 0, 0)
        for name, size in zip(_AXES, sizes, strict=False):
            await post(f"ArraySize{name}_RBV", size)
        await post("ArraySize_RBV", data.nbytes)
        return Frame(data, frame.unique_id, frame.time_s)

    def _axis(self, name: str, n_pixels: int) -> Axis:
        """What the set points ask for; a dimension that is not enabled is left as it is."""
        get = self.channels.get
        if not get(f"Enable{name}_RBV"):
            return Axis(size=n_pixels)
        size = n_pixels if get(f"AutoSize{name}_RBV") else get(f"Size{name}")
        return Axis(get(f"Min{name}"), size, get(f"Bin{name}"), bool(get(f"Reverse{name}_RBV")))

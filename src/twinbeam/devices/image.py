"""The preview image, to look at between events."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from ophyd import Component as Cpt
from ophyd import Device, EpicsSignal, EpicsSignalRO

__all__ = ["PreviewImage"]


class PreviewImage(Device):
    """The driver's NDStdArrays plugin (`image1:`), never part of an event."""

    enable = Cpt(EpicsSignal, "EnableCallbacks", string=True, put_complete=True, kind="omitted")
    width = Cpt(EpicsSignalRO, "ArraySize0_RBV", kind="omitted")
    height = Cpt(EpicsSignalRO, "ArraySize1_RBV", kind="omitted")
    unique_id = Cpt(EpicsSignalRO, "UniqueId_RBV", kind="omitted")
    # A megabyte that most sessions never ask for.
    pixels = Cpt(EpicsSignalRO, "ArrayData", lazy=True, kind="omitted")

    def preview(self) -> NDArray[Any]:
        """Counts of the newest preview, shape (height, width); empty before the first one."""
        shape = int(self.height.get()), int(self.width.get())
        pixels = np.asarray(self.pixels.get())
        return pixels[: shape[0] * shape[1]].reshape(shape)

"""Regions of pixels that the chips are not to count, drawn and loaded by the driver."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from ophyd.status import DeviceStatus
from pydantic import Field

from twinbeam.devices.serval_answer import ServalAnswer
from twinbeam.devices.uploads import Upload
from twinbeam.errors import BeamlineError
from twinbeam.parameters import Parameters

__all__ = ["MaskCircle", "MaskRectangle", "MaskUpload"]

_MASKED = 1
_MOST_PIXELS = 1024
_MOST_REGIONS = 2000
_FILE = "twinbeam_mask.bpc"


class MaskRectangle(Parameters):
    """Pixels of the image, whose origin is at the top left."""

    x: int = Field(ge=0, lt=_MOST_PIXELS, description="First column, in pixels.")
    y: int = Field(ge=0, lt=_MOST_PIXELS, description="First row, in pixels.")
    width: int = Field(1, ge=1, le=_MOST_PIXELS, description="Columns, in pixels.")
    height: int = Field(1, ge=1, le=_MOST_PIXELS, description="Rows, in pixels.")


class MaskCircle(Parameters):
    """Pixels of the image around a centre."""

    x: int = Field(ge=0, lt=_MOST_PIXELS, description="Column of the centre, in pixels.")
    y: int = Field(ge=0, lt=_MOST_PIXELS, description="Row of the centre, in pixels.")
    radius: int = Field(ge=0, le=_MOST_PIXELS, description="Radius, in pixels.")


Region = MaskRectangle | MaskCircle


class MaskUpload(Upload):
    """Regions added to the masked pixels of the BPC file; `set([])` leaves only those.

    `set` takes regions, or an image of truth values (height, width) such as a map of hot pixels.
    The driver writes a file of its own beside the BPC file, which stays as it is, and Serval loads
    that.
    """

    _parts: ClassVar = {
        "mask": (
            *("file_name", "on_off", "reset", "rectangle", "circle", "from_file", "write"),
            *("process", "min_x", "min_y", "size_x", "size_y", "radius", "buffer"),
        ),
        "pixel_config": ("refresh", "n_masked"),
    }

    def set(self, value: Iterable[Region] | NDArray[np.bool_]) -> DeviceStatus:
        """Draw the regions, write them, load them and count what the chips hold.

        Raises
        ------
        BeamlineError
            If `value` holds something else, or too much for the driver.
        """
        regions = self._regions(value)
        return self._begin(lambda: self._load(regions))

    def _regions(self, value: Any) -> list[Region]:
        if isinstance(value, np.ndarray):
            regions = _runs(value)
        else:
            several = isinstance(value, Iterable) and not isinstance(value, Region)
            regions = list(value) if several else [value]
        if not all(isinstance(region, Region) for region in regions):
            raise BeamlineError(
                "a mask is made of MaskRectangle and MaskCircle",
                where=self.name,
                hint="or give an image of truth values",
            )
        if len(regions) > _MOST_REGIONS:
            raise BeamlineError(
                f"a mask of {len(regions)} regions takes the driver too long",
                where=self.name,
                hint="make a BPC file of it and load that",
            )
        return regions

    def _load(self, regions: list[Region]) -> str:
        mask = self.cam.mask
        before = str(mask.file_name.get())
        self._write(mask.file_name, _FILE)
        try:
            self._clear_flags()
            # What is drawn now: 0 everywhere first, then 1 in the regions.
            self._write(mask.on_off, 0)
            self._flag(mask.reset)
            self._write(mask.on_off, 1)
            for region in regions:
                self._draw(region)
            drawn = np.asarray(mask.buffer.get(use_monitor=False, timeout=self.timeout_s))
            with ServalAnswer(self.cam) as answer:
                self._flag(mask.write)
                if answer.refused:
                    raise BeamlineError(
                        f"Serval did not load the mask: {answer.words}",
                        where=mask.write.setpoint_pvname,
                        hint="may the IOC write into the folder of the BPC file?",
                    )
            self._check(int(np.count_nonzero(drawn & _MASKED)))
        except BaseException:
            with contextlib.suppress(Exception):  # the reason for the end matters more
                self._link.renew()
                self._leave(before)
            raise
        self._leave(before)
        return f"{len(regions)} regions"

    def _leave(self, file_name: str) -> None:
        self._clear_flags()
        self._write(self.cam.mask.file_name, file_name)

    def _draw(self, region: Region) -> None:
        mask = self.cam.mask
        self._write(mask.min_x, region.x)
        self._write(mask.min_y, region.y)
        if isinstance(region, MaskRectangle):
            self._write(mask.size_x, region.width)
            self._write(mask.size_y, region.height)
            self._flag(mask.rectangle)
        else:
            self._write(mask.radius, region.radius)
            self._flag(mask.circle)

    def _flag(self, flag: Any) -> None:
        """Set a flag, let the driver do what it says, and take it back."""
        self._write(flag, 1)
        self._do(self.cam.mask.process)
        self._write(flag, 0)

    def _clear_flags(self) -> None:
        mask = self.cam.mask
        for flag in (mask.reset, mask.rectangle, mask.circle, mask.from_file, mask.write):
            self._write(flag, 0)

    def _check(self, wanted: int) -> None:
        """Make sure that the chips mask at least as many pixels as were drawn."""
        config = self.cam.pixel_config
        self._do(config.refresh)
        masked = int(config.n_masked.get(use_monitor=False))
        if masked < wanted:
            raise BeamlineError(
                f"the chips mask {masked} pixels, but {wanted} were drawn",
                where=config.n_masked.pvname,
                hint="a mask needs a BPC file to start from: load one first",
            )


def _runs(image: NDArray[np.bool_]) -> list[Region]:
    """Rectangles one row high that make up an image of truth values."""
    if image.ndim != 2 or image.dtype != np.bool_ or max(image.shape) > _MOST_PIXELS:
        raise BeamlineError(
            f"no mask: {image.dtype} with shape {image.shape}",
            where="mask",
            hint="give truth values with shape (height, width)",
        )
    edges = np.diff(np.pad(image.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, first = np.nonzero(edges == 1)
    _, last = np.nonzero(edges == -1)
    return [
        MaskRectangle(x=int(x), y=int(y), width=int(end - x))
        for y, x, end in zip(rows, first, last, strict=True)
    ]

"""Masks of pixels: drawn in a buffer, written to a file, loaded into the chips."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np

from sim_iocs.channels import Channels
from sim_iocs.detector.bpc import CHIP_BYTES, MASKED, image_places, read_bpc
from sim_iocs.detector.port import Port
from sim_iocs.detector.requests import Requests
from twinbeam.tpx3 import N_CHIPS, SENSOR_PIXELS

__all__ = ["Masks"]

_FROM_FILE = 2
_SHOWN_MASKED = 1 << 8
_DEFAULT_NAME = "mask.bpc"
_PROCESS = ("MaskBPC", 1)
_FLAGS = ("MaskPel", "MaskWrite", "MaskRectangle", "MaskCircle", "MaskOnOff", "MaskReset")

Step = tuple[str, int] | str


def _applied(flag: str) -> tuple[Step, ...]:
    return (flag, 1), _PROCESS, (flag, 0)


_WRITE = _applied("MaskWrite")
# names alone are other sequences
_SEQUENCES: dict[str, tuple[Step, ...]] = {
    "FlagMaskSeq": tuple((flag, 0) for flag in _FLAGS),
    "ResetPosMaskSeq": ("FlagMaskSeq", *_applied("MaskReset"), *_WRITE),
    "ResetNegMaskSeq": (
        "FlagMaskSeq", ("MaskOnOff", 1), *_applied("MaskReset"), ("MaskOnOff", 0), *_WRITE,
    ),
    "ResetHotPelSeq": ("ResetNegMaskSeq", *_applied("MaskReset"), *_WRITE),
    "WriteMaskRectSeq": ("FlagMaskSeq", *_applied("MaskRectangle"), *_WRITE),
    "MaskRectSeq": ("ResetNegMaskSeq", "WriteMaskRectSeq"),
    "HotPelWriteRectSeq": ("ResetHotPelSeq", "WriteMaskRectSeq"),
    "WriteMaskCircleSeq": ("FlagMaskSeq", *_applied("MaskCircle"), *_WRITE),
    "MaskCircleSeq": ("ResetNegMaskSeq", "WriteMaskCircleSeq"),
}  # fmt: skip


class Masks:
    """Behaviour of these records.

    Parameters
    ----------
    channels
        Records of the driver.
    requests
        How Serval is asked.
    port
        Where writes wait for their turn.
    bpc_file
        Gives the path of the present pixel configuration.
    step_s
        How long sequences wait after each step.
    """

    def __init__(
        self,
        channels: Channels,
        requests: Requests,
        port: Port,
        bpc_file: Callable[[], str],
        step_s: float,
    ) -> None:
        self._channels = channels
        self._requests = requests
        self._port = port
        self._bpc_file = bpc_file
        self._step_s = step_s
        self._mask = np.zeros((SENSOR_PIXELS, SENSOR_PIXELS), np.int32)
        channels.on_put("MaskBPC", port.serial(self._process))
        channels.on_put("BPC", port.serial(self._show_file))
        channels.on_put("BPCmasked", port.serial(self._show_file))
        for name in _SEQUENCES:
            channels.on_put(name, self._sequence(name))

    def _sequence(self, name: str) -> Callable[[Any], Awaitable[None]]:
        async def run(_: Any = None) -> None:
            for step in _SEQUENCES[name]:
                if isinstance(step, str):
                    await self._sequence(step)(None)
                elif step == _PROCESS:
                    async with self._port:
                        await self._process(None)
                else:
                    await self._channels.post(*step)
                await asyncio.sleep(self._step_s)

        return run

    async def _process(self, _: Any) -> None:
        """Do what the first flag says that is set, and show the buffer."""
        get = self._channels.get
        bit = MASKED if get("MaskOnOff") else 0
        if get("MaskReset"):
            self._mask[:] = bit  # other bits are lost, as in the driver
        elif get("MaskRectangle"):
            x, y = get("MaskMinX_RBV"), get("MaskMinY_RBV")
            rows = slice(max(y, 0), max(y + get("MaskSizeY_RBV"), 0))
            columns = slice(max(x, 0), max(x + get("MaskSizeX_RBV"), 0))
            self._draw((rows, columns), bit)
        elif get("MaskCircle"):
            y, x = np.ogrid[:SENSOR_PIXELS, :SENSOR_PIXELS]
            r2 = (x - get("MaskMinX_RBV")) ** 2 + (y - get("MaskMinY_RBV")) ** 2
            self._draw(r2 <= get("MaskRadius_RBV") ** 2, bit)
        elif get("MaskPel"):
            file = read_bpc(self._bpc_file())
            if file is not None and file.size == N_CHIPS * CHIP_BYTES:
                self._mask.flat[image_places()[file & MASKED != 0]] |= _FROM_FILE
        elif get("MaskWrite"):
            await self._write()
        await self._channels.post("MaskBPC", self._mask.ravel().copy())

    def _draw(self, where: Any, bit: int) -> None:
        self._mask[where] = (self._mask[where] & ~MASKED) | bit

    async def _write(self) -> None:
        """Add the mask to the pixel configuration in a new file, and have Serval load that."""
        file = read_bpc(self._bpc_file())
        if file is None or file.size != N_CHIPS * CHIP_BYTES:
            return
        name = self._channels.get("MaskBPCFileName_RBV")
        if not name:
            name = _DEFAULT_NAME
            await self._channels.post("MaskBPCFileName_RBV", name)
        path = Path(self._channels.get("BPCFilePath_RBV")) / name
        masked = (self._mask.ravel()[image_places()] & MASKED).astype(np.uint8)
        try:
            path.write_bytes((file | masked).tobytes())
        except OSError:
            return
        reply = await self._requests.get("/config/load", format="pixelconfig", file=str(path))
        await self._requests.shown(reply)

    async def _show_file(self, _: Any) -> None:
        """Read the pixel configuration from its file."""
        file = read_bpc(self._bpc_file())
        if file is None or file.size != N_CHIPS * CHIP_BYTES:
            return
        image = np.zeros(SENSOR_PIXELS**2, np.int32)
        image[image_places()] = file
        masked = image & MASKED != 0
        await self._channels.post("BPC", image)
        await self._channels.post("BPCmasked", np.where(masked, image | _SHOWN_MASKED, image))
        await self._channels.post("BPC_N_RBV", int(np.count_nonzero(masked)))

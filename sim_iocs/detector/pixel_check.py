"""The pixel configuration in the chips against its file, and the list of masked pixels."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_iocs.channels import Channels
from sim_iocs.detector.bpc import CHIP_BYTES, MASKED, image_places, read_bpc
from sim_iocs.detector.port import Port
from sim_iocs.detector.requests import Requests
from twinbeam.tpx3 import N_CHIPS, SENSOR_PIXELS

__all__ = ["PixelCheck"]

_ERROR, _MISMATCH, _MATCH, _NO_FILE, _SIZE_DIFFERS = -1, 0, 1, 2, 3


class PixelCheck:
    """Behaviour of `RefreshPixelConfig`.

    Parameters
    ----------
    channels
        Records of the driver.
    requests
        How Serval is asked.
    port
        Where writes wait for their turn.
    bpc_file
        Gives the path of the file.
    """

    def __init__(
        self,
        channels: Channels,
        requests: Requests,
        port: Port,
        bpc_file: Callable[[], str],
    ) -> None:
        self._channels = channels
        self._requests = requests
        self._bpc_file = bpc_file
        channels.on_put("RefreshPixelConfig", port.serial(self._refresh))

    async def _refresh(self, value: int) -> None:
        if not value:
            return
        file = read_bpc(self._bpc_file())
        held = np.zeros(N_CHIPS * CHIP_BYTES, np.uint8)
        differs = np.zeros(SENSOR_PIXELS**2, np.int32)
        for chip in range(N_CHIPS):
            part = slice(chip * CHIP_BYTES, (chip + 1) * CHIP_BYTES)
            pixels = await self._pixels(chip)
            if pixels is None:
                continue
            values = _compared(pixels, file, part)
            await self._post(chip, values)
            if pixels.size == CHIP_BYTES:
                held[part] = pixels
            if values["PixelConfigMatchBPC_RBV"] == _MISMATCH and file is not None:
                differs[image_places()[part]] = pixels != file[part]
        await self._channels.post("PixelConfigDiff", differs)
        await self._channels.post_all(self._export(held))
        await self._channels.post("RefreshPixelConfig", 0)

    async def _pixels(self, chip: int) -> NDArray[np.uint8] | None:
        """Bytes of a chip; None, and why on its records, if they cannot be had."""
        reply = await self._requests.get(f"/detector/chips/{chip}/PixelConfig")
        status = f"HTTP {reply.code}: {reply.text}"
        if reply.ok:
            try:
                return np.frombuffer(base64.b64decode(str(reply.body), validate=True), np.uint8)
            except binascii.Error:
                status = "Base64 decode failed"
        await self._post(
            chip,
            {
                "PixelConfigLen_RBV": 0,
                "PixelConfigMatchBPC_RBV": _ERROR,
                "PixelConfigMismatchBytes_RBV": 0,
                "PixelConfigStatus_RBV": status,
            },
        )
        return None

    async def _post(self, chip: int, values: dict[str, Any]) -> None:
        await self._channels.post_all({f"CHIP{chip}_{name}": v for name, v in values.items()})

    def _export(self, held: NDArray[np.uint8]) -> dict[str, Any]:
        """Write the list of masked pixels beside the file, and say how that went."""
        places = np.sort(image_places()[held & MASKED != 0])
        y, x = np.divmod(places, SENSOR_PIXELS)
        bpc = self._bpc_file()
        path = Path(f"{bpc.removesuffix('.bpc')}_masked_pels.json") if bpc else None
        status = "No BPC file name"
        if path is not None and path.is_absolute():  # else it would land wherever the IOC runs
            listed = [{"x": int(i), "y": int(j)} for i, j in zip(x, y, strict=True)]
            try:
                path.write_text(json.dumps({"bpc": bpc, "count": len(listed), "pixels": listed}))
                status = "OK"
            except OSError as error:
                status = f"Cannot write: {error.strerror}"
        return {
            "MaskedPelsCount_RBV": len(places),
            "MaskedPelsJson_RBV": str(path) if status == "OK" else "",
            "MaskedPelsExportStatus_RBV": status,
        }


def _compared(
    pixels: NDArray[np.uint8], file: NDArray[np.uint8] | None, part: slice
) -> dict[str, Any]:
    """What the comparison of a chip with its part of the file says."""
    n_differ = 0
    if file is None:
        match, status = _NO_FILE, "OK, no BPC file"
    elif file.size != N_CHIPS * CHIP_BYTES or pixels.size != CHIP_BYTES:
        match, status = _SIZE_DIFFERS, "OK, BPC size differs"
    else:
        n_differ = int(np.count_nonzero(pixels != file[part]))
        match = _MISMATCH if n_differ else _MATCH
        status = f"OK, {n_differ} bytes differ from BPC" if n_differ else "OK, matches BPC"
    return {
        "PixelConfigLen_RBV": pixels.size,
        "PixelConfigMatchBPC_RBV": match,
        "PixelConfigMismatchBytes_RBV": n_differ,
        "PixelConfigStatus_RBV": status,
    }

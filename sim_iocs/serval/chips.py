"""What is loaded into the chips: thresholds, other DACs, and the configuration of pixels."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_iocs.serval.chunks import pixel_address
from sim_iocs.serval.sensor_settings import threshold_shift_kev
from sim_iocs.serval.values import Wrong, integer, mapping
from twinbeam.tpx3 import CHIP_PIXELS, N_CHIPS

__all__ = ["Chips"]

_PIXELS = CHIP_PIXELS * CHIP_PIXELS
_MASK_BIT = 1
_DACS = {
    "Ibias_Preamp_ON": 128,
    "Ibias_Preamp_OFF": 8,
    "VPreamp_NCAS": 128,
    "Ibias_Ikrum": 15,
    "Vfbk": 164,
    "Vthreshold_fine": 216,
    "Vthreshold_coarse": 6,
    "Ibias_DiscS1_ON": 100,
    "Ibias_DiscS1_OFF": 8,
    "Ibias_DiscS2_ON": 128,
    "Ibias_DiscS2_OFF": 8,
    "Ibias_PixelDAC": 230,
    "Ibias_TPbufferIn": 128,
    "Ibias_TPbufferOut": 128,
    "VTP_coarse": 128,
    "VTP_fine": 256,
    "Ibias_CP_PLL": 128,
    "PLL_Vcntrl": 128,
}
_WIDE = {"Vthreshold_fine": 511, "VTP_fine": 511, "Vthreshold_coarse": 15}
_FINE = (216, 253, 221, 210)
_PIXEL_DAC = (230, 247, 251, 215)
_N_ADJUST = 128


class Chips:
    """DACs and pixel configuration of the four chips."""

    def __init__(self) -> None:
        self.dacs = [
            {**_DACS, "Vthreshold_fine": fine, "Ibias_PixelDAC": pixel}
            for fine, pixel in zip(_FINE, _PIXEL_DAC, strict=True)
        ]
        self._pixels = [bytes(_PIXELS)] * N_CHIPS

    @property
    def threshold_shifts_kev(self) -> list[float]:
        """How much higher the threshold of each chip is than at the start, in keV."""
        return [
            threshold_shift_kev(
                dacs["Vthreshold_fine"], dacs["Vthreshold_coarse"], fine, _DACS["Vthreshold_coarse"]
            )
            for dacs, fine in zip(self.dacs, _FINE, strict=True)
        ]

    @property
    def masked(self) -> NDArray[np.bool_]:
        """Whether a pixel is off, by chip and pixel address; empty when all are on."""
        if not any(any(chip) for chip in self._pixels):
            return np.zeros((0, 0), np.bool_)
        row, column = np.divmod(np.arange(_PIXELS), CHIP_PIXELS)
        made = np.zeros((N_CHIPS, _PIXELS), np.bool_)
        for chip, pixels in enumerate(self._pixels):
            off = np.frombuffer(pixels, np.uint8) & _MASK_BIT != 0
            made[chip, pixel_address(column, row)] = off
        return made

    def pixel_config(self, chip: int) -> str:
        """A byte for every pixel of a chip in base64, as Serval gives it."""
        return base64.b64encode(self._pixels[chip]).decode()

    def to_json(self) -> list[dict[str, Any]]:
        """The array of `GET /detector/chips`."""
        return [
            {
                "DACs": self.dacs[chip],
                "Adjust": [0] * _N_ADJUST,
                "PixelConfig": self.pixel_config(chip),
            }
            for chip in range(N_CHIPS)
        ]

    def put_dacs(self, chip: int, values: Any) -> None:
        """Set DACs of a chip.

        Raises
        ------
        Wrong
            If a name is unknown or a value does not fit.
        """
        new = dict(self.dacs[chip])
        for name, value in mapping("DACs", values).items():
            if name not in _DACS:
                raise Wrong(f"unknown DAC '{name}'")
            number, most = integer(name, value), _WIDE.get(name, 255)
            if not 0 <= number <= most:
                raise Wrong(f"{name} {number} is outside 0 to {most}")
            new[name] = number
        self.dacs[chip] = new

    def load(self, kind: str, path: Path) -> str:
        """Load a file of pixel configuration, of DACs, or of both, and say what was loaded.

        Raises
        ------
        Wrong
            If the file is missing or is no such file.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise Wrong(f"Cannot read file '{path}': {error.strerror}") from error
        if kind == "pixelconfig":
            if len(data) != N_CHIPS * _PIXELS:
                raise Wrong(f"'{path}' holds {len(data)} bytes, not {N_CHIPS * _PIXELS}")
            self._pixels = [data[n * _PIXELS : (n + 1) * _PIXELS] for n in range(N_CHIPS)]
            return "Pixel config was successfully loaded."
        try:
            values = json.loads(data)
        except ValueError as error:
            raise Wrong(f"'{path}' is no JSON: {error}") from error
        if kind == "dacs":
            listed = values if isinstance(values, list) else mapping("file", values).get("DACs")
            if not isinstance(listed, list) or len(listed) != N_CHIPS:
                raise Wrong(f"'{path}' does not hold the DACs of {N_CHIPS} chips")
            for chip, each in enumerate(listed):
                self.put_dacs(chip, mapping("file", each).get("DACs", each))
            return "DACs were successfully loaded."
        raise Wrong(f"format '{kind}' is none of pixelconfig, dacs")

"""Converters of the chips between records and Serval's JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["THRESHOLDS", "records_of_chips"]

THRESHOLDS = {"Vth_coarse": "Vthreshold_coarse", "Vth_fine": "Vthreshold_fine"}
"""Converters that can be written, by the ends of their records' names."""

_DACS = {
    **THRESHOLDS,
    "CP_PLL": "Ibias_CP_PLL",
    "S1_OFF": "Ibias_DiscS1_OFF",
    "S1_ON": "Ibias_DiscS1_ON",
    "S2_OFF": "Ibias_DiscS2_OFF",
    "S2_ON": "Ibias_DiscS2_ON",
    "Ikrum": "Ibias_Ikrum",
    "PixelDAC": "Ibias_PixelDAC",
    "Preamp_OFF": "Ibias_Preamp_OFF",
    "Preamp_ON": "Ibias_Preamp_ON",
    "TPbufferIn": "Ibias_TPbufferIn",
    "TPbufferOut": "Ibias_TPbufferOut",
    "PLL_Vcntrl": "PLL_Vcntrl",
    "VPreamp_NCAS": "VPreamp_NCAS",
    "VTP_coarse": "VTP_coarse",
    "VTP_fine": "VTP_fine",
    "Vfbk": "Vfbk",
}


def records_of_chips(chips: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Readbacks by name of what Serval says of its chips."""
    return {
        f"CHIP{number}_{name}_RBV": chip["DACs"][dac]
        for number, chip in enumerate(chips)
        for name, dac in _DACS.items()
    }

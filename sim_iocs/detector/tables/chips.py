"""Chips: converters, thresholds, temperatures. The driver always has eight; four are real."""

from __future__ import annotations

from sim_iocs.records import Record, pair

__all__ = ["CHIPS"]

_REAL = 4
_FINE = (216, 253, 221, 210)
_PIXEL_DAC = (230, 247, 251, 215)
_FIXED = {
    "CP_PLL": 128,
    "S1_OFF": 8,
    "S1_ON": 8,
    "S2_OFF": 128,
    "S2_ON": 128,
    "Ikrum": 15,
    "Preamp_OFF": 8,
    "Preamp_ON": 128,
    "TPbufferIn": 128,
    "TPbufferOut": 128,
    "PLL_Vcntrl": 128,
    "VPreamp_NCAS": 128,
    "VTP_coarse": 128,
    "VTP_fine": 256,
    "Vfbk": 164,
}
_LAYOUT = (
    '{"Chip":0,"X":256,"Y":0,"Orientation":"LtRBtT"}',
    '{"Chip":1,"X":256,"Y":256,"Orientation":"RtLTtB"}',
    '{"Chip":2,"X":0,"Y":256,"Orientation":"RtLTtB"}',
    '{"Chip":3,"X":0,"Y":0,"Orientation":"LtRBtT"}',
)


def _chip(number: int) -> list[Record]:
    name, real = f"CHIP{number}_", number < _REAL
    fine = _FINE[number] if real else 0
    return [
        *(
            Record(f"{name}{dac}_RBV", "longin", value if real else 0, "Converter")
            for dac, value in _FIXED.items()
        ),
        Record(f"{name}PixelDAC_RBV", "longin", _PIXEL_DAC[number] if real else 0, "Converter"),
        *pair(f"{name}Vth_coarse", "longout", 6 if real else 0, "Threshold", effect="command"),
        *pair(f"{name}Vth_fine", "longout", fine, "Threshold", effect="command"),
        Record(f"{name}Adjust_RBV", "longin", 0, "Adjustment"),
        # The record holds 39 characters, fewer than Serval says.
        Record(f"{name}Layout_RBV", "stringin", _LAYOUT[number][:39] if real else "", "Place"),
        Record(f"{name}Temp_RBV", "longin", 0, "Temperature", units="degC"),
        *_pixel_configuration(name),
    ]


def _pixel_configuration(name: str) -> list[Record]:
    """What a comparison of the pixel configuration with its file has found."""
    return [
        Record(f"{name}PixelConfigLen_RBV", "longin", 0, "Bytes", since="1.6.2"),
        Record(f"{name}PixelConfigMatchBPC_RBV", "longin", 0, "1 = equal", since="1.6.2"),
        Record(f"{name}PixelConfigMismatchBytes_RBV", "int64in", 0, "Differ", since="1.6.2"),
        Record(f"{name}PixelConfigStatus_RBV", "text", "", "Result", read_only=True, since="1.6.2"),
    ]


CHIPS: list[Record] = [record for number in range(8) for record in _chip(number)]

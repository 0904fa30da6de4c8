"""What the detector says it is: a quad behind one read-out board."""

from __future__ import annotations

from typing import Any

from twinbeam.tpx3 import CHIP_PIXELS, N_CHIPS

__all__ = ["SERVAL_VERSION", "info_json", "server_json"]

SERVAL_VERSION = "4.1.5"
_CLOCK_MHZ = 125
_LONGEST_S = 34.35973836


def info_json() -> dict[str, Any]:
    """The object of `GET /detector/info`."""
    chips = [
        {"Index": n, "Id": 0x4F80 + n, "Name": name}
        for n, name in enumerate(("W0002_H10", "W0002_I9", "W0002_J9", "W0002_J10"))
    ]
    return {
        "IfaceName": "Spidr",
        "SW_version": "21052719",
        "FW_version": "25102015",
        "PixCount": N_CHIPS * CHIP_PIXELS**2,
        "RowLen": 2,
        "NumberOfChips": N_CHIPS,
        "NumberOfRows": 2 * CHIP_PIXELS,
        "MpxType": 6,
        "ChipType": "TPX3",
        "Boards": [{"ChipboardId": "41000039", "IpAddress": "127.0.0.1", "Chips": chips}],
        "SuppAcqModes": 63,
        "ClockReadout": _CLOCK_MHZ,
        "MaxPulseCount": 2**31 - 1,
        "MaxPulseHeight": 1,
        "MaxPulsePeriod": _LONGEST_S,
        "TimerMaxVal": _LONGEST_S,
        "TimerMinVal": 8e-9,
        "TimerStep": 8e-9,
        "ClockTimepix": _CLOCK_MHZ,
    }


def server_json() -> dict[str, Any]:
    """Name and version of the server in the dashboard."""
    return {
        "SoftwareVersion": SERVAL_VERSION,
        "SoftwareTimestamp": "2026/01/01 00:00",
        "SoftwareCommit": "simulated",
        "SoftwareBuild": "twinbeam",
    }

"""The detector configuration between records and Serval's JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sim_iocs.serval.config import CHAIN_MODES, CONTINUOUS, POLARITIES, TDC_EDGES, TRIGGER_MODES

__all__ = ["config_of_records", "records_of_config"]

_DEAD_TIME_S = 0.003


def config_of_records(get: Callable[[str], Any]) -> dict[str, Any]:
    """What is sent to `/detector/config`.

    Parameters
    ----------
    get
        Value of a record by its name.
    """
    mode = TRIGGER_MODES[get("TriggerMode_RBV")]
    exposure_s = get("AcquireTime_RBV")
    period_s = exposure_s
    if mode != CONTINUOUS:
        period_s = max(get("AcquirePeriod_RBV"), exposure_s + _DEAD_TIME_S)
    return {
        "BiasVoltage": get("BiasVolt_RBV"),
        "BiasEnabled": bool(get("BiasEnbl_RBV")),
        "ChainMode": CHAIN_MODES[get("ChainMode_RBV")],
        "TriggerIn": get("TriggerIn_RBV"),
        "TriggerOut": get("TriggerOut_RBV"),
        "Polarity": POLARITIES[get("Polarity_RBV")],
        "TriggerMode": mode,
        "ExposureTime": exposure_s,
        "TriggerPeriod": period_s,
        "nTriggers": get("NumImages_RBV"),
        "PeriphClk80": bool(get("PeriphClk80_RBV")),
        "TriggerDelay": get("TriggerDelay_RBV"),
        "Tdc": [TDC_EDGES[get("Tdc0_RBV")], TDC_EDGES[get("Tdc1_RBV")]],
        "GlobalTimestampInterval": get("GlblTimestampIntvl_RBV"),
        "ExternalReferenceClock": bool(get("RefClock_RBV")),
        "LogLevel": get("LogLevel_RBV"),
    }


def records_of_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Readbacks by name of what Serval holds; it wins over what was written."""
    mode = config["TriggerMode"]
    return {
        "AcquireTime_RBV": config["ExposureTime"],
        "AcquirePeriod_RBV": config["TriggerPeriod"],
        "NumImages_RBV": config["nTriggers"],
        "TriggerMode_RBV": TRIGGER_MODES.index(mode),
        "TriggerDelay_RBV": config["TriggerDelay"],
        "TriggerIn_RBV": config["TriggerIn"],
        "TriggerOut_RBV": config["TriggerOut"],
        "BiasVolt_RBV": round(config["BiasVoltage"]),
        "BiasEnbl_RBV": config["BiasEnabled"],
        "Polarity_RBV": POLARITIES.index(config["Polarity"]),
        "ChainMode_RBV": CHAIN_MODES.index(config["ChainMode"]),
        "GlblTimestampIntvl_RBV": config["GlobalTimestampInterval"],
        "RefClock_RBV": config["ExternalReferenceClock"],
        "LogLevel_RBV": config["LogLevel"],
        "PeriphClk80_RBV": config["PeriphClk80"],
        "ExposureTime_RBV": config["ExposureTime"],
        "TriggerPeriod_RBV": config["TriggerPeriod"],
        "nTriggers_RBV": config["nTriggers"],
        "TriggerModeC_RBV": mode,
        "Tdc_RBV": json.dumps(config["Tdc"], separators=(",", ":")),
        "Fan1PWM_RBV": config["Fan1PWM"],
        "Fan2PWM_RBV": config["Fan2PWM"],
    }

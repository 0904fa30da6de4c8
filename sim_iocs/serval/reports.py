"""What Serval says of itself: dashboard, detector and measurement as JSON."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any

from sim_iocs.serval.destination import folder_of
from sim_iocs.serval.health import health_json
from sim_iocs.serval.info import info_json, server_json
from sim_iocs.serval.layout import layout_json

if TYPE_CHECKING:
    from sim_iocs.serval.serval import Serval

__all__ = ["config_json", "dashboard", "detector", "disk_space", "health", "measurement"]


def config_json(serval: Serval) -> dict[str, Any]:
    """`GET /detector/config`: what Serval holds, or what a fault makes it say."""
    return {**serval.config.to_json(), **serval.faults.wrong_readback}


def health(serval: Serval) -> dict[str, Any]:
    """`GET /detector/health`."""
    config, now = serval.config, time.time()
    bias_v = config.bias_v if config.bias_on else 0.0
    made: dict[str, Any] = health_json(now, now - serval.started_s, bias_v, config.fan1_pwm)
    return made


def detector(serval: Serval) -> dict[str, Any]:
    """`GET /detector`."""
    return {
        "Health": [health(serval)],  # one a read-out board
        "Info": info_json(),
        "Config": config_json(serval),
        "Chips": serval.chips.to_json(),
        "Layout": layout_json(serval.orientation),
    }


def disk_space(serval: Serval) -> list[dict[str, Any]]:
    """Free space where raw files go; empty until something is written."""
    made = []
    run = serval.measurement
    for channel in serval.destination.raw if serval.destination and run else ():
        folder = folder_of(channel.base)
        if folder is None or not folder.is_dir():
            continue
        free = shutil.disk_usage(folder).free
        reached = serval.faults.disk_limit or free < serval.disk_lower_limit_bytes
        recording = run is not None and run.status == "DA_RECORDING" and run.elapsed_s > 0
        made.append(
            {
                "Path": str(folder),
                "FreeSpace": free,
                "WriteSpeed": run.n_bytes / run.elapsed_s if run and recording else 0.0,
                "LowerLimit": serval.disk_lower_limit_bytes,
                "DiskLimitReached": reached,
                "Message": "Disk limit reached" if reached else "OK",
            }
        )
    return made


def dashboard(serval: Serval) -> dict[str, Any]:
    """`GET /dashboard`."""
    return {
        "Server": {
            **server_json(),
            "DiskSpace": disk_space(serval),
            "Notifications": list(serval.notifications),
        },
        "Measurement": _progress(serval) if serval.measurement else None,
        "Detector": None if serval.faults.detector_lost else {"DetectorType": "Tpx3"},
    }


def measurement(serval: Serval) -> dict[str, Any]:
    """`GET /measurement`."""
    return {"Config": serval.measurement_config, "Info": _progress(serval)}


def _progress(serval: Serval) -> dict[str, Any]:
    run = serval.measurement
    return {
        "PixelEventRate": round(run.hit_rate_hz) if run else 0,
        "Tdc1EventRate": round(run.edge_rate_hz(1)) if run else 0,
        "Tdc2EventRate": round(run.edge_rate_hz(2)) if run else 0,
        "StartDateTime": round(1e3 * run.started_s) if run else 0,
        "ElapsedTime": round(run.elapsed_s, 6) if run else 0.0,
        "TimeLeft": round(run.time_left_s, 6) if run else 0.0,
        "FrameCount": run.frames if run else 0,
        "DroppedFrames": run.dropped_frames if run else 0,
        "Status": serval.status,
    }

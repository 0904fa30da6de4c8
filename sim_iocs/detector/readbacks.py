"""What the driver reads from Serval every second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sim_iocs.channels import Channels
from sim_iocs.detector.chip_records import records_of_chips
from sim_iocs.detector.config_json import records_of_config
from sim_iocs.detector.health import health_values
from sim_iocs.detector.measurement_records import records_of_measurement_config
from sim_iocs.detector.requests import Requests
from sim_iocs.detector.tables.labels import DETECTOR_STATE, PIPELINE
from sim_iocs.serval import Reply

__all__ = ["Readbacks", "pipeline_state"]

_IDLE, _ACQUIRE, _DISCONNECTED = (
    DETECTOR_STATE.index(name) for name in ("Idle", "Acquire", "Disconnected")
)


def pipeline_state(status: str) -> int:
    """Number of Serval's state of a measurement; the last one is for what the driver ignores."""
    return PIPELINE.index(status) if status in PIPELINE else len(PIPELINE) - 1


class Readbacks:
    """Publishes Serval's answers; what it holds wins over what was written.

    Parameters
    ----------
    channels
        Records of the driver.
    requests
        How Serval is asked.
    acquiring
        Whether the driver believes that it acquires.
    """

    def __init__(
        self, channels: Channels, requests: Requests, acquiring: Callable[[], bool]
    ) -> None:
        self._channels = channels
        self._requests = requests
        self._acquiring = acquiring

    @property
    def connected(self) -> bool:
        """Whether Serval answered the last time, and had the detector."""
        get = self._channels.get
        return bool(get("ServalConnected_RBV") and get("DetConnected_RBV"))

    async def refresh(self) -> None:
        """Read dashboard, detector and configuration of the measurement."""
        await self.dashboard()
        reply = await self._requests.get("/detector")
        if reply.ok and isinstance(reply.body, dict):
            await self._channels.post_all(_detector(reply.body))
        else:
            await self._channels.post("WriteFileMessage", reply.text)
        reply = await self._requests.get("/measurement/config")
        if reply.ok and isinstance(reply.body, dict):
            await self._channels.post_all(records_of_measurement_config(reply.body))

    async def dashboard(self) -> Reply:
        """Read who is there and how the measurement stands, and give the answer."""
        reply = await self._requests.get("/dashboard")
        body = reply.body if reply.ok and isinstance(reply.body, dict) else None
        detector = body["Detector"] if body else None
        values: dict[str, Any] = {
            "ServalConnected_RBV": reply.ok,
            "DetConnected_RBV": detector is not None,
            "DetType_RBV": detector["DetectorType"] if detector else "null",
        }
        if body is None:
            values |= {"Status_RBV": "", "PipelineState_RBV": pipeline_state("")}
        else:
            values |= _server(body)
        await self._channels.post_all(values)
        await self._state(serval=reply.ok, detector=detector is not None)
        return reply

    async def _state(self, *, serval: bool, detector: bool) -> None:
        if serval and detector:
            message, state = "OK", _ACQUIRE if self._acquiring() else _IDLE
        else:
            state = _DISCONNECTED
            missing = "Detector" if serval else "SERVAL and detector"
            message = f"{missing} disconnected"
        await self._channels.post("StatusMessage_RBV", message)
        await self._channels.post("DetectorState_RBV", state)


def _server(body: Mapping[str, Any]) -> dict[str, Any]:
    """Records of the disk and of a measurement, whoever started it."""
    made: dict[str, Any] = {}
    if disks := body["Server"]["DiskSpace"]:
        made |= {
            "FreeSpace_RBV": disks[0]["FreeSpace"],
            "DiskLowLimit_RBV": disks[0]["LowerLimit"],
            "DiskLimReach_RBV": disks[0]["DiskLimitReached"],
            "WriteSpeed_RBV": disks[0]["WriteSpeed"],
        }
    if run := body["Measurement"]:
        made |= {
            "Status_RBV": run["Status"],
            "PipelineState_RBV": pipeline_state(run["Status"]),
        }
    return made


def _detector(body: Mapping[str, Any]) -> dict[str, Any]:
    health = body["Health"]
    return {
        **records_of_config(body["Config"]),
        **health_values(health[0] if isinstance(health, list) else health),
        **records_of_chips(body["Chips"]),
        "DetOrient_RBV": _orientation(body["Layout"]),
    }


def _orientation(layout: Mapping[str, Any]) -> int:
    quarters = ("UP", "RIGHT", "DOWN", "LEFT")
    name, _, mirrored = layout["DetectorOrientation"].partition("_")
    return quarters.index(name) + (len(quarters) if mirrored else 0)

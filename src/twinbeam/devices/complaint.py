"""What the detector itself says is wrong."""

from __future__ import annotations

from typing import Any

from twinbeam.devices.cam import TimePix3Cam
from twinbeam.errors import BeamlineError

__all__ = ["FAILURE_MESSAGES", "connection_problem", "detector_error"]

#: Beginnings of status messages with which the driver reports that an acquisition failed.
FAILURE_MESSAGES = (
    "Failed to",
    "Preview TCP port in use",
    "Measurement HTTP error",
    "Invalid measurement JSON",
    "SERVAL disconnected",
    "SERVAL and detector disconnected",
    "Detector disconnected",
)
_ANSWER_S = 2.0


def detector_error(
    cam: TimePix3Cam,
    what: str,
    *,
    hint: str,
    pv: str | None = None,
    said: str = "",
    code: int = 0,
) -> BeamlineError:
    """An error that adds the driver's own words to `what`.

    Parameters
    ----------
    cam
        The driver; it may be unreachable.
    what
        What did not happen.
    hint
        What to do about it.
    pv
        Process variable it is about; `Acquire` when not given.
    said
        A status message caught earlier: the driver overwrites its messages within a second.
    code
        A code of Serval caught earlier; the driver's own poll overwrites it within seconds.
    """
    return BeamlineError(
        f"{what}; {_words(cam, said, code)}", where=pv or cam.acquire.setpoint_pvname, hint=hint
    )


def _words(cam: TimePix3Cam, said: str, code: int) -> str:
    if not cam.connected:
        return "the IOC is not connected"
    try:
        words = [
            f"StatusMessage_RBV '{said or cam.status_message.get()}'",
            f"DetectorState_RBV {cam.detector_state.get()}",
            f"HttpCode_RBV {code or int(_now(cam.http_code))}",
        ]
        if message := str(_now(cam.write_message)):
            words.append(f"WriteFileMessage '{message}'")
        if cam.disk_limit_reached.get():
            words.append("DiskLimReach_RBV is set")
    except Exception as error:  # each client library has its own errors
        return f"the IOC does not answer ({type(error).__name__})"
    return ", ".join(words)


def _now(signal: Any) -> Any:
    """Code and text belong together only when neither is one that is still under way."""
    return signal.get(use_monitor=False, timeout=_ANSWER_S)


def connection_problem(cam: TimePix3Cam) -> BeamlineError | None:
    """What keeps the detector from being used at all, or None."""
    if not cam.connected:
        return BeamlineError(
            "the detector IOC does not answer",
            where=cam.prefix,
            hint="start the IOC, or check EPICS_CA_ADDR_LIST; twinbeam.devices.connect names all"
            " process variables that are missing",
        )
    if not cam.serval_connected.get():
        return detector_error(
            cam,
            "the IOC has lost Serval",
            pv=cam.serval_connected.pvname,
            hint="start Serval and check ServerURL_RBV, then write 1 to RefreshConnection",
        )
    if not cam.detector_connected.get():
        return detector_error(
            cam,
            "Serval does not see the detector",
            pv=cam.detector_connected.pvname,
            hint="check the detector's power and network, then write 1 to RefreshConnection",
        )
    return None

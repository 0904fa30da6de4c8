"""What the detector itself says is wrong."""

from __future__ import annotations

from twinbeam.devices.cam import TimePix3Cam
from twinbeam.errors import BeamlineError

__all__ = ["FAILURE_MESSAGES", "connection_problem", "detector_error", "refused"]

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
_FIRST_HTTP_ERROR = 400


def detector_error(
    cam: TimePix3Cam, what: str, *, hint: str, pv: str | None = None, said: str = ""
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
    """
    return BeamlineError(
        f"{what}; {_words(cam, said)}", where=pv or cam.acquire.setpoint_pvname, hint=hint
    )


def _words(cam: TimePix3Cam, said: str) -> str:
    if not cam.connected:
        return "the IOC is not connected"
    try:
        words = [
            f"StatusMessage_RBV '{said or cam.status_message.get()}'",
            f"DetectorState_RBV {cam.detector_state.get()}",
            f"HttpCode_RBV {int(cam.http_code.get())}",
        ]
        if message := str(cam.write_message.get()):
            words.append(f"WriteFileMessage '{message}'")
        if cam.disk_limit_reached.get():
            words.append("DiskLimReach_RBV is set")
    except Exception as error:  # each client library has its own errors
        return f"the IOC does not answer ({type(error).__name__})"
    return ", ".join(words)


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


def refused(cam: TimePix3Cam) -> bool:
    """Whether Serval answered the latest request with an error."""
    return int(cam.http_code.get(use_monitor=False)) >= _FIRST_HTTP_ERROR

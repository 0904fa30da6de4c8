"""Uses the simulated detector through EPICS's own client library; prints what it saw as JSON.

A process of its own, because a process has one client library.
"""

from __future__ import annotations

import json
import os
import sys
import threading

import ophyd

ophyd.set_cl("pyepics")

import epics  # noqa: E402
from ophyd import EpicsSignal, EpicsSignalRO  # noqa: E402
from ophyd.areadetector.plugins import ImagePlugin_V34  # noqa: E402

_TIMEOUT_S = 30.0


def main(prefix: str) -> None:
    cam = f"{prefix}cam1:"
    seen: dict[str, object] = {}

    mode = epics.PV(f"{cam}TriggerMode", form="ctrl")
    assert mode.wait_for_connection(_TIMEOUT_S)
    mode.get_ctrlvars(timeout=_TIMEOUT_S)
    seen["states"] = [str(state) for state in mode.enum_strs]
    seen["read_access"] = epics.PV(f"{cam}TriggerMode_RBV").get(timeout=_TIMEOUT_S) is not None
    readback = epics.PV(f"{cam}AcquireTime_RBV")
    assert readback.wait_for_connection(_TIMEOUT_S)
    seen["readback_writable"] = readback.write_access
    seen["text"] = epics.caget(f"{cam}RawFilePath", as_string=True, timeout=_TIMEOUT_S)
    seen["rtyp"] = epics.caget(f"{cam}AcquireTime.RTYP", timeout=_TIMEOUT_S)
    seen["free_space"] = epics.caget(f"{cam}StartTime_RBV", timeout=_TIMEOUT_S)

    got = threading.Event()
    values: list[float] = []

    def changed(value: float, **_: object) -> None:
        values.append(value)
        if value == 0.25:
            got.set()

    readback.add_callback(changed)
    template = EpicsSignal(f"{cam}RawFileTemplate", name="template", string=True)
    template.wait_for_connection(timeout=_TIMEOUT_S)
    template.put("from_pyepics_", wait=True, timeout=_TIMEOUT_S)
    seen["template"] = template.get(timeout=_TIMEOUT_S)
    epics.caput(f"{cam}AcquireTime", 0.25, wait=True, timeout=_TIMEOUT_S)
    seen["monitor"] = got.wait(_TIMEOUT_S)

    epics.caput(f"{cam}NumImages", 1, wait=True, timeout=_TIMEOUT_S)
    acquire = EpicsSignal(f"{cam}Acquire", name="acquire")
    acquire.wait_for_connection(timeout=_TIMEOUT_S)
    acquire.put(1, wait=True, use_complete=True, timeout=_TIMEOUT_S)
    seen["busy_after"] = epics.caget(f"{cam}AcquireBusy", timeout=_TIMEOUT_S)

    image = ImagePlugin_V34(f"{prefix}image1:", name="image")
    pixels = EpicsSignalRO(f"{prefix}image1:ArrayData", name="pixels", auto_monitor=False)
    pixels.wait_for_connection(timeout=_TIMEOUT_S)
    seen["pixels"] = len(pixels.get(timeout=_TIMEOUT_S))
    image.port_name.wait_for_connection(timeout=_TIMEOUT_S)
    seen["port"] = image.port_name.get()
    print(json.dumps(seen), flush=True)
    # its channels outlive the interpreter's, and say so
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])

"""A detector IOC of a module's own, whose faults tests switch on and off."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

DEADLINE_S = 60.0


class FaultyDetector:
    """Records of the driver (`cam`) and of the faults (`faults`), with waiting and watching."""

    def __init__(self, cam: Any, faults: Any) -> None:
        self.cam = cam
        self.faults = faults

    def wait(self, name: str, expected: Any, text: bool = False) -> None:
        """Wait until a record of the driver has a value, or one that a function accepts."""
        good = expected if callable(expected) else lambda value: value == expected
        deadline = time.monotonic() + DEADLINE_S
        while not good(value := self.cam.get(name, text)):
            assert time.monotonic() < deadline, f"{name} is {value!r}, not {expected!r}"
            time.sleep(0.02)

    def wait_fault(self, name: str, expected: Any) -> None:
        """Wait until a record of the faults has a value."""
        deadline = time.monotonic() + DEADLINE_S
        while (value := self.faults.get(name)) != expected:
            assert time.monotonic() < deadline, f"{name} is {value!r}, not {expected!r}"
            time.sleep(0.02)

    def severity(self, name: str) -> int:
        """Present alarm severity of a record."""
        self.cam.get(name)
        return int(self.cam.signal(name).alarm_severity)

    @contextlib.contextmanager
    def watched(self, name: str, text: bool = False) -> Iterator[Callable[[Any], None]]:
        """Function that waits until a value has come by, however short it stayed."""
        seen, end = self.cam.watch(name, text)

        def wait(expected: Any) -> None:
            deadline = time.monotonic() + DEADLINE_S
            while expected not in seen:
                assert time.monotonic() < deadline, f"{name} was {seen}, never {expected!r}"
                time.sleep(0.01)

        try:
            yield wait
        finally:
            end()

    def configure(self, folder: Path, *, frames: int = 3, exposure_s: float = 0.1) -> None:
        """Short frames, each with a raw file in `folder`."""
        self.cam.put_all(
            {
                "ImageMode": 1,
                "TriggerMode": 5,
                "AcquireTime": exposure_s,
                "NumImages": frames,
                "RawFilePath": f"file:{folder}",
                "RawFileTemplate": "a_",
                "RawSplitStg": 1,
                "WriteRaw": 1,
                "WriteData": 1,
            }
        )

    def recover(self) -> None:
        """All faults off, nothing running, Serval told what it needs."""
        self.faults.put("Clear", 1)
        self.wait("ServalConnected_RBV", 1)
        self.cam.put("Acquire", 0)
        # only a stop that works ends what a failed one left behind
        self.cam.put_all({"WriteRaw": 0, "WriteData": 1})
        self.wait("DetectorState_RBV", "Idle", text=True)

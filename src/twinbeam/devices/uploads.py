"""Files of the pixel configuration and of the chips' voltages, loaded with Serval's answer."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any, ClassVar

from ophyd import Component as Cpt
from ophyd import Device, EpicsSignal
from ophyd.signal import InternalSignal
from ophyd.status import DeviceStatus

from twinbeam.devices.cam import TimePix3Cam
from twinbeam.devices.complaint import connection_problem, detector_error
from twinbeam.devices.serval_answer import ServalAnswer
from twinbeam.devices.unbroken import Unbroken
from twinbeam.errors import BeamlineError

__all__ = ["BpcUpload", "DacsUpload", "Upload"]

_CHIP_BYTES = 65_536
_MATCHES = 1
_POLL_S = 0.02
_LOOK_S = 0.1
_IN_TURN = threading.Lock()


class Upload(Device):
    """Something that is brought to the chips by `set`, such as with ``bps.mv``.

    The status ends when Serval has answered and the chips hold it; it fails with a
    `BeamlineError` that gives Serval's own words. Nothing is loaded while the detector acquires.

    Parameters
    ----------
    timeout_s
        Longest time for each step, in seconds.
    """

    #: Parts of the driver that it needs, by their group.
    _parts: ClassVar[dict[str, tuple[str, ...]]] = {}
    #: What was loaded last by this device.
    loaded = Cpt(InternalSignal, value="", kind="normal")

    def __init__(self, *args: Any, timeout_s: float = 20.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.timeout_s = timeout_s
        self._link = Unbroken(None)

    @property
    def cam(self) -> TimePix3Cam:
        """The driver of the detector this is part of."""
        return self.parent.cam

    def _begin(self, work: Callable[[], str]) -> DeviceStatus:
        """Do `work` in a thread; what it returns was loaded."""
        status = DeviceStatus(self, call_stop_on_failure=False)

        def run() -> None:
            try:
                with _IN_TURN, Unbroken(self.cam) as self._link:
                    self._connect()
                    self._check_idle()
                    loaded = work()
                    self._link.check()
                self.loaded.put(loaded, force=True, internal=True)
            except Exception as error:  # each client library has its own errors
                status.set_exception(self._reason(error))
            else:
                status.set_finished()

        threading.Thread(target=run, name="upload", daemon=True).start()
        return status

    def _reason(self, error: Exception) -> BeamlineError:
        """What to tell about an error."""
        if isinstance(error, BeamlineError):
            return error
        problem: BeamlineError | None = None
        with contextlib.suppress(Exception):  # the connection may be lost while it is asked
            problem = connection_problem(self.cam)
        return problem or detector_error(
            self.cam,
            f"loading failed: {type(error).__name__}: {error}",
            hint="see whether the IOC is alive",
        )

    def _check_idle(self) -> None:
        if problem := connection_problem(self.cam):
            raise problem
        if self.cam.acquire.get(use_monitor=False):
            raise BeamlineError(
                "nothing is loaded into a detector that acquires",
                where=self.cam.acquire.setpoint_pvname,
                hint="stop the acquisition first",
            )

    def _connect(self) -> None:
        """Connect what is needed, which waits until it is first used otherwise."""
        if problem := connection_problem(self.cam):
            raise problem
        for group, parts in self._parts.items():
            getattr(self.cam, group).connect_parts(*parts, timeout_s=self.timeout_s)

    def _write(self, signal: EpicsSignal, value: Any) -> None:
        """Write and wait until the driver has taken it."""
        self._put(signal, value, f"{value!r} was not taken within {self.timeout_s:g} s")

    def _do(self, signal: EpicsSignal) -> None:
        """Write 1, and wait until the driver has done what that means."""
        self._put(signal, 1, f"the driver did not finish within {self.timeout_s:g} s")

    def _put(self, signal: EpicsSignal, value: Any, complaint: str) -> None:
        done = threading.Event()
        signal.put(value, use_complete=True, callback=lambda *_, **__: done.set())
        deadline = time.monotonic() + self.timeout_s
        while not done.wait(_LOOK_S):
            self._link.check()
            if time.monotonic() > deadline:
                raise detector_error(
                    self.cam,
                    complaint,
                    pv=signal.setpoint_pvname,
                    hint="Serval may hang; see whether it answers at ServerURL_RBV",
                )
        self._link.check()

    def _until(self, good: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + self.timeout_s
        while not good():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True


class _FileUpload(Upload):
    """A calibration file on Serval's machine, by its full path there."""

    _record: ClassVar[str]
    _suffix: ClassVar[str]

    def check_value(self, value: object) -> None:
        """Make sure that it is the full path of a file with the right ending.

        Raises
        ------
        BeamlineError
            If it is not.
        """
        path = PurePosixPath(str(value))
        if not path.is_absolute() or path.suffix != self._suffix:
            raise BeamlineError(
                f"'{value}' is no full path of a {self._suffix} file",
                where=self.name,
                hint="give the path as Serval's machine sees it",
            )

    def set(self, value: object) -> DeviceStatus:
        """Load a file.

        Raises
        ------
        BeamlineError
            If `value` cannot be one.
        """
        self.check_value(value)
        path = PurePosixPath(str(value))
        return self._begin(lambda: self._load(path))

    def _load(self, path: PurePosixPath) -> str:
        part = {name: self._part(name) for name in ("path", "name")}
        before = {name: str(signal.get()) for name, signal in part.items()}
        try:
            self._write(part["path"], str(path.parent))
            self._check_folder(path)
            self._write(part["name"], path.name)
            self._ask_serval(path)
            self._check_chips(path)
        except BaseException:
            # The driver loads the named file again when Serval comes back.
            with contextlib.suppress(Exception):
                self._link.renew()
                for name, signal in part.items():
                    self._write(signal, before[name])
            raise
        return str(path)

    def _part(self, name: str) -> EpicsSignal:
        return getattr(self.cam.calibration, f"{self._record}_{name}")

    def _check_folder(self, path: PurePosixPath) -> None:
        folder, exists = f"{str(path.parent).rstrip('/')}/", self._part("path_exists")
        taken = self._until(lambda: self._part("path").get() == folder)
        if not taken or not exists.get(use_monitor=False):
            raise detector_error(
                self.cam,
                f"the IOC does not see the folder {path.parent}",
                pv=exists.pvname,
                hint="the folder must be there under the same name for the IOC and for Serval",
            )

    def _ask_serval(self, path: PurePosixPath) -> None:
        command = getattr(self.cam.calibration, f"write_{self._record}")
        with ServalAnswer(self.cam) as answer:
            # The driver never ends this put, so the next one, which waits for its turn, tells.
            command.put(1, use_complete=False)
            try:
                self._wait_for_turn()
            finally:
                command.put(0, use_complete=False)
            if answer.refused:
                raise BeamlineError(
                    f"Serval did not load {path}: {answer.words}",
                    where=command.setpoint_pvname,
                    hint="is the file there on Serval's machine, and whole?",
                )

    def _wait_for_turn(self) -> None:
        """Return when the driver has done everything that was written before."""
        self._do(self.cam.status.health_scan)

    def _check_chips(self, path: PurePosixPath) -> None:
        """Make sure that the chips hold what is in the file, as far as that can be read."""


class BpcUpload(_FileUpload):
    """Pixel configuration: a file with a byte a pixel, compared with the chips afterwards."""

    _parts: ClassVar = {
        "calibration": ("bpc_path", "bpc_path_exists", "bpc_name", "write_bpc"),
        "status": ("health_scan",),
        "pixel_config": ("refresh", "n_masked"),
    }
    _record = "bpc"
    _suffix = ".bpc"

    def _check_chips(self, path: PurePosixPath) -> None:
        self._do(self.cam.pixel_config.refresh)
        wrong = [
            f"chip {number}: {chip.pixels.status.get(use_monitor=False)}"
            for number, chip in enumerate(self.cam.recorded_chips())
            if chip.pixels.match.get(use_monitor=False) != _MATCHES
        ]
        if wrong:
            raise BeamlineError(
                f"the chips do not hold what is in {path}: {'; '.join(wrong)}",
                where=self.cam.pixel_config.refresh.setpoint_pvname,
                hint=f"a file has {_CHIP_BYTES} bytes a chip; is it seen by the IOC too?",
            )


class DacsUpload(_FileUpload):
    """Voltages of the chips, thresholds among them; Serval's answer is all there is to check."""

    _parts: ClassVar = {
        "calibration": ("dacs_path", "dacs_path_exists", "dacs_name", "write_dacs"),
        "status": ("health_scan",),
    }
    _record = "dacs"
    _suffix = ".dacs"

    def _check_chips(self, path: PurePosixPath) -> None:
        self.parent.threshold.forget()

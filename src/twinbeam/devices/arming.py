"""Settings into the detector, and the ones it had before back again."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from ophyd import EpicsSignal
from ophyd.utils import StatusTimeoutError

from twinbeam.devices.cam import TimePix3Cam
from twinbeam.devices.complaint import connection_problem, detector_error
from twinbeam.devices.raw_files import RawFiles
from twinbeam.devices.serval_answer import ServalAnswer
from twinbeam.devices.settings import AcquisitionSettings, Patience
from twinbeam.errors import BeamlineError

__all__ = ["Arming"]

_MULTIPLE = 1  # ImageMode; 0 would force one frame
_ONE_FILE_A_FRAME = 1  # RawSplitStg
_POLL_S = 0.02
_log = logging.getLogger(__name__)


class Arming:
    """Puts settings into the driver, waits until Serval has them, and restores the old ones.

    The driver echoes what is written at once, whether or not Serval accepts it, so only Serval's
    own readbacks are believed.

    Parameters
    ----------
    cam
        The driver.
    patience
        Tells how long its steps may take.
    """

    def __init__(self, cam: TimePix3Cam, patience: Callable[[], Patience]) -> None:
        self._cam = cam
        self._patience = patience
        self._saved: dict[EpicsSignal, Any] = {}
        self._settings: AcquisitionSettings | None = None
        self._pushed: RawFiles | None = None
        self._named: RawFiles | None = None
        self._stream = ""

    def save(self) -> None:
        """Remember what the detector runs with now.

        Raises
        ------
        BeamlineError
            If IOC, Serval or detector are not there.
        """
        if problem := connection_problem(self._cam):
            raise problem
        cam = self._cam
        # In the order in which they are written back; readbacks, for set points may never
        # have reached Serval.
        self._saved = {
            signal: signal.get()
            for signal in (
                cam.image_mode,
                cam.trigger_mode,
                cam.acquire_time,
                cam.acquire_period,
                cam.num_images,
                cam.raw_path,
                cam.raw_template,
                cam.raw_split,
                cam.write_raw,
                cam.raw1_path,
                cam.write_raw1,
            )
        }

    def arm(self, settings: AcquisitionSettings, files: RawFiles) -> None:
        """Write all settings that differ, push the raw channel, and wait for Serval's readbacks.

        Raises
        ------
        BeamlineError
            If the driver does not answer or Serval does not take the settings.
        """
        cam = self._cam
        if not self._still_armed():
            self._settings = self._pushed = None
        if settings != self._settings:
            self._settings = None
            self.stop()
            self._write(cam.image_mode, _MULTIPLE)
            self._write(cam.trigger_mode, int(settings.trigger_mode))
            self._write(cam.acquire_time, settings.frame_time_s)
            self._write(cam.acquire_period, settings.period_s)
            self._write(cam.num_images, settings.num_frames)
        if files != self._pushed or settings.stream != self._stream:
            self._pushed, self._named = None, files
            self._write(cam.raw_path, files.destination)
            self._write(cam.raw_template, files.stem)
            self._write(cam.raw_split, _ONE_FILE_A_FRAME)
            self._write(cam.write_raw, 1)
            self._second_channel(settings.stream)
            self._push(files)
        self._wait(self._wanted(settings, files))
        self._settings, self._pushed, self._stream = settings, files, settings.stream

    def _wanted(self, settings: AcquisitionSettings, files: RawFiles) -> dict[EpicsSignal, Any]:
        """What the driver and Serval say when they are armed."""
        cam = self._cam
        second = {cam.write_raw1: 1, cam.raw1_path: settings.stream} if settings.stream else {}
        return {
            cam.write_raw: 1,
            **second,
            cam.exposure_s: settings.frame_time_s,
            cam.period_s: settings.period_s,
            cam.num_triggers: settings.num_frames,
            cam.trigger_mode_name: settings.trigger_mode.name,
            # these two are only the driver's own; it cuts off what is too long for it
            cam.raw_path: files.destination,
            cam.raw_template: files.stem,
        }

    def _still_armed(self) -> bool:
        """Whether what was armed last is still there.

        An IOC that was started again has forgotten it, and another program may have changed it.
        """
        if self._settings is None or self._pushed is None:
            return False
        wanted = self._wanted(self._settings, self._pushed)
        return all(_same(self._now(signal), value) for signal, value in wanted.items())

    def _second_channel(self, stream: str) -> None:
        """Stream there, or leave the channel as it was found."""
        cam = self._cam
        if stream:
            self._write(cam.raw1_path, stream)
            self._write(cam.write_raw1, 1)
        elif self._stream:
            self._write(cam.raw1_path, self._saved[cam.raw1_path])
            self._write(cam.write_raw1, self._saved[cam.write_raw1])

    def restore(self) -> None:
        """Write back what `save` remembered and push it. Trouble is logged, never raised."""
        saved, self._saved = self._saved, {}
        named, self._named = self._named, None
        self._settings = self._pushed = None
        self._stream = ""
        if not saved:
            return
        try:
            if named is not None:
                self._take_names_away(named)
            for signal, value in saved.items():
                self._write(signal, value)
            self._write(self._cam.write_data, 1)
            self._wait(
                {
                    self._cam.write_raw: saved[self._cam.write_raw],
                    self._cam.write_raw1: saved[self._cam.write_raw1],
                    self._cam.exposure_s: saved[self._cam.acquire_time],
                    self._cam.num_triggers: saved[self._cam.num_images],
                },
                hint="see what Serval says; it keeps the raw channel until another one, such as"
                " WritePrvImg, is on",
            )
        except BeamlineError as error:
            _log.warning("settings of the detector were not all restored: %s", error)

    def _take_names_away(self, files: RawFiles) -> None:
        """Let whoever acquires next write to other files than those of a run.

        The driver sends no channels at all when none is on, and Serval may refuse those it had
        before; then it would begin the same files again.
        """
        self._write(self._cam.raw_template, f"after_{files.stem}")
        self._write(self._cam.write_data, 1)

    def stop(self) -> None:
        """Stop an acquisition that runs, also one that only seems to run after a failed start.

        Raises
        ------
        BeamlineError
            If it goes on.
        """
        cam = self._cam
        if not self._now(cam.acquire):
            return
        cam.acquire.put(0, use_complete=False)
        deadline = time.monotonic() + self._patience().stop_s
        while self._now(cam.acquire):
            if time.monotonic() > deadline:
                raise detector_error(
                    cam,
                    f"the detector did not stop within {self._patience().stop_s:g} s",
                    hint="stop it from its own screen, or restart Serval",
                )
            time.sleep(_POLL_S)

    def _write(self, signal: EpicsSignal, value: Any) -> None:
        timeout_s = self._patience().write_s
        try:
            signal.set(value, timeout=timeout_s).wait()
        except Exception as error:  # each client library has its own errors
            late = isinstance(error, StatusTimeoutError)
            raise detector_error(
                self._cam,
                f"{value!r} was not taken within {timeout_s:g} s"
                if late
                else f"writing {value!r} failed: {error}",
                pv=signal.setpoint_pvname,
                hint="see whether the IOC is alive and the record may be written",
            ) from error

    def _now(self, signal: EpicsSignal) -> Any:
        """The value as the IOC has it: what was told last may be from before a restart."""
        try:
            return signal.get(use_monitor=False)
        except Exception as error:  # each client library has its own errors
            raise detector_error(
                self._cam,
                f"does not answer: {type(error).__name__}: {error}",
                pv=signal.pvname,
                hint="see whether the IOC is alive",
            ) from error

    def _push(self, files: RawFiles) -> None:
        cam = self._cam
        with ServalAnswer(cam) as answer:
            self._write(cam.write_data, 1)
            if answer.refused:
                raise BeamlineError(
                    f"Serval refused the raw channel: {answer.words}",
                    where=cam.write_data.setpoint_pvname,
                    hint=f"can the machine of Serval write to {files.folder}?",
                )
        if not self._now(cam.raw_path_exists):
            raise detector_error(
                cam,
                f"the IOC does not see the folder {files.folder}",
                pv=cam.raw_path_exists.pvname,
                hint="the folder must exist under the same name for this program, the IOC and"
                " Serval",
            )

    def _wait(
        self,
        wanted: Mapping[EpicsSignal, Any],
        hint: str = "the values may be out of the detector's bounds, or another program changes"
        " them",
    ) -> None:
        """Wait until all readbacks are as wanted; Serval is read about once a second."""
        deadline = time.monotonic() + self._patience().settings_s
        while wrong := [s for s, value in wanted.items() if not _same(self._now(s), value)]:
            if problem := connection_problem(self._cam):
                raise problem
            if time.monotonic() > deadline:
                what = "; ".join(
                    f"{signal.pvname} is {self._now(signal)!r} instead of {wanted[signal]!r}"
                    for signal in wrong
                )
                raise detector_error(
                    self._cam,
                    f"the detector did not take its settings within"
                    f" {self._patience().settings_s:g} s: {what}",
                    pv=wrong[0].pvname,
                    hint=hint,
                )
            time.sleep(_POLL_S)


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, float):
        return math.isclose(value, wanted, rel_tol=1e-6, abs_tol=1e-9)
    return bool(value == wanted)

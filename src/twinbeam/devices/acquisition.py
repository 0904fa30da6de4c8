"""One acquisition, followed from the write to `Acquire` to its last complete file."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from ophyd.ophydobj import OphydObject

from twinbeam.devices.cam import TimePix3Cam
from twinbeam.devices.complaint import FAILURE_MESSAGES, connection_problem, detector_error
from twinbeam.devices.found_frames import FoundFrames, Frame
from twinbeam.devices.progress import FrameProgress
from twinbeam.devices.raw_files import RawFiles
from twinbeam.devices.settings import AcquisitionSettings, Patience
from twinbeam.errors import BeamlineError

__all__ = ["Acquisition"]

_POLL_S = 0.05
_FINAL_COUNTERS_S = 2.0  # the driver reads its counters once more after the end
_FIRST_HTTP_ERROR = 400
_AWAY_S = 2.0
_IDLE_S = 1.0  # so long without `Acquire` an acquisition is over, whoever has told it or not
_RUNNING = ("DA_RECORDING", "DA_STOPPING")
_log = logging.getLogger(__name__)


class _Stopped(Exception):
    """Somebody called `Acquisition.stop`."""


class Acquisition:
    """Starts, follows and ends one acquisition in a thread of its own.

    `started` ends when the detector records, `ended` when all files are complete; both fail with
    a `BeamlineError`. However it ends, the detector is told to stop first.

    Parameters
    ----------
    device
        Detector the statuses belong to.
    cam
        Its driver.
    files
        Files it will write.
    settings
        What it is made with.
    patience
        How long its steps may take.
    arm
        Called first, in the thread; brings files and settings to the detector.
    on_end
        Called with the acquisition before `ended` ends.
    may_drop
        Whether it goes on, and ends well, when the detector says that it has dropped frames.
    """

    def __init__(
        self,
        device: OphydObject,
        cam: TimePix3Cam,
        files: RawFiles,
        settings: AcquisitionSettings,
        patience: Patience,
        *,
        arm: Callable[[], None],
        on_end: Callable[[Acquisition], None],
        may_drop: bool = False,
    ) -> None:
        self.files = files
        self.settings = settings
        self.started = FrameProgress(device, settings.num_frames)
        self.ended = FrameProgress(device, settings.num_frames)
        self.frames = FoundFrames(cam, files, settings.num_frames, patience, may_drop=may_drop)
        self._cam = cam
        self._patience = patience
        self._arm = arm
        self._on_end = on_end
        self._stopping = threading.Event()
        self._over = threading.Event()
        self._put = False
        self._counted = 0
        self._lost = 0
        self._idle_since: float | None = None
        self._states: set[str] = set()
        self._failure = ""
        self._code = 0
        self._thread = threading.Thread(target=self._run, name="acquisition", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End it early and wait until it has; frames that had ended by then stay."""
        self._stopping.set()
        if self._thread is not threading.current_thread():
            self._thread.join(self._patience.stop_s + self._patience.write_s)

    def take(self) -> list[Frame]:
        """Complete frames that have not been taken yet, in order."""
        return self.frames.take()

    # --- the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        error: BeamlineError | None = None
        try:
            with self._watching():
                try:
                    self._arm()
                    self._begin()
                    self._follow()
                except _Stopped:
                    self._end_early()
                except Exception as reason:
                    # Said before the end, which waits for a lost connection to come back.
                    error = self._explained(reason)
                    self._end_early()
        except Exception as reason:
            error = error or self._explained(reason)
        self._on_end(self)
        self.started.end(error)
        self.ended.end(error)

    def _explained(self, reason: Exception) -> BeamlineError:
        if isinstance(reason, BeamlineError):
            return reason
        error = self._lost_connection() or detector_error(
            self._cam,
            f"the acquisition failed: {type(reason).__name__}: {reason}",
            hint="this is unexpected; see whether the IOC is alive",
        )
        error.__cause__ = reason
        return error

    def _lost_connection(self) -> BeamlineError | None:
        try:
            return connection_problem(self._cam)
        except Exception:  # it may be lost while it is asked; each client library has its errors
            return None

    @contextlib.contextmanager
    def _watching(self) -> Any:
        """Follow the values that must not be missed, however short they last."""
        cam = self._cam
        watched = (
            (cam.status_message, self._on_message),
            (cam.http_code, self._on_code),
            (cam.measurement_state, self._on_state),
            (cam.frame_count, self._on_count),
            (cam.dropped_frames, self._on_dropped),
        )
        tokens = [(signal, signal.subscribe(call, run=False)) for signal, call in watched]
        try:
            yield
        finally:
            for signal, token in tokens:
                signal.unsubscribe(token)

    def _on_message(self, *_: Any, value: Any = "", **__: Any) -> None:
        # The next "OK" follows within a second.
        if self._put and str(value).startswith(FAILURE_MESSAGES):
            self._failure = self._failure or str(value)

    def _on_code(self, *_: Any, value: Any = 0, **__: Any) -> None:
        # The one before the failure is the reason; stopping after it may be refused as well.
        if self._put and int(value) >= _FIRST_HTTP_ERROR and not (self._failure and self._code):
            self._code = int(value)

    def _on_state(self, *_: Any, value: Any = "", **__: Any) -> None:
        if self._put:
            self._states.add(str(value))

    def _on_count(self, *_: Any, value: Any = 0, **__: Any) -> None:
        # Before the first new value the counter still shows the acquisition before.
        if self._put:
            self._counted = int(value)

    def _on_dropped(self, *_: Any, value: Any = 0, **__: Any) -> None:
        if self._put:
            self._lost = int(value)

    @property
    def _gone_by(self) -> int:
        """Frames that have ended, counted or dropped."""
        return self._counted + self._lost

    def _begin(self) -> None:
        """Write to `Acquire` and wait for a sign that the detector records."""
        self._pause(0.0)
        self._put = True
        self._cam.acquire.put(1, use_complete=True, callback=lambda *_, **__: self._over.set())
        deadline = time.monotonic() + self._patience.start_s
        while not (self._over.is_set() or self._counted or self._states.intersection(_RUNNING)):
            self._check_health()
            if time.monotonic() > deadline:
                raise detector_error(
                    self._cam,
                    f"the detector did not record within {self._patience.start_s:g} s after"
                    f" Acquire (Serval is {self._cam.measurement_state.get()})",
                    hint="is a destination set in Serval, and the trigger mode right?",
                )
            self._pause(_POLL_S / 5)
        self._check_health()
        self.started.end(None)

    def _follow(self) -> None:
        """Find frame after frame complete until there are as many as wanted."""
        num_frames = self.settings.num_frames
        progress, progressed_s = -1, time.monotonic()
        over_s: float | None = None
        found, found_s = -1, progressed_s
        while True:
            if over_s is None and self._is_over():
                over_s = time.monotonic()
            if over_s is not None:
                self._read_counters()
            self._look(over=over_s is not None)
            self.ended.report(max(min(self._gone_by, num_frames), self.frames.at))
            if self.frames.at == num_frames and over_s is not None:
                self.frames.close()
                return
            now_s = time.monotonic()
            if self._gone_by != progress:
                progress, progressed_s = self._gone_by, now_s
            if over_s is None:
                self._check_health()
                self._check_stall(now_s - progressed_s)
            elif self._gone_by < num_frames and now_s - over_s > _FINAL_COUNTERS_S:
                self._check_cut_short()
            if self.frames.at != found or not self._file_is_due(over=over_s is not None):
                found, found_s = self.frames.at, now_s
            elif now_s - found_s > self._patience.files_s:
                if over_s is not None and self._gone_by < num_frames:
                    self._check_cut_short()
                raise self._files_error()
            self._pause(_POLL_S)

    def _is_over(self) -> bool:
        """Whether the detector has ended the acquisition.

        A lost connection takes the completion of the write along, or is told as one by some client
        libraries. So `Acquire` itself is asked.
        """
        acquire = self._cam.acquire
        if self._over.is_set():
            self._check_health()
            if not acquire.get(use_monitor=False):
                return True
            self._over.clear()
        now_s = time.monotonic()
        if acquire.get() or acquire.get(use_monitor=False):
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now_s
        return self._idle_since is not None and now_s - self._idle_since > _IDLE_S

    def _read_counters(self) -> None:
        """The last values may be those of the acquisition before, and are not told again then."""
        self._counted = int(self._cam.frame_count.get(use_monitor=False))
        self._lost = int(self._cam.dropped_frames.get(use_monitor=False))

    def _file_is_due(self, *, over: bool) -> bool:
        """Whether the next file should be complete, or at least there, by now."""
        behind = self._gone_by > self.frames.at
        return over or (behind and not self.files.path(self.frames.at).exists())

    def _look(self, *, over: bool) -> None:
        num_frames = self.settings.num_frames
        # Serval appends what the chips still hold to the last frame, after it was counted. Whether
        # its count holds dropped frames too is not known, so they are left out here.
        ended = num_frames if over else min(self._counted, num_frames - 1)
        self.frames.find(ended, over=over, gone_by=self._gone_by, lost=self._lost)

    def _end_early(self) -> None:
        """Stop the detector; keep the frames that had ended, but not the one cut short."""
        if not self._put:
            return
        counted = self._counted
        deadline = time.monotonic() + self._patience.stop_s
        try:
            # It may be away for a moment; the detector is not to go on unattended.
            back_by = time.monotonic() + min(_AWAY_S, self._patience.stop_s)
            while not self._cam.acquire.connected and time.monotonic() < back_by:
                time.sleep(_POLL_S)
            self._cam.acquire.put(0, use_complete=False, connection_timeout=0.5)
            while self._cam.acquire.get() or self._cam.acquire.get(use_monitor=False):
                if time.monotonic() > deadline:
                    raise BeamlineError("Acquire stays 1", where=self._cam.acquire.pvname)
                time.sleep(_POLL_S)
        except Exception as problem:  # the reason for the end matters more
            _log.warning("the detector may still be acquiring: %s", problem)
        deadline = time.monotonic() + 3 * self._patience.settle_s
        while self.frames.at < counted and time.monotonic() < deadline:
            self.frames.find(counted, over=True, gone_by=self._gone_by, lost=self._lost)
            time.sleep(_POLL_S)
        self.frames.close()

    # --- what can go wrong ------------------------------------------------------------------

    def _pause(self, lasts_s: float) -> None:
        if self._stopping.wait(lasts_s):
            raise _Stopped

    def _check_health(self) -> None:
        if self._failure:
            raise detector_error(
                self._cam,
                "the acquisition was refused or broke off",
                said=self._failure,
                code=self._code,
                hint="WriteFileMessage is Serval's answer; mend that, then try again (the detector"
                " has been told to stop)",
            )
        if problem := connection_problem(self._cam):
            raise problem

    def _check_stall(self, lasts_s: float) -> None:
        limit_s = self._patience.stall_s + 2.0 * self.settings.period_s
        if lasts_s > limit_s:
            raise detector_error(
                self._cam,
                f"no frame ended for {limit_s:g} s after {self._counted} of"
                f" {self.settings.num_frames} (trigger mode {self.settings.trigger_mode.name})",
                pv=self._cam.frame_count.pvname,
                hint="an external trigger may be missing, or Serval hangs",
            )

    def _check_cut_short(self) -> None:
        if not self.files.path(self.settings.num_frames - 1).exists():
            raise detector_error(
                self._cam,
                f"the acquisition ended after {self._counted} of {self.settings.num_frames} frames"
                f"{self._dropped()}",
                hint="somebody else may have stopped it, or a setting was written meanwhile; the"
                " frames that are complete have been kept",
            )

    def _dropped(self) -> str:
        """What the detector says about frames that it lost."""
        dropped = int(self._cam.dropped_frames.get(use_monitor=False))
        return f", and DroppedFrames_RBV is {dropped}: take fewer hits a second" if dropped else ""

    def _files_error(self) -> BeamlineError:
        path = self.files.path(self.frames.at)
        state = "keeps growing" if path.exists() else "does not exist"
        return detector_error(
            self._cam,
            f"{path} {state} {self._patience.files_s:g} s after its frame"
            f" ({self.frames.n_frames} of {self.settings.num_frames} files are complete)"
            f"{self._dropped()}",
            pv=self._cam.raw_path.setpoint_pvname,
            hint="does Serval write to this folder, seen from its own machine, and is there space?",
        )

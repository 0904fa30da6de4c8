"""The Timepix3 detector: step by step, or flying with an event a frame."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bluesky.run_engine import NoReplayAllowed
from ophyd import Component as Cpt
from ophyd import Device, Signal
from ophyd.signal import AttributeSignal, InternalSignal

from twinbeam.devices.acquisition import Acquisition
from twinbeam.devices.arming import Arming
from twinbeam.devices.cam import TimePix3Cam
from twinbeam.devices.complaint import connection_problem
from twinbeam.devices.found_frames import Frame
from twinbeam.devices.guards import Guards
from twinbeam.devices.health_watch import HealthWatch
from twinbeam.devices.image import PreviewImage
from twinbeam.devices.mask_upload import MaskUpload
from twinbeam.devices.progress import FrameProgress
from twinbeam.devices.raw_files import RawFiles, dated_folder, make_folder
from twinbeam.devices.settings import AcquisitionSettings, Patience, TriggerMode
from twinbeam.devices.threshold import ThresholdShift
from twinbeam.devices.uploads import BpcUpload, DacsUpload
from twinbeam.errors import BeamlineError, RecipeError

__all__ = ["TimePix3Detector"]


class _Reported(InternalSignal):
    """A value of an event, and the process variable behind it; only the detector sets it."""

    def __init__(self, *args: Any, origin: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._origin = origin

    @property
    def source_name(self) -> str:
        """Where the value comes from, as data keys say it."""
        return f"PV:{self.parent.prefix}{self._origin}"


class TimePix3Detector(Device):
    """A Timepix3 behind the areaDetector driver, whose data are raw files named in events.

    An event names files by plain scalars, in step and in fly mode: `raw_uri` (folder),
    `raw_template` (python format of a name), `raw_first` (index of the first file), `raw_count`
    (how many), `raw_bytes` (their size together). Only files that exist and are complete are
    named, with the hits in them (`raw_hits`). Each acquisition has its own clock and its own
    template.

    Step mode (`trigger`, `read`) makes one acquisition of `num_frames` frames of `frame_time_s`
    a trigger and gives one event for it. Fly mode (`kickoff`, `complete`, `collect_pages`) makes
    one acquisition and gives an event a frame while it runs; a plan does so with
    ``bps.declare_stream(detector, name="primary", collect=True)`` and
    ``bps.collect_while_completing([detector], [detector], flush_period=0.5,
    stream_name="primary")``.

    `exposure` sets an exposure of any length in seconds, which is made of frames of equal length
    that Serval can take. With an address in `stream`, such as ``tcp://listen@localhost:8085``, the
    second raw channel sends the same hits while they are written; `second_channel` records what
    that channel did in a run.

    Frames that the detector says it has dropped do not end an acquisition in fly mode: their
    number is in `raw_dropped` of the next event, so that the sums of `raw_count` and `raw_dropped`
    over a whole acquisition are `num_frames`; frames dropped at the very end have an event without
    files. In step mode, where one event names all files, they are an error.

    Staging refuses outside the limits of `guards`. `healthy` is 1 while the detector is connected
    and within them, for suspenders; `complaint` says what is wrong.

    Staging saves the settings it changes; unstaging writes them back and stops the detector. An
    acquisition that runs when the detector is staged is stopped, and not started again.

    Parameters
    ----------
    prefix
        Of the driver's process variables, such as ``TPX3-TEST:``.
    name
        Begins the names of all event keys.
    data_root
        Folder under which raw files go into dated folders; the same for this program, the IOC
        and Serval.
    patience
        How long the detector may take for each step.
    guards
        Limits within which it may be used.
    """

    cam = Cpt(TimePix3Cam, "cam1:", kind="normal")
    image = Cpt(PreviewImage, "image1:", kind="omitted")

    #: Calibration and masks: ``bps.mv(detector.bpc, "/data/tpx3.bpc")``.
    bpc = Cpt(BpcUpload, "cam1:", kind="omitted")
    dacs = Cpt(DacsUpload, "cam1:", kind="omitted")
    mask = Cpt(MaskUpload, "cam1:", kind="omitted")
    #: Thresholds of all chips together, for ``threshold_scan``: ``bps.mv(detector.threshold, 10)``.
    threshold = Cpt(ThresholdShift, "cam1:", kind="omitted")

    num_frames = Cpt(Signal, value=1, kind="config")
    frame_time_s = Cpt(Signal, value=1.0, kind="config")
    trigger_mode = Cpt(Signal, value=int(TriggerMode.CONTINUOUS), kind="config")
    #: Length of all frames together in seconds; writing it chooses frames and their length.
    exposure = Cpt(AttributeSignal, attr="exposure_s", rtolerance=1e-9, kind="config")
    #: Where the second raw channel streams to; empty leaves that channel as it is found.
    stream = Cpt(Signal, value="", kind="omitted")
    #: Folder for raw files instead of the dated one under `data_root`; empty for that one.
    raw_folder = Cpt(Signal, value="", kind="omitted")

    #: Where the files of the acquisition that begins next will be, told when the detector is staged
    #: so that they can be read while they grow; empty when it is not known.
    next_uri = Cpt(_Reported, value="", origin="cam1:RawFilePath", kind="config")
    next_template = Cpt(_Reported, value="", origin="cam1:RawFileTemplate", kind="config")

    #: What the second raw channel does in a run: an address, or "off".
    second_channel = Cpt(_Reported, value="", origin="cam1:Raw1FilePath_RBV", kind="config")

    #: 1 while the detector is connected and within the limits of `guards`.
    healthy = Cpt(_Reported, value=0, origin="cam1:", kind="omitted")
    #: What is wrong while `healthy` is 0.
    complaint = Cpt(_Reported, value="", origin="cam1:", kind="omitted")

    raw_uri = Cpt(_Reported, value="", origin="cam1:RawFilePath", kind="normal")
    raw_template = Cpt(_Reported, value="", origin="cam1:RawFileTemplate", kind="normal")
    raw_first = Cpt(_Reported, value=0, origin="cam1:RawFilePath", kind="normal")
    raw_count = Cpt(_Reported, value=0, origin="cam1:RawFilePath", kind="normal")
    raw_bytes = Cpt(_Reported, value=0, origin="cam1:RawFilePath", kind="normal")
    raw_hits = Cpt(_Reported, value=0, origin="cam1:RawFilePath", kind="normal")
    #: Frames that the detector dropped before these files, or, where there are none, at the end.
    raw_dropped = Cpt(_Reported, value=0, origin="cam1:DroppedFrames_RBV", kind="normal")
    frame_count = Cpt(_Reported, value=0, origin="cam1:FrameCnt_RBV", kind="normal")
    hit_rate = Cpt(_Reported, value=0.0, origin="cam1:PelEvtRate_RBV", kind="hinted")

    def __init__(
        self,
        prefix: str,
        *,
        name: str,
        data_root: Path | str,
        patience: Patience | None = None,
        guards: Guards | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(prefix, name=name, **kwargs)
        self.data_root = Path(data_root)
        self.patience = patience or Patience()
        self._guards = guards or Guards()
        self._watch = HealthWatch(self.cam, lambda: self._guards, self._tell_health)
        self._arming = Arming(self.cam, lambda: self.patience)
        self._acquisition: Acquisition | None = None
        self._files: RawFiles | None = None

    def settings(self) -> AcquisitionSettings:
        """What the next acquisition is made with.

        Raises
        ------
        BeamlineError
            If a value is out of bounds.
        """
        values = {
            "num_frames": self.num_frames.get(),
            "frame_time_s": self.frame_time_s.get(),
            "trigger_mode": self.trigger_mode.get(),
            "stream": self.stream.get(),
        }
        try:
            return AcquisitionSettings.from_mapping(values, where=self.name)
        except RecipeError as error:
            raise BeamlineError(error.what, where=error.where, hint=error.hint) from error

    @property
    def exposure_s(self) -> float:
        """Exposure of one acquisition in seconds: all its frames together."""
        return float(self.num_frames.get()) * float(self.frame_time_s.get())

    @exposure_s.setter
    def exposure_s(self, seconds: float) -> None:
        try:
            wanted = AcquisitionSettings.of_exposure(float(seconds))
        except (ValueError, TypeError) as error:
            raise BeamlineError(
                f"cannot be exposed for {seconds!r} s", where=self.name, hint="a time above 0 s"
            ) from error
        self.num_frames.put(wanted.num_frames)
        self.frame_time_s.put(wanted.frame_time_s)

    @property
    def guards(self) -> Guards:
        """Limits within which the detector may be used; set others at any time."""
        return self._guards

    @guards.setter
    def guards(self, guards: Guards) -> None:
        self._guards = guards
        self._watch.look()

    def _tell_health(self, problems: list[str]) -> None:
        complaint = "; ".join(problems)
        if complaint != self.complaint.get():
            self.complaint.put(complaint, internal=True)
        if int(not problems) != self.healthy.get():
            self.healthy.put(int(not problems), internal=True)

    # --- staging ----------------------------------------------------------------------------

    def stage(self) -> list[object]:
        """Make the folder, write all settings and wait until Serval has them.

        Raises
        ------
        BeamlineError
            If the detector is not there or refuses; it is left as it was.
        """
        settings = self.settings()
        devices: list[object] = super().stage()
        try:
            self._check()
            self._arming.save()
            self._files = self._fresh_files()
            self._arming.arm(settings, self._files)
            self._tell_next(self._files)
            self._tell_second_channel()
        except BaseException as error:
            self.unstage()
            if isinstance(error, BeamlineError) or not isinstance(error, Exception):
                raise
            raise BeamlineError(  # each client library has its own errors
                f"could not be staged: {type(error).__name__}: {error}",
                where=self.cam.prefix,
                hint="see whether the IOC is alive; when it is back the device connects by itself",
            ) from error
        return devices

    def unstage(self) -> list[object]:
        """Stop what runs and write back the settings that `stage` changed."""
        self.stop()
        self._files = None
        self._tell_next(None)
        self._arming.restore()
        devices: list[object] = super().unstage()
        return devices

    def _fresh_files(self) -> RawFiles:
        now_s = time.time()
        given = str(self.raw_folder.get())
        folder = Path(given) if given else dated_folder(self.data_root, now_s)
        make_folder(folder)
        return RawFiles.fresh(folder, now_s)

    def _tell_next(self, files: RawFiles | None) -> None:
        self.next_uri.put(files.uri if files else "", force=True, internal=True)
        self.next_template.put(files.template if files else "", force=True, internal=True)

    def _tell_second_channel(self) -> None:
        on = self.cam.write_raw1.get()
        said = str(self.cam.raw1_path.get()) if on else "off"
        self.second_channel.put(said, force=True, internal=True)

    def _acquire(self, *, may_drop: bool) -> Acquisition:
        """Start an acquisition with the files made when staging, or with new ones."""
        if self._staged.value != "yes":
            raise BeamlineError("acquires only when staged", where=self.name, hint="stage it first")
        if self._acquisition is not None and self._acquisition.running:
            raise BeamlineError("is acquiring already", where=self.name, hint="wait, or stop it")
        settings = self.settings()
        files, self._files = self._files or self._fresh_files(), None
        self._acquisition = Acquisition(
            self,
            self.cam,
            files,
            settings,
            self.patience,
            arm=lambda: self._arm(settings, files),
            on_end=self._show,
            may_drop=may_drop,
        )
        self._acquisition.start()
        return self._acquisition

    def _check(self) -> None:
        """Make sure that the detector is there and within its limits."""
        if problem := connection_problem(self.cam):
            raise problem
        self.cam.record_chips()
        self._guards.check(self.cam)

    def _arm(self, settings: AcquisitionSettings, files: RawFiles) -> None:
        self._check()
        self._arming.arm(settings, files)

    # --- step mode --------------------------------------------------------------------------

    def trigger(self) -> FrameProgress:
        """Make one acquisition; the status ends when its files are complete."""
        return self._acquire(may_drop=False).ended

    # --- fly mode ---------------------------------------------------------------------------

    def kickoff(self) -> FrameProgress:
        """Start one acquisition; the status ends when the detector records."""
        return self._acquire(may_drop=True).started

    def complete(self) -> FrameProgress:
        """Status that ends when the acquisition started by `kickoff` and its files are complete.

        Raises
        ------
        BeamlineError
            If nothing was started.
        """
        if self._acquisition is None:
            raise BeamlineError("nothing was started", where=self.name, hint="kickoff first")
        return self._acquisition.ended

    def describe_collect(self) -> dict[str, Any]:
        """Event keys of fly mode: the same as in step mode."""
        return dict(self.describe())

    def collect_pages(self) -> Iterator[dict[str, Any]]:
        """One page with a row for each frame found complete since the last call, or none.

        Timestamps are those of the files' last change.
        """
        acquisition = self._acquisition
        frames = acquisition.take() if acquisition is not None else []
        if acquisition is None or not frames:
            return
        rows = [self._row(acquisition, frame) for frame in frames]
        times = [frame.file.modified_s for frame in frames]
        yield {
            "data": {key: [row[key] for row in rows] for key in rows[0]},
            "timestamps": {key: list(times) for key in rows[0]},
            "time": times,
        }

    def _row(self, acquisition: Acquisition, frame: Frame) -> dict[str, Any]:
        return {
            self.raw_uri.name: acquisition.files.uri,
            self.raw_template.name: acquisition.files.template,
            self.raw_first.name: frame.file.index,
            self.raw_count.name: frame.n_files,
            self.raw_bytes.name: frame.file.n_bytes,
            self.raw_hits.name: frame.n_hits,
            self.raw_dropped.name: frame.n_dropped,
            self.frame_count.name: frame.frame_count,
            self.hit_rate.name: frame.hit_rate_hz,
        }

    # --- both -------------------------------------------------------------------------------

    def _show(self, acquisition: Acquisition) -> None:
        """Publish an acquisition as a whole, for `read` and for plans."""
        found = acquisition.frames
        last = found.last
        values: dict[_Reported, Any] = {
            self.raw_uri: acquisition.files.uri,
            self.raw_template: acquisition.files.template,
            self.raw_first: 0,
            self.raw_count: found.n_frames,
            self.raw_bytes: found.n_bytes,
            self.raw_hits: found.n_hits,
            self.raw_dropped: found.n_dropped,
            self.frame_count: last.frame_count if last else 0,
            self.hit_rate: last.hit_rate_hz if last else 0.0,
        }
        now_s = last.file.modified_s if last else time.time()
        for signal, value in values.items():
            signal.put(value, timestamp=now_s, force=True, internal=True)

    def pause(self) -> None:
        """An acquisition goes on while the RunEngine pauses, and is not repeated when it resumes.

        Raises
        ------
        NoReplayAllowed
            While an acquisition runs.
        """
        if self._acquisition is not None and self._acquisition.running:
            raise NoReplayAllowed

    def stop(self, *, success: bool = False) -> None:
        """End a running acquisition early, and wait until the detector is idle."""
        if self._acquisition is not None and self._acquisition.running:
            self._acquisition.stop()

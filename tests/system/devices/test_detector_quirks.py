"""Every fault of driver and Serval: what the device says, and that it can acquire afterwards."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ophyd import EpicsSignal

from twinbeam.devices import Patience, TimePix3Detector, connect
from twinbeam.errors import BeamlineError

PREFIX = "QUIRKS:"
CAM = f"{PREFIX}cam1:"
WAIT_S = 30.0
#: For all that is to go well, on a slow machine too.
PATIENCE = Patience(
    write_s=30.0, settings_s=30.0, start_s=30.0, stall_s=30.0, files_s=30.0, stop_s=10.0
)


class Faults:
    """Records that switch faults on and off."""

    def __init__(self) -> None:
        self._signals: dict[str, EpicsSignal] = {}

    def put(self, name: str, value: Any) -> None:
        """Set one, and wait until it works."""
        if name not in self._signals:
            signal = EpicsSignal(f"{PREFIX}SIM:{name}", name=name, string=isinstance(value, str))
            connect(signal, timeout_s=WAIT_S)
            self._signals[name] = signal
        self._signals[name].put(value, wait=True)

    def destroy(self) -> None:
        for signal in self._signals.values():
            signal.destroy()


@pytest.fixture(scope="module")
def quirky(
    beamline: Any, run_iocs: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TimePix3Detector, Faults]]:
    """A detector of this module's own, and its faults."""
    folder = tmp_path_factory.mktemp("quirks")
    arguments = (
        "detector",
        "--fast",
        f"--port={beamline.spare_ports[1]}",
        f"--detector-prefix={PREFIX}",
        f"--beamline=127.0.0.1:{beamline.ports.beamline}",
        f"--data-dir={folder}",
    )
    with run_iocs(*arguments):
        detector = TimePix3Detector(PREFIX, name="tpx3", data_root=folder, patience=PATIENCE)
        faults = Faults()
        try:
            connect(detector, timeout_s=60.0)
            yield detector, faults
        finally:
            detector.destroy()
            faults.destroy()


@pytest.fixture
def device(quirky: tuple[TimePix3Detector, Faults], tmp_path: Path) -> TimePix3Detector:
    """The detector, idle, with two short frames a trigger."""
    detector, _ = quirky
    detector.raw_folder.put(str(tmp_path / "raw"))
    detector.num_frames.put(2)
    detector.frame_time_s.put(0.1)
    detector.stream.put("")
    detector.patience = PATIENCE
    return detector


@pytest.fixture
def fault(quirky: tuple[TimePix3Detector, Faults]) -> Iterator[Callable[[str, Any], None]]:
    """Function that makes a fault; afterwards none is left and the detector acquires again."""
    detector, faults = quirky
    yield faults.put
    detector.unstage()
    faults.put("Clear", 1)
    until(lambda: detector.cam.serval_connected.get() and detector.cam.detector_connected.get())
    assert detector.cam.acquire.get(use_monitor=False) == 0
    assert detector._staged.value == "no"
    detector.num_frames.put(1)
    detector.stream.put("")
    detector.patience = PATIENCE
    detector.stage()
    try:
        detector.trigger().wait(WAIT_S)
        assert detector.raw_count.get() == 1
    finally:
        detector.unstage()
    assert detector.cam.acquire.get(use_monitor=False) == 0


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@dataclass(frozen=True)
class Quirk:
    """A fault, when it comes, and what is said about it."""

    faults: dict[str, Any]
    when: str
    says: tuple[str, ...]
    where: str
    frames: int = 2
    patience: dict[str, float] = field(default_factory=dict)


REFUSED = {
    "Serval down before staging": Quirk(
        {"ServalDown": 1}, "stage", ("lost Serval", "RefreshConnection"), "ServalConnected_RBV"
    ),
    "dashboard answers 503": Quirk(
        {"Refuse": "GET /dashboard 503 Busy"}, "stage", ("lost Serval",), "ServalConnected_RBV"
    ),
    "detector lost before staging": Quirk(
        {"DetectorLost": 1},
        "stage",
        ("does not see the detector", "power and network"),
        "DetConnected_RBV",
    ),
    "destination refused, 400": Quirk(
        {"Refuse": "PUT /server/destination 400 Base is no good"},
        "arm",
        ("refused the raw channel", "HttpCode_RBV 400", "'Base is no good'", "write to"),
        "WriteData",
    ),
    "destination refused, 409": Quirk(
        {"Refuse": "PUT /server/destination 409 Measurement is running"},
        "arm",
        ("HttpCode_RBV 409", "'Measurement is running'"),
        "WriteData",
    ),
    "configuration refused, 500": Quirk(
        {"Refuse": "PUT /detector/config 500 Internal error"},
        "arm",
        ("did not take its settings", "instead of"),
        "",
        frames=3,
        patience={"settings_s": 1.0},
    ),
    "wrong readback": Quirk(
        {"WrongReadback": '{"ExposureTime": 9.0}'},
        "arm",
        ("ExposureTime_RBV is 9.0 instead of 0.1",),
        "ExposureTime_RBV",
        patience={"settings_s": 1.0},
    ),
    # releases before R1-5 did so with 1e8 frames and more
    "number of frames not taken": Quirk(
        {"WrongReadback": '{"nTriggers": 1}'},
        "arm",
        ("nTriggers_RBV is 1 instead of 100000000",),
        "nTriggers_RBV",
        frames=100_000_000,
        patience={"settings_s": 1.0},
    ),
    "so slow that writes take too long": Quirk(
        {"Slow": 1.5},
        "arm",
        ("not taken within 0.5 s", "IOC is alive"),
        "",
        frames=3,
        patience={"write_s": 0.5},
    ),
    "Serval down before the trigger": Quirk(
        {"ServalDown": 1}, "trigger", ("Serval", "HttpCode_RBV"), ""
    ),
    "start refused": Quirk(
        {"StartRefused": 1},
        "trigger",
        ("Failed to start acquisition", "HttpCode_RBV", "WriteFileMessage"),
        "Acquire",
    ),
    "no port for the preview": Quirk(
        {"PortInUse": -1}, "trigger", ("Address already in use", "HttpCode_RBV 400"), "Acquire"
    ),
    "measurement answers 500": Quirk(
        {"Refuse": "GET /measurement 500 nonsense"},
        "trigger",
        ("Measurement HTTP error; acquisition stopped",),
        "Acquire",
    ),
    "measurement answers no JSON": Quirk(
        {"Refuse": "GET /measurement 200 nonsense"},
        "trigger",
        ("Invalid measurement JSON; acquisition stopped",),
        "Acquire",
    ),
    "stop fails at the end": Quirk(
        {"StopFails": 1},
        "trigger",
        ("Failed to stop acquisition",),
        "Acquire",
        patience={"stop_s": 1.0},
    ),
    "files missing": Quirk(
        {"Files": "missing"},
        "trigger",
        ("_000000.tpx3 does not exist", "is there space"),
        "RawFilePath",
        patience={"files_s": 0.7},
    ),
    "files later than anybody waits": Quirk(
        {"Files": "late", "FileLate": 20.0},
        "trigger",
        ("_000000.tpx3 does not exist", "0 of 2 files"),
        "RawFilePath",
        patience={"files_s": 0.7},
    ),
    "frames dropped": Quirk(
        {"DropEvery": 2},
        "trigger",
        ("DroppedFrames_RBV is 2", "1 of 5 files"),
        "RawFilePath",
        frames=5,
        patience={"files_s": 2.0},
    ),
    "Serval lost in a run": Quirk({"LostAfter": 0.3}, "trigger", ("Serval",), "", frames=1000),
    "detector lost in a run": Quirk({"DetectorLost": 1}, "run", ("etector",), "", frames=1000),
    "disk full in a run": Quirk(
        {"DiskLimit": 1},
        "run",
        ("of 1000 frames", "DiskLimReach_RBV is set"),
        "Acquire",
        frames=1000,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_fault_is_told_and_leaves_an_idle_detector(
    device: TimePix3Detector, fault: Callable[[str, Any], None], name: str
) -> None:
    quirk = REFUSED[name]
    device.num_frames.put(quirk.frames)
    device.patience = PATIENCE.model_copy(update=quirk.patience)

    def make() -> None:
        for record, value in quirk.faults.items():
            fault(record, value)

    if name == "disk full in a run":
        device.cam.prvimg.stop_on_disk_limit.put(1, wait=True)
    if quirk.when in ("stage", "arm"):
        make()
        if quirk.when == "stage":
            until(
                lambda: (
                    not (device.cam.serval_connected.get() and device.cam.detector_connected.get())
                )
            )
            until(lambda: device.healthy.get() == 0)
        with pytest.raises(BeamlineError) as caught:
            device.stage()
        assert device._staged.value == "no"
    else:
        device.stage()
        if quirk.when == "trigger":
            make()
        status = device.trigger()
        if quirk.when == "run":
            until(lambda: device.cam.frame_count.get() > 0 and device.cam.acquire.get())
            make()
        with pytest.raises(BeamlineError) as caught:
            status.wait(WAIT_S)
        device.unstage()
    if name == "disk full in a run":
        device.cam.prvimg.stop_on_disk_limit.put(0, wait=True)
    error = caught.value
    for words in quirk.says:
        assert words in str(error)
    assert str(error.where).startswith(f"{CAM}{quirk.where}")
    assert error.hint


BORNE = {
    "slow Serval": {"Slow": 0.05},
    "files a little late": {"Files": "late", "FileLate": 0.6},
    "disk full where nobody cares": {"DiskLimit": 1},
    "no heartbeats": {"NoHeartbeats": 1},
    "clock reset": {"ClockReset": 1},
}


@pytest.mark.parametrize("name", BORNE)
def test_a_fault_that_costs_no_file_does_not_end_the_run(
    device: TimePix3Detector, fault: Callable[[str, Any], None], name: str
) -> None:
    device.stage()
    for record, value in BORNE[name].items():
        fault(record, value)
    device.trigger().wait(WAIT_S)
    assert device.raw_count.get() == 2
    files = sorted(Path(device.raw_folder.get()).glob("*.tpx3"))
    assert sum(path.stat().st_size for path in files) == device.raw_bytes.get()
    device.unstage()


def test_dropped_frames_do_not_end_a_flight(
    device: TimePix3Detector, fault: Callable[[str, Any], None], caplog: pytest.LogCaptureFixture
) -> None:
    device.num_frames.put(5)
    device.stage()
    fault("DropEvery", 2)
    device.kickoff().wait(WAIT_S)
    device.complete().wait(WAIT_S)
    columns = [page["data"] for page in device.collect_pages()]
    told = {
        key: [value for column in columns for value in column[f"tpx3_raw_{key}"]]
        for key in ("first", "count", "dropped")
    }
    assert told == {"first": [0, 2, 4], "count": [1, 1, 1], "dropped": [0, 1, 1]}
    assert (device.raw_count.get(), device.raw_dropped.get()) == (3, 2)
    assert sum("the detector has dropped this frame" in line for line in caplog.messages) == 2
    device.unstage()


def test_a_picture_that_nobody_reads_costs_frames_and_time_and_nothing_else(
    device: TimePix3Detector, fault: Callable[[str, Any], None]
) -> None:
    cam = device.cam
    before = {part: part.get() for part in (cam.img.path, cam.img.format, cam.img_sums.enable)}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cam.img_sums.enable.set(0).wait(WAIT_S)  # without sums the driver does not read it
    cam.img.path.set(f"tcp://listen@localhost:{port}").wait(WAIT_S)
    cam.img.format.set("jsonimage").wait(WAIT_S)
    cam.img.enable.set(1).wait(WAIT_S)
    device.num_frames.put(5)
    try:
        device.stage()
        # what Serval does when its buffer is full
        fault("DropEvery", 2)
        fault("Slow", 0.2)
        device.kickoff().wait(WAIT_S)
        device.complete().wait(WAIT_S)
        assert cam.img.enable.get(use_monitor=False) == 1
        assert (device.raw_count.get(), device.raw_dropped.get()) == (3, 2)
    finally:
        device.unstage()
        fault("Clear", 1)
        cam.img.enable.set(0).wait(WAIT_S)
        for part, value in before.items():
            part.set(value).wait(WAIT_S)


def test_global_times_that_were_asked_for_are_in_files_and_configuration(
    device: TimePix3Detector, fault: Callable[[str, Any], None]
) -> None:
    interval = device.cam.config.global_time_interval
    interval.set(0.01).wait(WAIT_S)
    try:
        for missing in (False, True):
            fault("NoHeartbeats", int(missing))
            device.stage()
            recorded = device.read_configuration()["tpx3_cam_global_time_interval_s"]["value"]
            assert recorded == 0.01
            device.trigger().wait(WAIT_S)
            names = [device.raw_template.get().format(index) for index in range(2)]
            data = b"".join((Path(device.raw_folder.get()) / name).read_bytes() for name in names)
            assert bool((np.frombuffer(data, "<u8") >> np.uint64(56) == 0x44).any()) is not missing
            device.unstage()
            assert interval.get(use_monitor=False) == 0.01
    finally:
        device.unstage()
        interval.set(0.0).wait(WAIT_S)


def test_settings_of_medipix3_do_not_hinder_a_timepix3(
    device: TimePix3Detector, fault: Callable[[str, Any], None]
) -> None:
    both = device.cam.medipix.both_counters
    both.set(1).wait(WAIT_S)
    try:
        device.stage()
        assert device.cam.trigger_mode_name.get() == "CONTINUOUS"
        device.trigger().wait(WAIT_S)
        assert device.raw_count.get() == 2
    finally:
        device.unstage()
        both.set(0).wait(WAIT_S)


def test_frames_dropped_before_a_stop_are_in_the_events_too(
    device: TimePix3Detector, fault: Callable[[str, Any], None], wait_until: Any
) -> None:
    device.num_frames.put(10_000)
    device.stage()
    fault("DropEvery", 2)
    counted = device.cam.frame_count
    for n_before in (2, 3, 4, 5):
        device.kickoff().wait(WAIT_S)
        ended = device.complete()
        wait_until(lambda n=n_before: counted.get(use_monitor=False) >= n, WAIT_S, "frames")
        device.stop()
        ended.wait(WAIT_S)
        columns = [page["data"] for page in device.collect_pages()]
        for key in ("count", "dropped"):
            told = sum(value for column in columns for value in column[f"tpx3_raw_{key}"])
            assert told == getattr(device, f"raw_{key}").get()
        assert device.raw_dropped.get() > 0
    device.unstage()


def test_settings_that_serval_does_not_take_back_are_told(
    device: TimePix3Detector, fault: Callable[[str, Any], None], caplog: pytest.LogCaptureFixture
) -> None:
    device.cam.acquire_time.set(0.7).wait(WAIT_S)
    until(lambda: device.cam.exposure_s.get(use_monitor=False) == 0.7)
    device.stage()
    device.patience = PATIENCE.model_copy(update={"settings_s": 1.0})
    fault("Refuse", "PUT /detector/config 500 Internal error")
    device.unstage()
    (told,) = [line for line in caplog.messages if "not all restored" in line]
    assert "ExposureTime_RBV is 0.1 instead of 0.7" in told


def test_a_file_that_is_cut_off_is_told(
    device: TimePix3Detector,
    fault: Callable[[str, Any], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    device.stage()
    fault("Files", "truncated")
    device.trigger().wait(WAIT_S)
    assert device.raw_count.get() == 2
    cut = [path for path in Path(device.raw_folder.get()).glob("*.tpx3") if path.stat().st_size % 8]
    told = [line for line in caplog.messages if "ends within a word" in line]
    assert len(told) == len(cut)
    assert all(str(path) in "".join(told) for path in cut)


def test_a_stop_that_fails_is_told_and_the_next_start_ends_it(
    device: TimePix3Detector,
    fault: Callable[[str, Any], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    device.num_frames.put(1000)
    device.stage()
    status = device.kickoff()
    status.wait(WAIT_S)
    fault("StopFails", 1)
    device.stop()
    # Serval goes on; what the driver knows is all there is, and `Acquire` is 0
    assert device.complete().exception(WAIT_S) is None
    assert device.cam.acquire.get(use_monitor=False) == 0
    until(lambda: device.cam.measurement_state.get() == "DA_RECORDING")


def test_a_port_that_is_taken_moves_the_preview(
    device: TimePix3Detector, fault: Callable[[str, Any], None]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = f"tcp://listen@localhost:{taken.getsockname()[1]}"
        device.cam.prvimg.path.put(place, wait=True)
        device.stage()
        device.trigger().wait(WAIT_S)
    assert device.raw_count.get() == 2
    assert device.cam.prvimg.path.get() != place


def test_a_port_that_is_taken_refuses_the_stream(
    device: TimePix3Detector, fault: Callable[[str, Any], None]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        device.stream.put(f"tcp://listen@localhost:{taken.getsockname()[1]}")
        device.stage()
        with pytest.raises(BeamlineError, match="Address already in use") as caught:
            device.trigger().wait(WAIT_S)
    assert caught.value.where == f"{CAM}Acquire"
    device.unstage()
    assert device.cam.write_raw1.get(use_monitor=False) == 0

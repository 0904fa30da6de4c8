"""What the detector device reaches: every record of the driver, channels, calibration, limits."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.suspenders import SuspendBoolLow
from ophyd.signal import EpicsSignalBase

from sim_iocs.detector.tables import CAM
from twinbeam.devices import Guards, MaskCircle, MaskRectangle, TimePix3Detector, connect
from twinbeam.devices.driver import Group
from twinbeam.errors import BeamlineError
from twinbeam.live.raw_stream import RawStream
from twinbeam.live.stream_endpoint import StreamEndpoint
from twinbeam.tpx3 import read_hits

WAIT_S = 30.0
LINKS = "links between records of the database; nothing in them is for clients"
#: Records that the device does not reach, by pattern, and why.
EXCEPTIONS = {
    r"Dim\dSA(_RBV)?": LINKS,
    r"ArraySize\d": f"{LINKS}; ArraySize<n>_RBV is reached",
    r"(Set|Clear)AcquireBusy|AcquireBusyCB": f"{LINKS}; AcquireBusy is reached",
    r"Shutter(Fanout|OpenEPICS|CloseEPICS|ControlEPICS)": f"{LINKS}; no shutter is driven",
    "AsynIO": "record of type asyn, for its own operator screen",
}


@pytest.fixture(scope="module")
def apart(beamline: Any) -> Iterator[TimePix3Detector]:
    """A detector device of this module's own; nothing that it connects stays for others."""
    prefix = beamline.prefixes.detector
    made = TimePix3Detector(prefix, name="tpx3", data_root=beamline.data_dir)
    connect(made, timeout_s=60.0)
    yield made
    made.destroy()


def signals_of(cam: Any) -> dict[str, EpicsSignalBase]:
    """All signals by their dotted names, made but not waited for."""
    found: dict[str, EpicsSignalBase] = {}
    for device in (cam, *(part for _, part in cam.walk_subdevices(include_lazy=True))):
        device.lazy_wait_for_connection = False
        for name in device.component_names:
            if isinstance(part := getattr(device, name), EpicsSignalBase):
                found[part.dotted_name] = part
        del device.lazy_wait_for_connection
    return found


def test_every_record_is_reached_by_an_attribute(apart: TimePix3Detector) -> None:
    signals = signals_of(apart.cam)
    connect(*signals.values(), timeout_s=60.0)
    reached: set[str] = set()
    for signal in signals.values():
        for pv in signal._connection_states:
            reached.add(pv.removeprefix(apart.cam.prefix).removesuffix(".PROC"))
    records = {record.name for record in CAM}
    assert reached <= records
    excepted = {
        name for name in records if any(re.fullmatch(pattern, name) for pattern in EXCEPTIONS)
    }
    assert not reached & excepted
    assert records - reached == excepted


def test_a_run_records_few_of_them_and_none_twice(apart: TimePix3Detector) -> None:
    configuration = apart.cam.read_configuration()
    sources = [key["source"] for key in apart.cam.describe_configuration().values()]
    assert len(set(sources)) == len(sources) == len(configuration) < 60
    wanted = (
        *("DriverVersion_RBV", "SDKVersion_RBV", "FirmwareVersion_RBV", "DetType_RBV"),
        *("Chip1_RBV", "CHIP3_Vth_fine_RBV", "CHIP0_Vth_coarse_RBV", "BiasVolt_RBV"),
        *("BiasVoltage_RBV", "TriggerModeC_RBV", "ExposureTime_RBV", "TriggerPeriod_RBV"),
        *("nTriggers_RBV", "GlblTimestampIntvl_RBV", "Tdc_RBV", "BPCFileName_RBV"),
        *("DACSFileName_RBV", "DetOrient_RBV", "RawSplitStg_RBV", "Humidity_RBV"),
    )
    assert {f"PV:{apart.cam.prefix}{name}" for name in wanted} <= set(sources)
    assert not apart.cam.read()


def test_groups_are_read_as_a_whole(apart: TimePix3Detector) -> None:
    health = apart.cam.health.read()
    assert health["tpx3_cam_health_humidity"]["value"] > 0
    preview = apart.cam.prvimg.read()
    assert preview["tpx3_cam_prvimg_path"]["value"].startswith("tcp://listen@")
    assert set(preview) == set(apart.cam.prvimg.describe())
    assert "tpx3_cam_prvimg_stop_on_disk_limit" in preview


def test_nothing_of_a_group_connects_before_it_is_used(beamline: Any) -> None:
    fresh = TimePix3Detector(beamline.prefixes.detector, name="fresh", data_root="/")
    try:
        connect(fresh, timeout_s=60.0)
        groups = [part for _, part in fresh.cam.walk_subdevices() if isinstance(part, Group)]
        assert len(groups) > 25
        assert not any(
            isinstance(part, EpicsSignalBase)
            for group in groups
            for part in group._signals.values()
        )
    finally:
        fresh.destroy()


# --- exposures and the second raw channel ---------------------------------------------------


def test_a_long_exposure_is_made_of_frames_that_serval_can_take(
    detector: TimePix3Detector, engine: RunEngine
) -> None:
    engine(bps.mv(detector.exposure, 35.0))
    assert (detector.num_frames.get(), detector.frame_time_s.get()) == (4, 8.75)
    engine(bps.mv(detector.exposure, 0.7))
    assert (detector.num_frames.get(), detector.frame_time_s.get()) == (1, 0.7)
    assert detector.read_configuration()["tpx3_exposure"]["value"] == 0.7
    with pytest.raises(BeamlineError, match="cannot be exposed for -1"):
        detector.exposure.put(-1)


def test_files_and_stream_get_the_same_hits(
    detector: TimePix3Detector, engine: RunEngine, documents: Any, wait_until: Any
) -> None:
    before = {key: item["value"] for key, item in detector.cam.raw1.read().items()}
    stream = RawStream("tcp://listen@127.0.0.1:*")
    place = f"tcp://connect@localhost:{StreamEndpoint.parse(stream.endpoint).port}"
    received = bytearray()

    def take() -> int:
        for block in stream.take(1 << 20, after_s=0.0, until_s=math.inf):
            received.extend(block.data)
        return len(received)

    try:
        detector.stream.put(place)
        engine(bp.count([detector], num=2))
        events = [doc["data"] for name, doc in documents if name == "event"]
        n_written = sum(event["tpx3_raw_bytes"] for event in events)
        assert n_written > 0
        wait_until(lambda: take() >= n_written, WAIT_S)
    finally:
        stream.close()
        detector.stream.put("")
    folder = Path(detector.raw_folder.get())
    names = [
        event["tpx3_raw_template"].format(index)
        for event in events
        for index in range(event["tpx3_raw_count"])
    ]
    assert bytes(received) == b"".join((folder / name).read_bytes() for name in names)
    (descriptor,) = (doc for name, doc in documents if name == "descriptor")
    configuration = descriptor["configuration"]["tpx3"]["data"]
    assert configuration["tpx3_second_channel"] == place
    assert {key: item["value"] for key, item in detector.cam.raw1.read().items()} == before


def test_a_stream_that_serval_listens_on_is_staged_and_taken_back(
    detector: TimePix3Detector,
) -> None:
    detector.stream.put("tcp://listen@localhost:18085")
    try:
        detector.stage()
        assert detector.second_channel.get() == "tcp://listen@localhost:18085"
        assert detector.cam.raw1.enable.get(use_monitor=False) == 1
        assert detector.cam.raw1.stream_kind.get(use_monitor=False) == "tcp://"
        assert detector.cam.write_raw.get(use_monitor=False) == 1
        # the other channel stays what it is when there is no stream any more
        detector.stream.put("")
        detector.trigger().wait(WAIT_S)
        assert detector.cam.raw1.enable.get(use_monitor=False) == 0
    finally:
        detector.stream.put("")


@pytest.mark.parametrize("frame_time_s", [0.2, 0.005], ids=["few", "hardly any"])
def test_events_tell_the_hits_in_their_files(
    detector: TimePix3Detector, engine: RunEngine, documents: Any, frame_time_s: float
) -> None:
    """The shutter is closed, so there are few, or none at all; both are normal."""
    detector.frame_time_s.put(frame_time_s)
    engine(bp.count([detector]))
    (data,) = (doc["data"] for name, doc in documents if name == "event")
    files = sorted(Path(detector.raw_folder.get()).glob("*.tpx3"))
    assert len(files) == data["tpx3_raw_count"] == 3
    assert data["tpx3_raw_hits"] == sum(len(read_hits(path)) for path in files)


def test_without_a_stream_the_second_channel_is_off(
    detector: TimePix3Detector, engine: RunEngine, documents: Any
) -> None:
    detector.stream.put("udp://somewhere")
    with pytest.raises(BeamlineError, match="is not tcp://listen@HOST:PORT"):
        detector.stage()
    detector.stream.put("")
    detector.stage()
    assert detector.second_channel.get() == "off"


# --- limits ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "record", "says"),
    [
        ({"max_humidity_percent": 1}, "Humidity_RBV", "humidity is .* above the limit of 1 %"),
        ({"max_temperature_c": 10}, "LocalTemp_RBV", "board temperature is .* above .* 10 C"),
        ({"max_fpga_temperature_c": 10}, "FPGATemp_RBV", "FPGA temperature is"),
        ({"max_chip_temperature_c": 10}, "CHIP0_Temp_RBV", "chip temperature .*CHIP3_Temp_RBV"),
        ({"min_bias_v": 130}, "BiasVoltage_RBV", "below the limit of 130 V .*BiasEnbl"),
        ({"max_bias_v": 50}, "BiasVoltage_RBV", "above the limit of 50 V"),
        ({"bias_tolerance_v": 0.01}, "BiasVoltage_RBV", "more than 0.01 V from the 100 V"),
    ],
)
def test_staging_refuses_outside_the_limits(
    detector: TimePix3Detector, limits: dict[str, float], record: str, says: str
) -> None:
    detector.guards = Guards.from_mapping(limits)
    try:
        with pytest.raises(BeamlineError, match=says) as caught:
            detector.stage()
        assert caught.value.where == f"{detector.cam.prefix}{record}"
        assert (
            "check" in str(caught.value.hint)
            or "BiasVolt" in str(caught.value.hint)
            or "ramped" in str(caught.value.hint)
        )
        assert detector._staged.value == "no"
        assert not detector.cam.write_raw.get(use_monitor=False)
    finally:
        detector.guards = Guards()


def test_a_suspender_can_watch_its_health(
    detector: TimePix3Detector, engine: RunEngine, wait_until: Any
) -> None:
    wait_until(detector.healthy.get, WAIT_S)
    suspender = SuspendBoolLow(detector.healthy)
    engine.install_suspender(suspender)
    try:
        detector.guards = Guards(max_temperature_c=10)
        assert detector.healthy.get() == 0
        assert "LocalTemp_RBV board temperature is" in detector.complaint.get()
        wait_until(lambda: suspender.tripped, WAIT_S)
        detector.guards = Guards()
        wait_until(lambda: not suspender.tripped, WAIT_S)
        assert (detector.healthy.get(), detector.complaint.get()) == (1, "")
    finally:
        detector.guards = Guards()
        engine.remove_suspender(suspender)


# --- calibration and masks ------------------------------------------------------------------


@pytest.fixture
def calibration(detector: TimePix3Detector, tmp_path: Path) -> Iterator[Path]:
    """Folder with a pixel configuration of 66 masked pixels and a damaged one; none afterwards."""
    pixels = np.zeros(512 * 512, np.uint8)
    (tmp_path / "none.bpc").write_bytes(pixels.tobytes())
    pixels[np.random.default_rng(5).choice(pixels.size, 66, replace=False)] = 31
    (tmp_path / "some.bpc").write_bytes(pixels.tobytes())
    (tmp_path / "short.bpc").write_bytes(pixels.tobytes()[:1000])
    (tmp_path / "bad.dacs").write_text("no voltages")
    yield tmp_path
    detector.unstage()
    detector.bpc.set(tmp_path / "none.bpc").wait(WAIT_S)


def test_a_pixel_configuration_is_loaded_and_compared(
    detector: TimePix3Detector, engine: RunEngine, calibration: Path
) -> None:
    engine(bps.mv(detector.bpc, calibration / "some.bpc"))
    assert detector.cam.pixel_config.n_masked.get() == 66
    assert detector.cam.chip0.pixels.status.get() == "OK, matches BPC"
    assert detector.cam.pixel_config_file.get() == "some.bpc"
    assert detector.bpc.read()["tpx3_bpc_loaded"]["value"] == str(calibration / "some.bpc")


@pytest.mark.parametrize(
    ("upload", "name", "says"),
    [
        ("bpc", "missing.bpc", "did not load .*HttpCode_RBV 400, WriteFileMessage 'Cannot read"),
        ("bpc", "short.bpc", "HttpCode_RBV 400, .*holds 1000 bytes, not 262144"),
        ("bpc", "nowhere/some.bpc", "the IOC does not see the folder"),
        ("dacs", "missing.dacs", "did not load .*HttpCode_RBV 400, WriteFileMessage 'Cannot read"),
        ("dacs", "bad.dacs", "HttpCode_RBV 400, .*is no JSON"),
    ],
)
def test_a_file_that_serval_refuses_leaves_the_names_as_they_were(
    detector: TimePix3Detector, calibration: Path, upload: str, name: str, says: str
) -> None:
    device = getattr(detector, upload)
    before = {key: item["value"] for key, item in detector.cam.calibration.read().items()}
    with pytest.raises(BeamlineError, match=says) as caught:
        device.set(calibration / name).wait(WAIT_S)
    assert caught.value.hint
    now = {key: item["value"] for key, item in detector.cam.calibration.read().items()}
    assert now == before


def test_a_path_that_cannot_be_one_is_refused_at_once(detector: TimePix3Detector) -> None:
    with pytest.raises(BeamlineError, match=r"no full path of a \.bpc file"):
        detector.bpc.set("some.bpc")
    with pytest.raises(BeamlineError, match=r"no full path of a \.dacs file"):
        detector.dacs.set("/some.bpc")


def test_nothing_is_loaded_while_it_acquires(detector: TimePix3Detector, calibration: Path) -> None:
    detector.num_frames.put(100)
    detector.stage()
    detector.kickoff().wait(WAIT_S)
    with pytest.raises(BeamlineError, match="into a detector that acquires"):
        detector.bpc.set(calibration / "some.bpc").wait(WAIT_S)
    detector.stop()


def test_masks_are_added_to_the_masked_pixels(
    detector: TimePix3Detector, engine: RunEngine, calibration: Path
) -> None:
    engine(bps.mv(detector.bpc, calibration / "none.bpc"))
    regions = [MaskRectangle(x=10, y=20, width=3, height=2), MaskCircle(x=100, y=50, radius=2)]
    engine(bps.mv(detector.mask, regions))
    masked = detector.cam.pixel_config.n_masked
    assert masked.get() == 6 + 13
    hot = np.zeros((512, 512), bool)
    hot[5, 7:9] = hot[511, 511] = True
    engine(bps.mv(detector.mask, hot))
    assert masked.get() == 3
    engine(bps.mv(detector.mask, []))
    assert masked.get() == 0
    with pytest.raises(BeamlineError, match="made of MaskRectangle and MaskCircle"):
        detector.mask.set([(1, 2)])
    with pytest.raises(BeamlineError, match="made of MaskRectangle and MaskCircle"):
        detector.mask.set(5)
    engine(bps.mv(detector.mask, MaskCircle(x=1, y=1, radius=0)))
    assert masked.get() == 1
    with pytest.raises(BeamlineError, match="no mask: float64"):
        detector.mask.set(np.zeros((4, 4)))


def test_thresholds_are_moved_together_and_back(apart: TimePix3Detector) -> None:
    def numbers() -> list[int]:
        return [int(chip.threshold_fine.get(use_monitor=False)) for chip in chips]

    chips = apart.cam.recorded_chips()
    found = numbers()
    assert apart.threshold.steps == 0.0
    try:
        apart.threshold.set(5).wait(60.0)
        assert numbers() == [number - 5 for number in found]
        assert apart.threshold.read()["tpx3_threshold_shift"]["value"] == 5.0
        for wrong in (1.5, "much", float("nan"), min(found) + 1, max(found) - 512):
            with pytest.raises(BeamlineError, match=r"whole number|would set chip"):
                apart.threshold.set(wrong)
        assert numbers() == [number - 5 for number in found]
    finally:
        apart.threshold.set(0).wait(60.0)
    assert numbers() == found

"""The detector driver's process variables (areaDetector ADTimePix3, `cam1:`)."""

from __future__ import annotations

from ophyd import Component as Cpt
from ophyd import Device, EpicsSignal, EpicsSignalRO, Kind
from ophyd.areadetector.base import EpicsSignalWithRBV

from twinbeam.devices import driver
from twinbeam.devices.words import Words

__all__ = ["TimePix3Cam"]

_ALWAYS_CHIPS = 4
_MOST_CHIPS = 8


def _status(suffix: str, *, string: bool = False) -> Cpt:
    """A readback that is watched, so that reading it costs nothing."""
    return Cpt(Words if string else EpicsSignalRO, suffix, auto_monitor=True, kind="omitted")


def _setting(suffix: str, *, string: bool = False) -> Cpt:
    """A set point with its readback; writes return when the driver has taken them."""
    return Cpt(EpicsSignalWithRBV, suffix, string=string, put_complete=True, kind="omitted")


def _record(suffix: str, *, string: bool = False) -> Cpt:
    """A readback that is part of a run's configuration."""
    return Cpt(EpicsSignalRO, suffix, string=string, kind="config")


class TimePix3Cam(Device):
    """The process variables of the driver, by what they are.

    Those that acquisitions and the configuration of a run need are parts of their own and connect
    at once. All others are in groups (`health`, `info`, `config`, `raw`, `mask` and so on) and
    connect when they are used.

    Nothing is read in events. The configuration of a run records what Serval itself says it runs
    with (not the set points, which do not follow when Serval refuses), versions, thresholds,
    bias and calibration files.
    """

    # connection and state
    serval_connected = _status("ServalConnected_RBV")
    detector_connected = _status("DetConnected_RBV")
    detector_state = _status("DetectorState_RBV", string=True)
    status_message = _status("StatusMessage_RBV", string=True)
    http_code = _status("HttpCode_RBV")
    write_message = _status("WriteFileMessage", string=True)

    # acquisition
    acquire = Cpt(
        EpicsSignalWithRBV, "Acquire", put_complete=True, auto_monitor=True, kind="omitted"
    )
    image_mode = _setting("ImageMode")
    trigger_mode = _setting("TriggerMode")
    acquire_time = _setting("AcquireTime")
    acquire_period = _setting("AcquirePeriod")
    num_images = _setting("NumImages")

    # raw channel; nothing here reaches Serval before write_data
    raw_path = _setting("RawFilePath", string=True)
    raw_template = _setting("RawFileTemplate", string=True)
    raw_split = _setting("RawSplitStg")
    write_raw = Cpt(
        EpicsSignalWithRBV, "WriteRaw", put_complete=True, auto_monitor=True, kind="omitted"
    )
    write_data = Cpt(EpicsSignal, "WriteData", put_complete=True, kind="omitted")
    raw_path_exists = _status("RawFilePathExists_RBV")
    raw1_path = _setting("Raw1FilePath", string=True)
    write_raw1 = Cpt(
        EpicsSignalWithRBV, "WriteRaw1", put_complete=True, auto_monitor=True, kind="omitted"
    )

    # progress
    frame_count = _status("FrameCnt_RBV")
    dropped_frames = _status("DroppedFrames_RBV")
    hit_rate = _status("PelEvtRate_RBV")
    measurement_state = _status("Status_RBV", string=True)
    disk_limit_reached = _status("DiskLimReach_RBV")

    # what Serval runs with
    exposure_s = Cpt(EpicsSignalRO, "ExposureTime_RBV", auto_monitor=True, kind="config")
    period_s = Cpt(EpicsSignalRO, "TriggerPeriod_RBV", auto_monitor=True, kind="config")
    num_triggers = Cpt(EpicsSignalRO, "nTriggers_RBV", auto_monitor=True, kind="config")
    trigger_mode_name = Cpt(Words, "TriggerModeC_RBV", auto_monitor=True, kind="config")
    raw_split_name = _record("RawSplitStg_RBV", string=True)
    tdc_edges = _record("Tdc_RBV", string=True)
    global_time_interval_s = _record("GlblTimestampIntvl_RBV")
    bias_set_v = Cpt(EpicsSignalRO, "BiasVolt_RBV", auto_monitor=True, kind="config")
    bias_on = Cpt(Words, "BiasEnbl_RBV", auto_monitor=True, kind="config")
    bias_measured_v = Cpt(EpicsSignalRO, "BiasVoltage_RBV", auto_monitor=True, kind="config")
    orientation = _record("DetOrient_RBV", string=True)
    pixel_config_file = _record("BPCFileName_RBV", string=True)
    dacs_file = _record("DACSFileName_RBV", string=True)

    # what it is
    detector_type = _record("DetType_RBV", string=True)
    model = _record("Model_RBV", string=True)
    driver_version = _record("DriverVersion_RBV", string=True)
    serval_version = _record("SDKVersion_RBV", string=True)
    firmware_version = _record("FirmwareVersion_RBV", string=True)
    chip_labels = Cpt(driver.ChipLabels, "", kind="config")
    size_x = _record("MaxSizeX_RBV")
    size_y = _record("MaxSizeY_RBV")
    num_chips = _record("NChips_RBV")

    # how it is
    temperature = Cpt(EpicsSignalRO, "LocalTemp_RBV", auto_monitor=True, kind="config")
    fpga_temperature = Cpt(EpicsSignalRO, "FPGATemp_RBV", auto_monitor=True, kind="config")
    humidity = Cpt(EpicsSignalRO, "Humidity_RBV", auto_monitor=True, kind="config")

    chip0 = Cpt(driver.Chip, "CHIP0_", kind="config")
    chip1 = Cpt(driver.Chip, "CHIP1_", kind="config")
    chip2 = Cpt(driver.Chip, "CHIP2_", kind="config")
    chip3 = Cpt(driver.Chip, "CHIP3_", kind="config")
    chip4 = Cpt(driver.SecondBoardChip, "CHIP4_", kind="omitted")
    chip5 = Cpt(driver.SecondBoardChip, "CHIP5_", kind="omitted")
    chip6 = Cpt(driver.SecondBoardChip, "CHIP6_", kind="omitted")
    chip7 = Cpt(driver.SecondBoardChip, "CHIP7_", kind="omitted")

    # every other record, by what it is for
    connection = Cpt(driver.Connection, "", kind="omitted")
    status = Cpt(driver.Status, "", kind="omitted")
    health = Cpt(driver.Health, "", kind="omitted")
    info = Cpt(driver.DetectorInfo, "", kind="omitted")
    alarms = Cpt(driver.Alarms, "", kind="omitted")
    config = Cpt(driver.DetectorConfig, "", kind="omitted")
    medipix = Cpt(driver.MedipixConfig, "", kind="omitted")
    measurement = Cpt(driver.Measurement, "", kind="omitted")
    measurement_config = Cpt(driver.MeasurementConfig, "", kind="omitted")
    raw = Cpt(driver.RawChannel, "Raw", kind="omitted")
    raw1 = Cpt(driver.RawChannel, "Raw1", kind="omitted")
    img = Cpt(driver.ImageChannel, "Img", kind="omitted")
    img1 = Cpt(driver.ImageChannel, "Img1", kind="omitted")
    previews = Cpt(driver.Previews, "", kind="omitted")
    prvimg = Cpt(driver.PreviewChannel, "PrvImg", kind="omitted")
    prvimg1 = Cpt(driver.PreviewChannel, "PrvImg1", kind="omitted")
    prvhst = Cpt(driver.HistogramChannel, "PrvHst", kind="omitted")
    img_sums = Cpt(driver.ImageSums, "", kind="omitted")
    prvimg_frames = Cpt(driver.PreviewFrames, "", kind="omitted")
    prvhst_sums = Cpt(driver.HistogramSums, "", kind="omitted")
    calibration = Cpt(driver.CalibrationFiles, "", kind="omitted")
    pixel_config = Cpt(driver.PixelConfig, "", kind="omitted")
    mask = Cpt(driver.Mask, "", kind="omitted")
    base = Cpt(driver.CameraBase, "", kind="omitted")
    arrays = Cpt(driver.Arrays, "", kind="omitted")
    memory = Cpt(driver.Memory, "", kind="omitted")

    @property
    def connected(self) -> bool:
        """Whether everything that acquisitions need is connected."""
        return all(getattr(self, name).connected for name in _NEEDED)

    def record_chips(self) -> None:
        """Let the configuration record the chips that the detector has, and no others."""
        present = min(max(int(self.num_chips.get()), 1), _MOST_CHIPS)
        for number in range(max(present, _ALWAYS_CHIPS)):
            getattr(self, f"chip{number}").kind = "config" if number < present else "omitted"

    def recorded_chips(self) -> list[driver.Chip | driver.SecondBoardChip]:
        """The chips that the configuration records."""
        names = (f"chip{number}" for number in range(_MOST_CHIPS))
        return [getattr(self, name) for name in names if self._get_kind(name) & Kind.config]


_NEEDED = tuple(
    name
    for name, component in TimePix3Cam._sig_attrs.items()
    if not component.lazy and issubclass(component.cls, EpicsSignalRO | EpicsSignal)
)

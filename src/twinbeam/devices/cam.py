"""The detector driver's process variables (areaDetector ADTimePix3, `cam1:`)."""

from __future__ import annotations

from ophyd import Component as Cpt
from ophyd import Device, EpicsSignal, EpicsSignalRO
from ophyd.areadetector.base import EpicsSignalWithRBV

__all__ = ["ChipThresholds", "TimePix3Cam"]


class ChipThresholds(Device):
    """Threshold and temperature of one chip, as set when a run begins."""

    threshold_coarse = Cpt(EpicsSignalRO, "Vth_coarse_RBV", kind="config")
    threshold_fine = Cpt(EpicsSignalRO, "Vth_fine_RBV", kind="config")
    temperature = Cpt(EpicsSignalRO, "Temp_RBV", kind="config")


def _status(suffix: str, *, string: bool = False) -> Cpt:
    """A readback that is watched, so that reading it costs nothing."""
    return Cpt(EpicsSignalRO, suffix, string=string, auto_monitor=True, kind="omitted")


def _setting(suffix: str, *, string: bool = False) -> Cpt:
    """A set point with its readback; writes return when the driver has taken them."""
    return Cpt(EpicsSignalWithRBV, suffix, string=string, put_complete=True, kind="omitted")


def _record(suffix: str, *, string: bool = False) -> Cpt:
    """A readback that is part of a run's configuration."""
    return Cpt(EpicsSignalRO, suffix, string=string, kind="config")


class TimePix3Cam(Device):
    """The process variables of the driver that twinbeam uses, by what they are.

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
    trigger_mode_name = Cpt(
        EpicsSignalRO, "TriggerModeC_RBV", string=True, auto_monitor=True, kind="config"
    )
    raw_split_name = _record("RawSplitStg_RBV", string=True)
    tdc_edges = _record("Tdc_RBV", string=True)
    global_time_interval_s = _record("GlblTimestampIntvl_RBV")
    bias_set_v = _record("BiasVolt_RBV")
    bias_on = _record("BiasEnbl_RBV", string=True)
    bias_measured_v = _record("BiasVoltage_RBV")
    orientation = _record("DetOrient_RBV", string=True)
    pixel_config_file = _record("BPCFileName_RBV", string=True)
    dacs_file = _record("DACSFileName_RBV", string=True)

    # what it is
    detector_type = _record("DetType_RBV", string=True)
    model = _record("Model_RBV", string=True)
    driver_version = _record("DriverVersion_RBV", string=True)
    serval_version = _record("SDKVersion_RBV", string=True)
    firmware_version = _record("FirmwareVersion_RBV", string=True)
    size_x = _record("MaxSizeX_RBV")
    size_y = _record("MaxSizeY_RBV")
    temperature = _record("LocalTemp_RBV")
    chip0 = Cpt(ChipThresholds, "CHIP0_", kind="config")
    chip1 = Cpt(ChipThresholds, "CHIP1_", kind="config")
    chip2 = Cpt(ChipThresholds, "CHIP2_", kind="config")
    chip3 = Cpt(ChipThresholds, "CHIP3_", kind="config")

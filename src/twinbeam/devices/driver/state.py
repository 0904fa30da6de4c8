"""Whether driver, Serval and detector are there, how they are, and what they are."""

from __future__ import annotations

from ophyd import Component as Cpt

from twinbeam.devices.driver.parts import Group, action, readback, value

__all__ = ["Alarms", "Connection", "DetectorInfo", "Health", "Status", "Supply"]


class Connection(Group):
    """Ways to Serval and to the detector."""

    server_url = readback("ServerURL_RBV", string=True)
    detector_type = readback("DetType_RBV", string=True)
    serval = readback("ServalConnected_RBV")
    detector = readback("DetConnected_RBV")
    #: 1 makes the driver look for Serval and read everything again.
    refresh = action("RefreshConnection")
    #: 1 sends all channels to Serval and reports an error, which `write_data` does not.
    apply_config = action("ApplyConfig")


class Status(Group):
    """Answers of Serval, and the disk it writes to."""

    http_code = readback("HttpCode_RBV")
    write_message = readback("WriteFileMessage", string=True)
    free_space = readback("FreeSpace_RBV")
    disk_limit_reached = readback("DiskLimReach_RBV")
    disk_low_limit = readback("DiskLowLimit_RBV")
    write_speed = readback("WriteSpeed_RBV")
    health_scan = action("Health")


class Supply(Group):
    """Three numbers of one supply: volts, amperes or watts of a board, by its place."""

    vdd = readback("VDD_RBV")
    avdd = readback("AVDD_RBV")


class Health(Group):
    """Temperatures, humidity, bias, fans and supplies, read by the driver once a second."""

    local_temperature = readback("LocalTemp_RBV")
    fpga_temperature = readback("FPGATemp_RBV")
    fan1_speed = readback("Fan1Speed_RBV")
    fan2_speed = readback("Fan2Speed_RBV")
    bias_voltage = readback("BiasVoltage_RBV")
    humidity = readback("Humidity_RBV")
    #: JSON text, cut at 39 characters by the record.
    chip_temperatures = readback("ChipTemps_RBV", string=True)
    vdd = readback("VDD_RBV", string=True)
    avdd = readback("AVDD_RBV", string=True)
    #: Board 0: volts, amperes, watts.
    supply0 = Cpt(Supply, "Pwr0_", kind="omitted")
    supply1 = Cpt(Supply, "Pwr1_", kind="omitted")
    supply2 = Cpt(Supply, "Pwr2_", kind="omitted")
    #: Board 1: volts, amperes, watts.
    supply3 = Cpt(Supply, "Pwr3_", kind="omitted")
    supply4 = Cpt(Supply, "Pwr4_", kind="omitted")
    supply5 = Cpt(Supply, "Pwr5_", kind="omitted")


class DetectorInfo(Group):
    """What the detector is."""

    firmware_time = readback("FwTS_RBV", string=True)
    interface = readback("Iface_RBV", string=True)
    software_version = readback("SW_ver_RBV", string=True)
    firmware_version = readback("FW_ver_RBV", string=True)
    pixel_count = readback("PixCount_RBV")
    row_length = readback("RowLen_RBV")
    n_chips = readback("NChips_RBV")
    n_rows = readback("NRows_RBV")
    medipix_type = readback("MpxType_RBV")
    chip_type = readback("ChipType_RBV", string=True)
    family = readback("DetectorFamily_RBV", string=True)
    can_tdc = readback("CapTdc_RBV")
    can_tof_histogram = readback("CapTofHist_RBV")
    can_dual_preview = readback("CapDualPreview_RBV")
    can_image_thresholds = readback("CapImgThresholds_RBV")
    board_id = readback("BChBoardId_RBV", string=True)
    ip_address = readback("IpAddr_RBV", string=True)
    chip_label_0 = readback("Chip1_RBV", string=True)
    chip_label_1 = readback("Chip2_RBV", string=True)
    chip_label_2 = readback("Chip3_RBV", string=True)
    chip_label_3 = readback("Chip4_RBV", string=True)
    board2_id = readback("BChBoard2Id_RBV", string=True)
    ip_address2 = readback("IpAddr2_RBV", string=True)
    chip_label_4 = readback("Chip5_RBV", string=True)
    chip_label_5 = readback("Chip6_RBV", string=True)
    chip_label_6 = readback("Chip7_RBV", string=True)
    chip_label_7 = readback("Chip8_RBV", string=True)
    acquisition_modes = readback("AcqModes_RBV")
    readout_clock = readback("ClockRead_RBV")
    max_pulse_count = readback("MaxPulseCnt_RBV")
    max_pulse_height = readback("MaxPulseHgt_RBV")
    max_pulse_period = readback("MaxPulsePeriod_RBV")
    timer_max = readback("TimerMaxVal_RBV")
    timer_min = readback("TimerMinVal_RBV")
    timer_step = readback("TimerStep_RBV")
    timepix_clock = readback("ClockTimepix_RBV")
    adcore_version = readback("ADCoreVersion_RBV", string=True)
    driver_version = readback("DriverVersion_RBV", string=True)
    port_name = readback("PortName_RBV", string=True)
    manufacturer = readback("Manufacturer_RBV", string=True)
    model = readback("Model_RBV", string=True)
    #: The driver puts the software version here.
    serial_number = readback("SerialNumber_RBV", string=True)
    serval_version = readback("SDKVersion_RBV", string=True)
    firmware = readback("FirmwareVersion_RBV", string=True)


class Alarms(Group):
    """What the driver's own records sum up as wrong; 1 is bad."""

    file_writer_1 = readback("FileWriterCalc1")
    file_writer_2 = readback("FileWriterCalc2")
    file_writer = readback("FileWriterCalc")
    hot_pixel = readback("HotPixelCalc")
    no_tdc = readback("TdcCalc")
    no_hits = readback("PelEvtCalc")
    status = readback("Tpx3StatusCalc")
    enabled = value("AlarmDisable")
    alarm = readback("Alarm")

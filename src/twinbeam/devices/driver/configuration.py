"""How the detector measures, and what it says about a measurement."""

from __future__ import annotations

from twinbeam.devices.driver.parts import Group, readback, setting

__all__ = ["DetectorConfig", "Measurement", "MeasurementConfig", "MedipixConfig"]


class DetectorConfig(Group):
    """Serval's detector configuration; each write sends the whole of it.

    `periph_clock_80`, `tdc0` and `tdc1` wait for the next other write.
    """

    #: By number: labels changed between releases of the driver.
    trigger_mode = setting("TriggerMode")
    trigger_mode_name = readback("TriggerModeC_RBV", string=True)
    exposure_s = readback("ExposureTime_RBV")
    period_s = readback("TriggerPeriod_RBV")
    num_triggers = readback("nTriggers_RBV")
    trigger_delay = setting("TriggerDelay")
    trigger_in = setting("TriggerIn")
    trigger_out = setting("TriggerOut")
    fan1_pwm = readback("Fan1PWM_RBV")
    fan2_pwm = readback("Fan2PWM_RBV")
    bias_voltage = setting("BiasVolt")
    bias_enabled = setting("BiasEnbl")
    polarity = setting("Polarity", string=True)
    chain_mode = setting("ChainMode", string=True)
    periph_clock_80 = setting("PeriphClk80")
    tdc = readback("Tdc_RBV", string=True)
    tdc0 = setting("Tdc0", string=True)
    tdc1 = setting("Tdc1", string=True)
    #: Above 0, absolute times go beyond the 26.8 s of the hits' own clock.
    global_time_interval = setting("GlblTimestampIntvl")
    external_clock = setting("RefClock")
    log_level = setting("LogLevel")
    orientation = setting("DetOrient", string=True)


class MedipixConfig(Group):
    """Settings of Medipix3 detectors, which a Timepix3 ignores."""

    both_counters = setting("BothCounters")
    gain_mode = setting("GainMode", string=True)
    charge_summing = setting("ChargeSumming")
    colour = setting("Colour")
    pixel_depth = setting("PixelDepth", string=True)
    counter_select_in = setting("CounterSelectIn")
    counter_select_out = setting("CounterSelectOut")
    i_delay_0 = setting("IDelay0")
    i_delay_1 = setting("IDelay1")
    i_delay_2 = setting("IDelay2")
    i_delay_3 = setting("IDelay3")


class Measurement(Group):
    """Rates, times and counts of the present or latest measurement.

    Rates keep their last value when it has ended.
    """

    hit_rate = readback("PelEvtRate_RBV")
    tdc1_rate = readback("Tdc1EvtRate_RBV")
    tdc2_rate = readback("Tdc2EvtRate_RBV")
    start_time_ms = readback("StartTime_RBV")
    elapsed_s = readback("ElapsedTime_RBV")
    left_s = readback("TimeLeft_RBV")
    frame_count = readback("FrameCnt_RBV")
    dropped_frames = readback("DroppedFrames_RBV")
    state = readback("Status_RBV", string=True)
    pipeline_state = readback("PipelineState_RBV", string=True)


class MeasurementConfig(Group):
    """Serval's own analyses: scanning transmission, and time of flight."""

    stem_width = setting("StemScanWidth")
    stem_height = setting("StemScanHeight")
    stem_dwell_time = setting("StemDwellTime")
    stem_outer_radius = setting("StemRadiusOuter")
    stem_inner_radius = setting("StemRadiusInner")
    tof_tdc_reference = setting("TofTdcReference", string=True)
    tof_min = setting("TofMin")
    tof_max = setting("TofMax")

"""What every areaDetector driver has: ADBase and NDArrayBase."""

from __future__ import annotations

from twinbeam.devices.driver.parts import Group, action, readback, setting, value

__all__ = ["Arrays", "CameraBase", "Memory"]


class CameraBase(Group):
    """Records of ADBase. This driver ignores binning, region, gain and the shutter."""

    acquire = setting("Acquire")
    acquire_busy = value("AcquireBusy")
    wait_for_plugins = value("WaitForPlugins")
    acquire_time = setting("AcquireTime")
    acquire_period = setting("AcquirePeriod")
    time_remaining = readback("TimeRemaining_RBV")
    image_mode = setting("ImageMode", string=True)
    num_images = setting("NumImages")
    num_images_counter = readback("NumImagesCounter_RBV")
    num_exposures = setting("NumExposures")
    num_exposures_counter = readback("NumExposuresCounter_RBV")
    detector_state = readback("DetectorState_RBV", string=True)
    status_message = readback("StatusMessage_RBV", string=True)
    string_to_server = readback("StringToServer_RBV", string=True)
    string_from_server = readback("StringFromServer_RBV", string=True)
    read_status = action("ReadStatus")
    #: By number: the labels are not in the order of ADCore's types.
    data_type = setting("DataType")
    color_mode = setting("ColorMode", string=True)
    max_size_x = readback("MaxSizeX_RBV")
    max_size_y = readback("MaxSizeY_RBV")
    bin_x = setting("BinX")
    bin_y = setting("BinY")
    min_x = setting("MinX")
    min_y = setting("MinY")
    size_x = setting("SizeX")
    size_y = setting("SizeY")
    reverse_x = setting("ReverseX")
    reverse_y = setting("ReverseY")
    gain = setting("Gain")
    frame_type = setting("FrameType", string=True)
    shutter_mode = setting("ShutterMode", string=True)
    shutter_control = setting("ShutterControl", string=True)
    shutter_status = readback("ShutterStatus_RBV", string=True)
    shutter_open_delay = setting("ShutterOpenDelay")
    shutter_close_delay = setting("ShutterCloseDelay")
    shutter_status_epics = readback("ShutterStatusEPICS_RBV", string=True)
    temperature = setting("Temperature")
    temperature_actual = readback("TemperatureActual")


class Arrays(Group):
    """Records of NDArrayBase: the array that came last, and how arrays are handed on."""

    n_dimensions = setting("NDimensions")
    dimensions = setting("Dimensions", kind="omitted")
    size0 = readback("ArraySize0_RBV", kind="omitted")
    size1 = readback("ArraySize1_RBV", kind="omitted")
    size2 = readback("ArraySize2_RBV", kind="omitted")
    size3 = readback("ArraySize3_RBV", kind="omitted")
    size4 = readback("ArraySize4_RBV", kind="omitted")
    size5 = readback("ArraySize5_RBV", kind="omitted")
    size6 = readback("ArraySize6_RBV", kind="omitted")
    size7 = readback("ArraySize7_RBV", kind="omitted")
    size8 = readback("ArraySize8_RBV", kind="omitted")
    size9 = readback("ArraySize9_RBV", kind="omitted")
    bayer_pattern = readback("BayerPattern_RBV", string=True, kind="omitted")
    size_x = readback("ArraySizeX_RBV")
    size_y = readback("ArraySizeY_RBV")
    size_z = readback("ArraySizeZ_RBV")
    n_bytes = readback("ArraySize_RBV")
    codec = readback("Codec_RBV", string=True)
    compressed_size = readback("CompressedSize_RBV")
    unique_id = readback("UniqueId_RBV")
    time_stamp = readback("TimeStamp_RBV")
    epics_seconds = readback("EpicsTSSec_RBV")
    epics_nanoseconds = readback("EpicsTSNsec_RBV")
    counter = setting("ArrayCounter")
    rate = readback("ArrayRate_RBV")
    callbacks = setting("ArrayCallbacks")
    attributes_macros = value("NDAttributesMacros", string=True)
    attributes_file = value("NDAttributesFile", string=True)
    attributes_status = readback("NDAttributesStatus", string=True)
    n_queued = readback("NumQueuedArrays")


class Memory(Group):
    """The driver's pool of arrays."""

    max_memory = readback("PoolMaxMem")
    poll = action("PoolPollStats")
    used_memory = readback("PoolUsedMem")
    n_allocated = readback("PoolAllocBuffers")
    n_free = readback("PoolFreeBuffers")
    n_used = readback("PoolUsedBuffers")
    empty_free_list = action("EmptyFreeList")
    preallocate = action("PreAllocBuffers")
    n_preallocated = setting("NumPreAllocBuffers")

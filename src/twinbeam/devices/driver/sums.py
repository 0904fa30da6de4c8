"""Images and histograms that the driver receives and adds up itself."""

from __future__ import annotations

from twinbeam.devices.driver.parts import Group, action, array, readback, setting, value

__all__ = ["HistogramSums", "ImageSums", "PreviewFrames"]


class ImageSums(Group):
    """Sums of the frames of the `img` channel when that is a TCP stream."""

    frame_number = readback("ImgFrameNumber_RBV")
    threshold_id = readback("ImgThresholdID_RBV")
    time_at_frame = readback("ImgTimeAtFrame_RBV")
    rate = readback("ImgAcqRate_RBV")
    sum = array("ImgImageData")
    frame = array("ImgImageFrame")
    sum_of_latest = array("ImgImageSumNFrames")
    enable = setting("ImgAccumulationEnable")
    reset = action("ImgImageDataReset")
    frames_to_sum = value("ImgFramesToSum")
    update_interval = value("ImgSumUpdateInterval")
    total_counts = readback("ImgTotalCounts")
    processing_time = readback("ImgProcessingTime")
    memory = readback("ImgMemoryUsage")
    write_processed = action("WriteProcessedImg")
    processed_type = value("ProcessedImgOutputType", string=True)


class PreviewFrames(Group):
    """The newest frame of the preview stream."""

    frame_number = readback("PrvImgFrameNumber_RBV")
    time_at_frame = readback("PrvImgTimeAtFrame_RBV")
    rate = readback("PrvImgAcqRate_RBV")
    threshold_id = readback("PrvImgThresholdID_RBV")
    integration_size = readback("PrvImgIntegrationSize_RBV")
    log_headers = value("PrvImgLogHeaders")
    difference_clip = setting("PrvImgThreshDiffClip", string=True)


class HistogramSums(Group):
    """Sums of the histograms of the `prvhst` channel when that is a TCP stream."""

    write_processed = action("WriteProcessedHst")
    processed_type = value("ProcessedHstOutputType", string=True)
    sum = array("PrvHstHistogramData")
    frame = array("PrvHstHistogramFrame")
    sum_of_latest = array("PrvHstHistogramSumNFrames")
    time_axis_ms = array("PrvHstHistogramTimeMs")
    time_at_frame = readback("PrvHstTimeAtFrame_RBV")
    frame_n_bins = readback("PrvHstFrameBinSize_RBV")
    frame_bin_width = readback("PrvHstFrameBinWidth_RBV")
    frame_bin_offset = readback("PrvHstFrameBinOffset_RBV")
    bin_width_ms = readback("PrvHstBinWidthMs_RBV")
    bin_offset_ms = readback("PrvHstBinOffsetMs_RBV")
    total_time_ms = readback("PrvHstTotalTimeMs_RBV")
    frame_count = readback("PrvHstFrameCount_RBV")
    total_counts = readback("PrvHstTotalCounts_RBV")
    rate = readback("PrvHstAcqRate_RBV")
    processing_time = readback("PrvHstProcessingTime_RBV")
    memory = readback("PrvHstMemoryUsage_RBV")
    frames_to_sum = setting("PrvHstFramesToSum")
    update_interval = setting("PrvHstSumUpdateInterval")
    enable = setting("PrvHstAccumulationEnable")
    reset = action("PrvHstDataReset")

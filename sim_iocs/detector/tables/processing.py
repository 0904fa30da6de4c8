"""What the driver computes from the image, preview and histogram streams it reads."""

from __future__ import annotations

from sim_iocs.records import Element, Record, pair

__all__ = ["PROCESSING"]

_PIXELS = 512 * 512
_BINS = 100_000
_SWITCH = ("Disabled", "Enabled")
_RESET = ("No", "Reset")
_WRITE = ("No", "Write")
_OUTPUT = ("Sum (64-bit)", "Average (32-bit)")


def _array(name: str, element: Element, length: int, doc: str) -> Record:
    return Record(name, "waveform", 0, doc, length=length, element=element, read_only=True)


_IMAGE = [
    Record("ImgFrameNumber_RBV", "longin", 0, "Number of the latest image"),
    Record("ImgThresholdID_RBV", "longin", 0, "Its threshold", since="1.7.0"),
    Record("ImgTimeAtFrame_RBV", "ai", 0.0, "Its time", units="ns", precision=3),
    Record("ImgAcqRate_RBV", "ai", 0.0, "Images a second", units="Hz", precision=3),
    _array("ImgImageData", "INT64", _PIXELS, "Sum since the start"),
    _array("ImgImageFrame", "LONG", _PIXELS, "Latest image"),
    _array("ImgImageSumNFrames", "INT64", _PIXELS, "Sum of the latest images"),
    *pair("ImgAccumulationEnable", "bo", 1, "Read the stream", labels=_SWITCH),
    Record("ImgImageDataReset", "bo", 0, "Set the sum to zero, then 0", _RESET, effect="command"),
    Record("ImgFramesToSum", "longout", 10, "Images of the latest", limits=(1, 100_000)),
    Record("ImgSumUpdateInterval", "longout", 1, "Images an update", limits=(1, 10_000)),
    Record("ImgTotalCounts", "int64in", 0, "Counts in the sum"),
    Record("ImgProcessingTime", "ai", 0.0, "Time an image", units="ms", precision=3),
    Record("ImgMemoryUsage", "ai", 0.0, "Memory of the sums", units="MB", precision=3),
    Record("WriteProcessedImg", "bo", 0, "Send sums to plugins, then 0", _WRITE,
           effect="command", since="1.6.1"),
    Record("ProcessedImgOutputType", "mbbo", 0, "What is sent", _OUTPUT, since="1.6.1"),
]  # fmt: skip

_PREVIEW = [
    Record("PrvImgFrameNumber_RBV", "longin", 0, "Number of the latest preview"),
    Record("PrvImgTimeAtFrame_RBV", "ai", 0.0, "Its time", units="ns", precision=3),
    Record("PrvImgAcqRate_RBV", "ai", 0.0, "Previews a second", units="Hz", precision=3),
    Record("PrvImgThresholdID_RBV", "longin", 0, "Its threshold", since="1.7.0"),
    Record("PrvImgIntegrationSize_RBV", "longin", 0, "Frames in it", since="1.7.0"),
    Record("PrvImgLogHeaders", "longout", 3, "Headers to log", since="1.7.0"),
    *pair("PrvImgThreshDiffClip", "bo", 1, "Band of two thresholds", labels=("Signed", "Clip"),
          since="1.7.0"),
]  # fmt: skip

_TICKS = "TDC clock ticks (260.4167 ps)"
_HISTOGRAM = [
    _array("PrvHstHistogramData", "INT64", _BINS, "Sum since the reset"),
    _array("PrvHstHistogramFrame", "LONG", _BINS, "Latest histogram"),
    _array("PrvHstHistogramSumNFrames", "INT64", _BINS, "Sum of the latest histograms"),
    _array("PrvHstHistogramTimeMs", "DOUBLE", _BINS, "Centres of the bins in ms"),
    Record("PrvHstTimeAtFrame_RBV", "ai", 0.0, "Time of the latest", units="ns", precision=0),
    Record("PrvHstFrameBinSize_RBV", "ai", 0.0, "Bins of the latest"),
    Record("PrvHstFrameBinWidth_RBV", "ai", 0.0, "Width of a bin", units=_TICKS),
    Record("PrvHstFrameBinOffset_RBV", "ai", 0.0, "Start of the first", units=_TICKS),
    Record("PrvHstBinWidthMs_RBV", "calc", 0.0, "Width of a bin", units="ms"),
    Record("PrvHstBinOffsetMs_RBV", "calc", 0.0, "Start of the first", units="ms"),
    Record("PrvHstTotalTimeMs_RBV", "calc", 0.0, "Span of all bins", units="ms"),
    Record("PrvHstFrameCount_RBV", "ai", 0.0, "Histograms so far"),
    Record("PrvHstTotalCounts_RBV", "ai", 0.0, "Counts so far"),
    Record("PrvHstAcqRate_RBV", "ai", 0.0, "Histograms a second", units="Hz", precision=2),
    Record("PrvHstProcessingTime_RBV", "ai", 0.0, "Time a histogram", units="ms", precision=3),
    Record("PrvHstMemoryUsage_RBV", "ai", 0.0, "Memory of the sums", units="MB", precision=3),
    *pair("PrvHstFramesToSum", "ao", 10.0, "Histograms of the latest"),
    *pair("PrvHstSumUpdateInterval", "ao", 1.0, "Histograms an update"),
    *pair("PrvHstAccumulationEnable", "bo", 1, "Read the stream", labels=_SWITCH),
    Record("PrvHstDataReset", "bo", 0, "Set the sums to zero, then 0", _RESET, effect="command"),
    Record("WriteProcessedHst", "bo", 0, "Send sums to plugins, then 0", _WRITE,
           effect="command", since="1.6.1"),
    Record("ProcessedHstOutputType", "mbbo", 0, "What is sent", _OUTPUT, since="1.6.1"),
]  # fmt: skip

PROCESSING: list[Record] = [*_IMAGE, *_PREVIEW, *_HISTOGRAM]

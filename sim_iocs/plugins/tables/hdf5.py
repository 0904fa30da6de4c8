"""Rows of NDFile and NDFileHDF5, which write arrays to files."""

from __future__ import annotations

from sim_iocs.plugins.tables.base import plugin_records
from sim_iocs.plugins.tables.labels import (
    FIRST_MAJOR,
    NO_YES,
    OFF_ON,
    SECOND_MAJOR,
    SECOND_MINOR,
)
from sim_iocs.records import Record, pair

__all__ = ["COMPRESSION", "hdf5_records"]

COMPRESSION = ("None", "N-bit", "szip", "zlib", "Blosc", "BSLZ4", "LZ4", "JPEG")
_BLOSC = ("BloscLZ", "LZ4", "LZ4HC", "SNAPPY", "ZLIB", "ZSTD")
_DIMENSIONS = ("N", "X", "Y", "3", "4", "5", "6", "7", "8", "9")


def hdf5_records(port: str, source: str, enabled: int = 0) -> list[Record]:
    """Rows of the plugin."""
    return [
        *plugin_records(port, "NDFileHDF5", source, enabled=enabled, xml=2048),
        *_file(),
        *_capture(),
        *_chunks(),
        *_extra_dimensions(),
        *_compression(),
        *_rest(),
    ]


def _file() -> list[Record]:
    return [
        *pair("FilePath", "text", "", "Folder", effect="command"),
        Record("FilePathExists_RBV", "bi", 0, "It exists", NO_YES, severities=FIRST_MAJOR),
        *pair("CreateDirectory", "longout", 0, "Folders to make: -n = the last n"),
        *pair("FileName", "text", "", "Name"),
        *pair("FileNumber", "longout", 1, "Number of the next file"),
        *pair("AutoIncrement", "bo", 1, "Count files", labels=NO_YES),
        *pair("FileTemplate", "text", "", "Format of folder, name and number"),
        Record("FullFileName_RBV", "text", "", "Latest file", length=512, read_only=True),
        *pair("AutoSave", "bo", 0, "Write each array", labels=NO_YES),
        Record("WriteFile", "busy", 0, "Write now", ("Done", "Write"), effect="command"),
        Record("WriteFile_RBV", "bi", 0, "Writing", ("Done", "Writing"), severities=SECOND_MINOR),
        Record("ReadFile", "busy", 0, "Read now", ("Done", "Read"), effect="command"),
        Record("ReadFile_RBV", "bi", 0, "Reading", ("Done", "Reading"), severities=SECOND_MINOR),
        *pair("FileFormat", "mbbo", 0, "Format", labels=("HDF5", "Invalid"),
              readback={"labels": ("HDF5", "Undefined")}),
    ]  # fmt: skip


def _capture() -> list[Record]:
    modes = ("Single", "Capture", "Stream")
    return [
        *pair("FileWriteMode", "mbbo", 0, "Arrays a file", labels=modes),
        Record("Capture", "busy", 0, "Start or stop", ("Done", "Capture"), effect="command"),
        Record("Capture_RBV", "bi", 0, "Running", ("Done", "Capturing"), severities=SECOND_MINOR),
        *pair("NumCapture", "longout", 1, "Arrays a file, 0 = any"),
        Record("NumCaptured_RBV", "longin", 0, "Arrays so far"),
        Record("FreeCapture", "bo", 0, "Forget arrays", ("Done", "Free"), effect="command"),
        *pair("DeleteDriverFile", "bo", 0, "Delete the driver's file", labels=NO_YES),
        Record("WriteStatus", "bi", 0, "How it went", ("Write OK", "Write error"),
               severities=SECOND_MAJOR),
        Record("WriteMessage", "text", "", "What went wrong", read_only=True),
        *pair("LazyOpen", "bo", 0, "Open the file with the first array", labels=NO_YES),
        *pair("TempSuffix", "stringout", "", "Suffix while it is written"),
    ]  # fmt: skip


def _chunks() -> list[Record]:
    numbers = ("NumRowChunks", "NumColChunks", *(f"ChunkSize{n}" for n in range(2, 10)))
    return [
        Record("FlushNow", "busy", 0, "Write to disk now", ("Done", "Flush"), effect="command"),
        *pair("ChunkSizeAuto", "bo", 1, "Chunks are arrays", labels=NO_YES),
        *(r for name in numbers for r in pair(name, "longout", 0, "Size of a chunk")),
        *pair("NumFramesChunks", "longout", 0, "Arrays a chunk"),
        *pair("NDAttributeChunk", "longout", 0, "Attributes a chunk"),
        *pair("BoundaryAlign", "longout", 0, "Alignment", units="bytes"),
        *pair("BoundaryThreshold", "longout", 1, "Least size to align", units="bytes"),
        *pair("NumFramesFlush", "longout", 0, "Arrays between flushes"),
    ]


def _extra_dimensions() -> list[Record]:
    return [
        *pair("NumExtraDims", "longout", 0, "Extra dimensions"),
        *(r for d in _DIMENSIONS for r in pair(f"ExtraDimSize{d}", "longout", 1, "Its size")),
        *(Record(f"ExtraDimName{d}_RBV", "stringin", "", "Its name") for d in _DIMENSIONS),
        *(r for d in _DIMENSIONS[1:] for r in pair(f"ExtraDimChunk{d}", "longout", 1, "Chunk")),
        *pair("PositionMode", "bo", 0, "Place arrays by attributes", labels=OFF_ON),
        *(r for d in _DIMENSIONS for r in pair(f"PosNameDim{d}", "stringout", "", "Attribute")),
        *(r for d in _DIMENSIONS for r in pair(f"PosIndexDim{d}", "stringout", "", "Index")),
    ]


def _compression() -> list[Record]:
    shuffle = ("None", "Byte", "Bit")
    return [
        *pair("Compression", "mbbo", 0, "Filter", labels=COMPRESSION),
        *pair("NumDataBits", "longout", 8, "Bits of N-bit", units="bit"),
        *pair("DataBitsOffset", "longout", 0, "Offset of N-bit", units="bit"),
        *pair("SZipNumPixels", "longout", 16, "Pixels a block of szip", units="bit"),
        *pair("ZLevel", "longout", 6, "Level of zlib"),
        *pair("BloscShuffle", "mbbo", 0, "Shuffle of Blosc", labels=shuffle),
        *pair("BloscCompressor", "mbbo", 0, "Compressor of Blosc", labels=_BLOSC),
        *pair("BloscLevel", "longout", 5, "Level of Blosc"),
        *pair("JPEGQuality", "longout", 90, "Quality of JPEG", limits=(1, 100)),
    ]


def _rest() -> list[Record]:
    supported = ("Not Supported", "Supported")
    return [
        *pair("StoreAttr", "bo", 1, "Store attributes", labels=NO_YES),
        *pair("StorePerform", "bo", 1, "Store times of writing", labels=NO_YES),
        Record("RunTime", "ai", 0.0, "Time of the latest file", units="s", precision=3),
        Record("IOSpeed", "ai", 0.0, "Speed of the latest file", units="Mbit/s", precision=1),
        *pair("DimAttDatasets", "bo", 0, "Attributes in extra dimensions", labels=NO_YES),
        Record("XMLErrorMsg_RBV", "text", "", "What is wrong with the layout", read_only=True),
        Record("XMLValid_RBV", "bi", 1, "The layout is right", NO_YES, severities=FIRST_MAJOR),
        *pair("XMLFileName", "text", "", "File of the layout", length=2048),
        Record("SWMRSupported_RBV", "bi", 1, "Can be read while written", supported),
        *pair("SWMRMode", "bo", 0, "Let others read while writing", labels=OFF_ON),
        Record("SWMRActive_RBV", "bi", 0, "Others may read", ("Off", "Active")),
        Record("SWMRCbCounter_RBV", "longin", 0, "Arrays others can see"),
        *pair("FillValue", "ao", 0.0, "Value of missing arrays", precision=1),
    ]

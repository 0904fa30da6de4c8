"""Values after the start that are not those of the records: the driver's own init script."""

from __future__ import annotations

from typing import Any

__all__ = ["shipped"]

_CALIBRATION = ("tpx3-demo.bpc", "tpx3-demo.dacs")
_FORMATS = {"tiff": 0, "jsonimage": 3, "jsonhisto": 4}
_TOT, _TOF = 1, 3


def _channel(name: str, **values: Any) -> dict[str, Any]:
    return {f"{name}{key}": value for key, value in values.items()}


def shipped(folder: str) -> dict[str, Any]:
    """Set points in the order in which the script writes them.

    The script's folders are those of the driver's author; here all are `folder`, and the raw
    channel, which streams there, is set to files.
    """
    place = f"file:{folder}"
    image, raw = "f%MdHms_", "raw%MdHms_"
    stream = "tcp://listen@localhost:"
    return {
        **_channel("Raw", FilePath=place, FileTemplate=raw),
        **_channel("Raw1", FilePath=place, FileTemplate=raw),
        **_channel(
            "Img",
            FilePath=f"{stream}8087",
            FileTemplate=image,
            FileFmt=_FORMATS["jsonimage"],
            FileMode=_TOT,
        ),
        **_channel("Img1", FilePath=place, FileTemplate=image, FileMode=_TOT, IntgMode=1),
        "Img1StpOnDskLim": 1,
        **_channel(
            "PrvImg",
            FilePath=f"{stream}8089",
            FileTemplate=image,
            FileFmt=_FORMATS["jsonimage"],
            FileMode=_TOT,
            QueueSize=160,
        ),
        "PrvPeriod": 1.0,
        "WritePrvImg": 1,
        **_channel("PrvImg1", FilePath=place, FileTemplate=image, FileMode=_TOT),
        **_channel(
            "PrvHst",
            FilePath=f"{stream}8451",
            FileTemplate=image,
            FileFmt=_FORMATS["jsonhisto"],
            FileMode=_TOF,
            IntgSize=0,
            NumBins=16_000,
            BinWidth=1e-6,
        ),
        **_channel("BPC", FileName=_CALIBRATION[0]),
        **_channel("DACS", FileName=_CALIBRATION[1]),
        "ImageMode": 2,
        "TriggerMode": 5,
        "NumImages": 1_000_000_000,
        # not of the script: a detector whose bias is on, as it is after the first day
        "BiasVolt": 100,
        "BiasEnbl": 1,
    }

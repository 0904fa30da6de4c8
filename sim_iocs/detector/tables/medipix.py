"""Configuration that only a Medipix3 uses; the driver has the records for a Timepix3 too."""

from __future__ import annotations

from sim_iocs.detector.tables.labels import NO_YES
from sim_iocs.records import Record, pair

__all__ = ["MEDIPIX"]

_GAIN = ("SHGM", "HGM", "LGM", "SLGM")
_DEPTH = ("1-bit", "6-bit", "12-bit", "24-bit")
_SINCE = "1.7.0"

MEDIPIX: list[Record] = [
    *pair("BothCounters", "bo", 0, "Read both counters", labels=NO_YES, since=_SINCE),
    *pair("GainMode", "mbbo", 0, "Gain", labels=_GAIN, since=_SINCE),
    *pair("ChargeSumming", "bo", 0, "Charge summing", labels=NO_YES, since=_SINCE),
    *pair("Colour", "bo", 0, "Colour mode", labels=NO_YES, since=_SINCE),
    *pair("PixelDepth", "mbbo", 2, "Depth of the counter", labels=_DEPTH, since=_SINCE),
    *pair("CounterSelectIn", "longout", 0, "Counter read first", since=_SINCE),
    *pair("CounterSelectOut", "longout", 0, "Counter read last", since=_SINCE),
    *(
        record
        for link, delay in enumerate((15, 15, 15, 10))
        for record in pair(f"IDelay{link}", "longout", delay, "Delay of a link", since=_SINCE)
    ),
]

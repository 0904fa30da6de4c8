"""Serval's seven output channels; nothing here reaches Serval before `write_data`."""

from __future__ import annotations

from twinbeam.devices.driver.parts import Group, readback, setting, switch

__all__ = ["HistogramChannel", "ImageChannel", "PreviewChannel", "Previews", "RawChannel"]


class _Channel(Group):
    """What all channels have; the prefix ends with the channel's name.

    `enable` reads back from Serval what is really on.
    """

    enable = switch("{self.driver_prefix}Write{self.channel_name}")
    path = setting("FilePath", string=True)
    path_exists = readback("FilePathExists_RBV")
    template = setting("FileTemplate", string=True)
    queue_size = setting("QueueSize")

    @property
    def driver_prefix(self) -> str:
        """Prefix of the driver."""
        head, colon, _ = self.prefix.rpartition(":")
        return head + colon

    @property
    def channel_name(self) -> str:
        """What the driver calls the channel."""
        return str(self.prefix.rpartition(":")[2])


class RawChannel(_Channel):
    """Hits as the chips give them, into files or a TCP stream."""

    split = setting("SplitStg", string=True)
    stream_kind = readback("Stream", string=True)


class _Images(_Channel):
    """What channels of pictures have."""

    format = setting("FileFmt", string=True)
    mode = setting("FileMode", string=True)
    integration_size = setting("IntgSize")
    integration_mode = setting("IntgMode", string=True)


class ImageChannel(_Images):
    """An image a frame."""

    thresholds = setting("Ths", string=True)
    stop_on_disk_limit = setting("StpOnDskLim")


class PreviewChannel(_Images):
    """An image now and then, to look at."""

    thresholds = setting("Ths", string=True)
    stop_on_disk_limit = switch("{self.driver_prefix}{self.short_name}StpOnDskLim")

    @property
    def short_name(self) -> str:
        """Name of the channel in one of its records."""
        return self.channel_name.replace("Img", "")


class HistogramChannel(_Images):
    """Histograms of times of flight."""

    stop_on_disk_limit = setting("StpOnDskLim")
    n_bins = setting("NumBins")
    bin_width = setting("BinWidth")
    offset = setting("Offset")


class Previews(Group):
    """What both previews and the histogram have in common."""

    period = setting("PrvPeriod")
    sampling = setting("PrvSmplgMode", string=True)

"""What Serval is told to do with the data: the output channels of one push."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "FORMATS",
    "INTEGRATION_MODES",
    "MODES",
    "SAMPLING_MODES",
    "SPLIT_STRATEGIES",
    "Address",
    "Channel",
    "Destination",
    "HistogramChannel",
    "ImageChannel",
    "RawChannel",
    "address_of",
    "expand_pattern",
    "folder_of",
    "place_exists",
]

FORMATS = ("tiff", "pgm", "png", "jsonimage", "jsonhisto")
MODES = ("count", "tot", "toa", "tof", "count_fb")
INTEGRATION_MODES = ("sum", "average", "last")
SPLIT_STRATEGIES = ("single_file", "frame")
SAMPLING_MODES = ("skipOnFrame", "skipOnPeriod")

_DATE_CODES = re.compile(r"%([yMdHms]+)")
_TCP = re.compile(r"tcp://(?:(listen|connect)@)?([^@:/\s]+):(\d{1,5})/?\s*$")


@dataclass(frozen=True)
class Address:
    """Where a stream goes: a port that Serval listens on, or a program that it connects to."""

    listens: bool
    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp://{'listen' if self.listens else 'connect'}@{self.host}:{self.port}"


@dataclass(frozen=True)
class Channel:
    """One enabled output channel; queues are counted in chunks of raw data, or in images."""

    base: str
    pattern: str = ""
    queue_size: int = 1024

    @property
    def streams(self) -> bool:
        """Whether the channel is a TCP stream rather than files."""
        return self.base.startswith("tcp://")

    def problem(self) -> str | None:
        """What Serval would refuse, in words, or None."""
        if self.streams:
            if address_of(self.base) is None:
                return (
                    f"base '{self.base}' is not tcp://listen@host:port or tcp://connect@host:port"
                )
        elif folder_of(self.base) is None and not self.base.startswith("http://"):
            return f"base '{self.base}'"
        if not 1 <= self.queue_size <= 1 << 24:
            return f"QueueSize {self.queue_size} is outside 1 to {1 << 24}"
        if "/" in self.pattern:
            return f"FilePattern '{self.pattern}' names a folder"
        return None


@dataclass(frozen=True)
class RawChannel(Channel):
    """An enabled channel of raw bytes: one file a run, or one a frame."""

    split_frames: bool = False
    queue_size: int = 16384


@dataclass(frozen=True)
class ImageChannel(Channel):
    """An enabled channel of images: of every frame, or of the preview."""

    format: str = "jsonimage"
    mode: str = "tot"
    thresholds: tuple[int, ...] = (0,)
    integration_size: int = 1
    integration_mode: str = "sum"
    stop_on_disk_limit: bool = False

    def problem(self) -> str | None:
        """What Serval would refuse, in words, or None."""
        if not -1 <= self.integration_size <= 32:
            return f"IntegrationSize {self.integration_size} is outside -1 to 32"
        for name, value, known in (
            ("Format", self.format, FORMATS),
            ("Mode", self.mode, MODES),
            ("IntegrationMode", self.integration_mode, INTEGRATION_MODES),
        ):
            if value not in known:
                return f"{name} '{value}' is none of {', '.join(known)}"
        if self.streams and self.format not in ("jsonimage", "jsonhisto"):
            return f"Format '{self.format}' cannot be streamed"
        return super().problem()


@dataclass(frozen=True)
class HistogramChannel(ImageChannel):
    """An enabled channel of histograms of the time since the last TDC edge."""

    format: str = "jsonhisto"
    mode: str = "tof"
    n_bins: int = 1000
    bin_width_s: float = 1e-6
    offset_s: float = 0.0

    def problem(self) -> str | None:
        """What Serval would refuse, in words, or None."""
        if not 1 <= self.n_bins <= 1_000_000:
            return f"NumberOfBins {self.n_bins} is outside 1 to 1000000"
        if not 1e-9 <= self.bin_width_s <= 10.0:
            return f"BinWidth {self.bin_width_s:g} is outside 1e-09 to 10"
        return super().problem()


@dataclass(frozen=True)
class Destination:
    """Everything one push names; empty tuples are channels that are off."""

    raw: tuple[RawChannel, ...] = ()
    image: tuple[ImageChannel, ...] = ()
    preview: tuple[ImageChannel, ...] = ()
    histogram: tuple[HistogramChannel, ...] = ()
    preview_period_s: float = 0.2
    sampling_mode: str = "skipOnFrame"

    def __bool__(self) -> bool:
        return bool(self.raw or self.image or self.preview or self.histogram)

    def problem(self) -> str | None:
        """What Serval would refuse, in words, or None."""
        most = (("Raw", self.raw, 2), ("Image", self.image, 2), ("Preview", self.preview, 2))
        for name, channels, n in (*most, ("Histogram", self.histogram, 1)):
            if len(channels) > n:
                return f"{name} has more than {n} channels"
            for channel in channels:
                if (problem := channel.problem()) is not None:
                    return f"{name} {problem}"
        if not 0.0 < self.preview_period_s <= 3600.0:
            return f"Preview Period {self.preview_period_s:g} is outside 0 to 3600"
        if self.sampling_mode not in SAMPLING_MODES:
            return f"SamplingMode '{self.sampling_mode}' is none of {', '.join(SAMPLING_MODES)}"
        streams = [str(a) for a in map(address_of, self.bases()) if a is not None]
        twice = {base for base in streams if streams.count(base) > 1}
        return f"{min(twice)} is named twice" if twice else None

    def bases(self) -> list[str]:
        """Places of all channels."""
        every = (*self.raw, *self.image, *self.preview, *self.histogram)
        return [channel.base for channel in every]

    @property
    def stops_on_disk_limit(self) -> bool:
        """Whether a channel wants the measurement to end when the disk is full."""
        return any(c.stop_on_disk_limit for c in (*self.image, *self.preview, *self.histogram))


def folder_of(base: str) -> Path | None:
    """Folder that a `file:/…` place names, or None for a stream or anything else."""
    if base.startswith("file:/") and not base.startswith("file://"):
        return Path(base.removeprefix("file:"))
    return None


def address_of(base: str) -> Address | None:
    """Address that a `tcp://…` place names, or None; without a word before the @ Serval listens."""
    match = _TCP.match(base)
    if match is None or not 0 < int(match[3]) < 65536:
        return None
    return Address(match[1] != "connect", match[2], int(match[3]))


def place_exists(base: str) -> bool:
    """Whether the driver takes a place to exist: a folder must, a stream always does."""
    folder = folder_of(base)
    return folder.is_dir() if folder else base.startswith(("http://", "tcp://"))


def expand_pattern(pattern: str, now_s: float) -> str:
    """Replace date codes, `%` and a run of the letters y M d H m s, by the time of the start."""
    parts = time.localtime(now_s)
    digits = {
        "y": f"{parts.tm_year % 100:02d}",
        "M": f"{parts.tm_mon:02d}",
        "d": f"{parts.tm_mday:02d}",
        "H": f"{parts.tm_hour:02d}",
        "m": f"{parts.tm_min:02d}",
        "s": f"{parts.tm_sec:02d}",
    }
    return _DATE_CODES.sub(lambda match: "".join(digits[c] for c in match[1]), pattern)

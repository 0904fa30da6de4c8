"""What Serval is told to do with the data: the output channels of one push."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Channel", "Destination", "RawChannel", "expand_pattern", "folder_of", "place_exists"]

_DATE_CODES = re.compile(r"%([yMdHms]+)")


@dataclass(frozen=True)
class Channel:
    """One enabled output channel."""

    base: str

    @property
    def streams(self) -> bool:
        """Whether the channel is a TCP stream rather than files."""
        return self.base.startswith("tcp://")


@dataclass(frozen=True)
class RawChannel(Channel):
    """An enabled channel of raw bytes: one file a run, or one a frame."""

    pattern: str = ""
    split_frames: bool = False


@dataclass(frozen=True)
class Destination:
    """Everything one push names; empty tuples are channels that are off."""

    raw: tuple[RawChannel, ...] = ()
    image: tuple[Channel, ...] = ()
    preview: tuple[Channel, ...] = ()
    histogram: tuple[Channel, ...] = ()
    preview_period_s: float = 0.2

    def __bool__(self) -> bool:
        return bool(self.raw or self.image or self.preview or self.histogram)


def folder_of(base: str) -> Path | None:
    """Folder that a `file:/…` place names, or None for a stream or anything else."""
    if base.startswith("file:/") and not base.startswith("file://"):
        return Path(base.removeprefix("file:"))
    return None


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

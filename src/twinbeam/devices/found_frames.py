"""Frames of one acquisition as their files are found: complete, in order, or dropped."""

from __future__ import annotations

import collections
import logging
import time
from dataclasses import dataclass

from twinbeam.devices.cam import TimePix3Cam
from twinbeam.devices.raw_files import CompleteFile, RawFiles
from twinbeam.devices.raw_hits import count_hits
from twinbeam.devices.settings import Patience

__all__ = ["FoundFrames", "Frame"]

_WORD_BYTES = 8
_MOST_LOOKS = 4096
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Frame:
    """A complete frame, its hits, and what the detector's counters said when it was found.

    `n_dropped` frames were lost between the frame before and this one. Those lost at the end
    come with a `file` that is none: `n_files` is 0 then.
    """

    file: CompleteFile
    n_hits: int
    frame_count: int
    hit_rate_hz: float
    n_dropped: int = 0
    n_files: int = 1


class FoundFrames:
    """What has been found so far.

    Parameters
    ----------
    cam
        The driver.
    files
        Files that it writes.
    num_frames
        Frames of the whole acquisition.
    patience
        Tells over which time the size of a complete file stays the same.
    may_drop
        Whether frames that the detector says it has dropped are passed over.

    Attributes
    ----------
    n_frames, n_dropped
        Frames that are complete, and that were dropped, so far.
    n_bytes, n_hits
        What is in the complete ones.
    last
        The newest complete one.
    """

    def __init__(
        self,
        cam: TimePix3Cam,
        files: RawFiles,
        num_frames: int,
        patience: Patience,
        *,
        may_drop: bool,
    ) -> None:
        self.n_frames = 0
        self.n_dropped = 0
        self.n_bytes = 0
        self.n_hits = 0
        self.last: Frame | None = None
        self._cam = cam
        self._files = files
        self._num_frames = num_frames
        self._patience = patience
        self._may_drop = may_drop
        self._told_dropped = 0
        self._ready: collections.deque[Frame] = collections.deque()

    @property
    def at(self) -> int:
        """Index of the next file."""
        return self.n_frames + self.n_dropped

    def take(self) -> list[Frame]:
        """Those that have not been taken yet, in order."""
        frames = []
        while self._ready:
            frames.append(self._ready.popleft())
        return frames

    def find(self, ended: int, *, over: bool, gone_by: int, lost: int) -> None:
        """Keep files that are complete, and pass over those of dropped frames.

        Parameters
        ----------
        ended
            Frames that have certainly ended, counted from 0.
        over
            Whether the acquisition is over.
        gone_by
            Frames that have ended or were dropped.
        lost
            Frames that the detector says it has dropped.
        """
        while True:
            settle_s = self._patience.settle_s
            self._keep(
                self._files.complete_from(self.at, ended=ended, over=over, settle_s=settle_s)
            )
            if not self._may_drop or not (missing := self._dropped_next(gone_by, lost)):
                return
            _log.warning(
                "%s: the detector has dropped %s; it goes on without",
                self._files.path(self.at).name,
                "this frame" if missing == 1 else f"{missing} frames from here on",
            )
            self.n_dropped += missing

    def close(self) -> None:
        """Give frames that were dropped at the end, behind the last file, a row of their own."""
        if not (left := self.n_dropped - self._told_dropped):
            return
        self._told_dropped = self.n_dropped
        nothing = CompleteFile(self.at, 0, time.time())
        self._ready.append(Frame(nothing, 0, *self._counters(), left, 0))

    def _keep(self, files: list[CompleteFile]) -> None:
        for file in files:
            path = self._files.path(file.index)
            dropped = self.n_dropped - self._told_dropped
            frame = Frame(file, count_hits(path), *self._counters(), dropped)
            if file.n_bytes % _WORD_BYTES:
                _log.warning("%s ends within a word: it was cut off", path)
            self._told_dropped = self.n_dropped
            self.n_frames += 1
            self.n_bytes += file.n_bytes
            self.n_hits += frame.n_hits
            self.last = frame
            self._ready.append(frame)

    def _counters(self) -> tuple[int, float]:
        return int(self._cam.frame_count.get()), float(self._cam.hit_rate.get())

    def _dropped_next(self, gone_by: int, lost: int) -> int:
        """How many frames were dropped from the next one on; 0 while that is not certain.

        Files may be late as well. So frames are known to be dropped only when all that are missing
        are no more than the detector says.
        """
        unknown = lost - self.n_dropped
        at, ended = self.at, min(gone_by, self._num_frames)
        if unknown < 1 or at >= ended or self._files.path(at).exists():
            return 0
        there = [self._files.path(i).exists() for i in range(at, min(ended, at + _MOST_LOOKS))]
        if there.count(False) > unknown:
            return 0
        return there.index(True) if True in there else len(there)

"""Raw files of one acquisition: their folder, their names, and when one is complete."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from twinbeam.errors import BeamlineError

__all__ = ["CompleteFile", "RawFiles", "dated_folder", "make_folder"]

_SUFFIX = ".tpx3"
# Looking at more files than this in one go would hold up everything else.
_MOST_LOOKS = 256


def dated_folder(root: Path, now_s: float) -> Path:
    """`root/<yyyy>/<mm>/<dd>` for a local time in seconds since the epoch."""
    day = time.localtime(now_s)
    return root / f"{day.tm_year:04d}" / f"{day.tm_mon:02d}" / f"{day.tm_mday:02d}"


def make_folder(folder: Path) -> None:
    """Create a folder and its parents: Serval creates none.

    Raises
    ------
    BeamlineError
        If that is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BeamlineError(
            f"the folder for raw files cannot be made: {error.strerror or error}",
            where=str(folder),
            hint="choose a data_root that this user may write to",
        ) from error


@dataclass(frozen=True)
class CompleteFile:
    """A raw file that will not change any more."""

    index: int
    n_bytes: int
    modified_s: float


@dataclass
class _Look:
    n_bytes: int
    since_s: float


@dataclass
class RawFiles:
    """Files `<stem><six digits>.tpx3` of one acquisition, one a frame, numbered from 0.

    Attributes
    ----------
    folder
        Absolute folder they are in.
    stem
        What their names begin with; another one for each acquisition.
    """

    folder: Path
    stem: str
    _looks: dict[int, _Look] = field(default_factory=dict, repr=False)

    @classmethod
    def fresh(cls, folder: Path, now_s: float) -> RawFiles:
        """Files whose names nobody has used: by the time of day and a random part."""
        moment = time.strftime("%Y%m%dT%H%M%S", time.localtime(now_s))
        return cls(folder.absolute(), f"{moment}_{uuid.uuid4().hex[:8]}_")

    @property
    def uri(self) -> str:
        """The folder as a URI with a slash at the end; special characters are quoted."""
        return f"file://localhost{quote(str(self.folder)).rstrip('/')}/"

    @property
    def template(self) -> str:
        """Python format of a name, for `template.format(index)`."""
        return f"{self.stem}{{:06d}}{_SUFFIX}"

    @property
    def destination(self) -> str:
        """The folder as the driver wants it: one slash after `file:`, no more."""
        return f"file:/{str(self.folder).lstrip('/')}"

    def path(self, index: int) -> Path:
        """Where a frame's file is, or will be."""
        return self.folder / self.template.format(index)

    def complete_from(
        self, first: int, *, ended: int, over: bool, settle_s: float
    ) -> list[CompleteFile]:
        """Files from `first` on, without a hole, that will not change any more.

        Call it again and again: a file is complete when its size was the same at two looks at
        least `settle_s` apart, both after its frame had ended.

        Parameters
        ----------
        first
            Index of the first file wanted.
        ended
            Frames that have ended, counted from 0.
        over
            Whether the acquisition is over, so that not even an empty file can grow.
        settle_s
            Time over which the size stays the same, in seconds.
        """
        now_s = time.monotonic()
        complete: list[CompleteFile] = []
        for index in range(first, min(ended, first + _MOST_LOOKS)):
            try:
                stat = self.path(index).stat()
            except OSError:
                break
            look = self._looks.get(index)
            if look is None or look.n_bytes != stat.st_size:
                self._looks[index] = _Look(stat.st_size, now_s)
                continue
            # An empty file may not have been flushed yet, unless a later frame has ended too.
            settled = now_s - look.since_s >= settle_s and (
                stat.st_size > 0 or over or index + 1 < ended
            )
            if settled and len(complete) == index - first:
                complete.append(CompleteFile(index, stat.st_size, stat.st_mtime))
        for file in complete:
            del self._looks[file.index]
        return complete

"""Raw files, as Serval writes them."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

__all__ = ["RawWriter"]


class RawWriter:
    """Writes the bytes of a run to one file, or to one a frame; each write reaches the disk.

    Files that exist are overwritten. The folder must exist.

    Parameters
    ----------
    folder
        Where the files go.
    pattern
        What their names begin with; six digits and `.tpx3` follow.
    split_frames
        Whether each frame gets a file of its own.
    """

    def __init__(self, folder: Path, pattern: str, split_frames: bool) -> None:
        self.folder = folder
        self.pattern = pattern
        self.split_frames = split_frames
        self.n_bytes = 0
        self._frame = -1
        self._file: BinaryIO | None = None

    def path(self, frame: int) -> Path:
        """File that a frame's bytes go to."""
        index = frame if self.split_frames else 0
        return self.folder / f"{self.pattern}{index:06d}.tpx3"

    def truth_path(self) -> Path:
        """Where the truth about a simulated run goes."""
        return self.folder / f"{self.pattern}truth.parquet"

    def write(self, frame: int, data: bytes) -> None:
        """Append bytes of a frame; a frame without bytes still gets its file.

        Raises
        ------
        OSError
            If the folder is gone or the disk is full.
        """
        if self._file is None or (self.split_frames and frame != self._frame):
            self.close()
            self._file = self.path(frame).open("wb", buffering=0)
            self._frame = frame
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self.n_bytes += len(data)

    def close(self) -> None:
        """Finish the file that is open, if any."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

"""Raw files, as Serval writes them, and what can be wrong with them."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from sim_iocs.serval.faults import Faults
from sim_iocs.serval.later import Later

__all__ = ["RawWriter"]

_KEPT_OF_TRUNCATED = 0.6


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
    faults
        Whether files go missing, come late or are cut.
    later
        Where work is left that is done late.
    complete_after_s
        How long after its end a file gets its last bytes; 0 is at once.
    """

    def __init__(
        self,
        folder: Path,
        pattern: str,
        split_frames: bool,
        *,
        faults: Faults | None = None,
        later: Later | None = None,
        complete_after_s: float = 0.0,
    ) -> None:
        self.folder = folder
        self.pattern = pattern
        self.split_frames = split_frames
        self.n_bytes = 0
        self._faults = faults or Faults()
        self._later = later or Later()
        self._complete_after_s = complete_after_s
        self._held = b""
        self._frame = -1
        self._fault = ""
        self._path: Path | None = None
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
        if self._path is None or (self.split_frames and frame != self._frame):
            self.close()
            self._open(self.path(frame))
            self._frame = frame
        self.n_bytes += len(data)
        if self._file is None:
            return
        if self._complete_after_s > 0.0:
            data, self._held = self._held, data
        _write(self._file, data)

    def close(self) -> None:
        """Finish the file that is open, if any."""
        file, path, held = self._file, self._path, self._held
        self._file, self._path, self._held = None, None, b""
        if file is None or path is None:
            return
        if self._fault == "truncated":
            _write(file, held)
            # in the middle of a word
            file.truncate(max(round(_KEPT_OF_TRUNCATED * file.tell()) // 8 * 8 - 3, 0))
        file.close()
        if self._fault == "late":
            part = _part(path)
            if held:
                _append(part, held)
            self._later.after(self._faults.file_late_s, lambda: _rename(part, path))
        elif held and self._fault != "truncated":
            self._later.after(self._complete_after_s, lambda: _append(path, held))

    def abandon(self) -> None:
        """Leave the file that is open as it is."""
        file, self._file, self._path, self._held = self._file, None, None, b""
        if file is not None:
            file.close()

    def _open(self, path: Path) -> None:
        self._path, self._fault = path, self._faults.files
        if self._fault != "missing":
            at = _part(path) if self._fault == "late" else path
            self._file = at.open("wb", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _write(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _rename(old: Path, new: Path) -> None:
    old.replace(new)

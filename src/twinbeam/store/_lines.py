"""The JSON-lines files of the runs that are open."""

from __future__ import annotations

from collections.abc import Callable
from io import FileIO
from pathlib import Path

from twinbeam.store._line_sync import LineSync

__all__ = ["OpenLines"]


class OpenLines:
    """One file a run, appended to without buffering: a line is with the system when written.

    A thread forces the lines to the disk: the first and last of a run at once, the others at most
    a second later.

    Parameters
    ----------
    directory
        Folder of the files.
    on_error
        Called in that thread with a file that could not be forced to the disk, and why.
    """

    def __init__(self, directory: Path, on_error: Callable[[Path, OSError], None]) -> None:
        self._directory = directory
        self._files: dict[str, FileIO] = {}
        self._sync = LineSync(on_error)

    def path(self, run: str) -> Path:
        """File of a run."""
        return self._directory / f"{run}.jsonl"

    def append(self, run: str, line: bytes) -> None:
        """Write one line; raises OSError, after which the file may end in a torn line."""
        new = run not in self._files
        if new:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._files[run] = FileIO(self.path(run), "ab")
        file = self._files[run]
        rest = memoryview(line)
        while rest:
            rest = rest[file.write(rest) :]
        self._sync.note(file, self.path(run), now=new, new=new)

    def close(self, run: str | None = None) -> None:
        """Close the file of a run, or all, when they are on the disk; returns at once."""
        for uid in list(self._files) if run is None else [run]:
            file = self._files.pop(uid, None)
            if file is not None:
                self._sync.end(file, self.path(uid))

    def flush(self, timeout_s: float) -> bool:
        """Wait until all lines so far are on the disk; whether that was in time."""
        return self._sync.flush(timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Close all files and end the thread."""
        self.close()
        self._sync.stop(timeout_s)

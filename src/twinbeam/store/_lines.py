"""The JSON-lines files of the runs that are open."""

from __future__ import annotations

from contextlib import suppress
from io import FileIO
from pathlib import Path

__all__ = ["OpenLines"]


class OpenLines:
    """One file a run, appended to without buffering: a line is with the system when written."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, FileIO] = {}

    def path(self, run: str) -> Path:
        """File of a run."""
        return self._directory / f"{run}.jsonl"

    def append(self, run: str, line: bytes) -> None:
        """Write one line; raises OSError, after which the file may end in a torn line."""
        if run not in self._files:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._files[run] = FileIO(self.path(run), "ab")
        rest = memoryview(line)
        while rest:
            rest = rest[self._files[run].write(rest) :]

    def close(self, run: str | None = None) -> None:
        """Close the file of a run, or all."""
        for uid in list(self._files) if run is None else [run]:
            file = self._files.pop(uid, None)
            if file is not None:
                with suppress(OSError):
                    file.close()

"""The truth about a simulated run beside its raw files, written as it goes."""

from __future__ import annotations

from pathlib import Path

from twinbeam.simulate import Truth
from twinbeam.simulate.truth_files import TruthFile

__all__ = ["TruthWriter"]


class TruthWriter:
    """Writes the same rows to several files, which appear when the run is over.

    Parameters
    ----------
    paths
        The files.
    """

    def __init__(self, paths: list[Path]) -> None:
        self._paths = list(dict.fromkeys(paths))
        self._files: list[TruthFile] = []

    def write(self, truth: Truth) -> None:
        """Add rows.

        Raises
        ------
        OSError
            If the folder is gone or the disk is full.
        """
        if not len(truth):
            return
        if not self._files:
            self._files = [TruthFile(path, Truth) for path in self._paths]
        for file in self._files:
            file.write(truth)

    def finish(self, last: Truth) -> None:
        """Add rows and give the files their names; without any row there is an empty table."""
        self.write(last)
        if not self._files:
            self._files = [TruthFile(path, Truth) for path in self._paths]
        for file in self._files:
            file.finish()
        self._files = []

    def discard(self) -> None:
        """Remove what is not finished."""
        for file in self._files:
            file.discard()
        self._files = []

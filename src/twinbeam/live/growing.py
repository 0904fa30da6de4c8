"""The raw files of an acquisition while the detector writes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path

from twinbeam.tpx3 import BLOCK_BYTES

__all__ = ["GrowingFiles"]

_MOST_FILES = 1_000_000  # the running number has six digits


class GrowingFiles:
    """Reads what is new in numbered files, one after the other, as they grow.

    The detector writes one file at a time. So a file is taken for complete when the next one has
    bytes in it. Should it grow after all, less of it was read than it holds, which whoever counts
    the bytes can see.

    Parameters
    ----------
    folder
        Folder of the files.
    template
        Python format of a name, for `template.format(index)`.
    first
        Index of the file to begin with.

    Attributes
    ----------
    open_path
        The file that is read; None before the first.
    """

    def __init__(self, folder: Path, template: str, first: int = 0) -> None:
        self._folder = folder
        self._template = template
        self._index = self._first = first
        self._at = 0
        self.open_path: Path | None = None

    def path(self, index: int) -> Path:
        """Where a file is, or will be."""
        return self._folder / self._template.format(index)

    def new_blocks(self, most_bytes: int) -> Iterator[memoryview]:
        """What is new, in blocks that are valid until the next; ends when there is no more now.

        Parameters
        ----------
        most_bytes
            No further block is read once there were so many bytes.
        """
        buffer = memoryview(bytearray(BLOCK_BYTES))
        n = 0
        # A file that cannot be read is looked at again; the event that names it tells the reason.
        with suppress(OSError):
            while True:
                self.open_path = self.path(self._index)
                with FileIO(self.open_path, "rb") as file:
                    file.seek(self._at)
                    while n < most_bytes and (size := file.readinto(buffer)):
                        n += size
                        self._at += size
                        yield buffer[:size]
                if n >= most_bytes or not self._is_over():
                    return
                self._index += 1
                self._at = 0

    def waiting_bytes(self, most_bytes: int) -> int:
        """How many bytes are new by now, no more than `most_bytes`."""
        n, index = -self._at, self._index
        with suppress(OSError):
            while n < most_bytes:
                n += self.path(index).stat().st_size
                index += 1
        return max(0, min(n, most_bytes))

    def _is_over(self) -> bool:
        """Whether the next file has bytes, and still none came to this one."""
        following = self.path(self._index + 1).stat().st_size
        return following > 0 and self.path(self._index).stat().st_size == self._at

    def skip_behind(self, path: Path) -> None:
        """Go on with the file behind `path`; those up to it are read by somebody else."""
        index = self._index
        while self.path(index) != path:
            index += 1
            if index - self._index > _MOST_FILES:
                return
        self._index = index + 1
        self._at = 0

    def restart(self) -> None:
        """Begin with the first file again."""
        self._index = self._first
        self._at = 0

    def go_on(self, path: Path, first_byte: int) -> None:
        """Go on in a file from a byte on, as after a restart."""
        self.skip_behind(path)
        self._index -= 1
        self._at = first_byte

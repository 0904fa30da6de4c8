"""The thread that forces lines to the disk, so that no callback waits for it."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path

__all__ = ["LineSync"]

_EVERY_S = 1.0
_NO_DISK = (errno.EINVAL, errno.ENOTSUP, errno.EROFS)  # pipes and devices cannot be synchronised


class LineSync:
    """Forces files that were written to to the disk: at once when asked, else once a second.

    Parameters
    ----------
    on_error
        Called in the thread with the file and what went wrong.
    """

    def __init__(self, on_error: Callable[[Path, OSError], None]) -> None:
        self._on_error = on_error
        self._written: dict[FileIO, Path] = {}
        self._ended: set[FileIO] = set()  # to be closed when they are on the disk
        self._folders: set[Path] = set()  # with new files, whose names must be on the disk too
        self._urgent = False
        self._working = False
        self._closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def note(self, file: FileIO, path: Path, *, now: bool = False, new: bool = False) -> None:
        """Note that a file was written to; returns at once.

        Parameters
        ----------
        file, path
            The open file and its name.
        now
            Whether not to wait for the next second.
        new
            Whether the file was just made.
        """
        with self._changed:
            self._written[file] = path
            if new:
                self._folders.add(path.parent)
            self._wake(now)

    def end(self, file: FileIO, path: Path) -> None:
        """Have a file forced to the disk and closed; returns at once."""
        with self._changed:
            self._written[file] = path
            self._ended.add(file)
            self._wake(True)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was written so far is on the disk; whether that was in time."""
        with self._changed:
            if self._written:
                self._wake(True)
            return self._changed.wait_for(
                lambda: not self._written and not self._working, timeout_s
            )

    def stop(self, timeout_s: float) -> None:
        """Force what is left to the disk and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _wake(self, now: bool) -> None:
        """With the lock held: start the thread if need be, and tell it."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="run-lines", daemon=True)
            self._thread.start()
        if now and not self._urgent:
            self._urgent = True
            self._changed.notify_all()

    def _work(self) -> None:
        last = time.monotonic()
        while True:
            with self._changed:
                rest = last + _EVERY_S - time.monotonic()
                if rest > 0.0:
                    self._changed.wait_for(lambda: self._urgent or self._closed, rest)
                if not self._written:
                    self._changed.wait_for(lambda: bool(self._written) or self._closed, _EVERY_S)
                written, self._written = self._written, {}
                ended, self._ended = self._ended, set()
                folders, self._folders = self._folders, set()
                self._urgent, self._working = False, True
                closed = self._closed
            for file, path in written.items():
                self._force(file.fileno(), path)
                if file in ended:
                    with suppress(OSError):
                        file.close()
            for folder in folders:
                self._force_folder(folder)
            last = time.monotonic()
            with self._changed:
                self._working = False
                self._changed.notify_all()
                if closed and not self._written:
                    return

    def _force(self, descriptor: int, path: Path) -> None:
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _NO_DISK:
                self._on_error(path, error)

    def _force_folder(self, folder: Path) -> None:
        with suppress(
            OSError
        ):  # the lines themselves are forced; some file systems know no folders
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

"""NDFileHDF5: arrays to files, one by one, captured first, or streamed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sim_iocs.plugins.file_names import expand, make_folders
from sim_iocs.plugins.frame import Frame
from sim_iocs.plugins.hdf5_file import COMPRESSED, Hdf5File
from sim_iocs.plugins.plugin import Plugin
from sim_iocs.plugins.tables import COMPRESSION

__all__ = ["FileWriter"]

_SINGLE, _CAPTURE, _STREAM = range(3)


class FileWriter(Plugin):
    """Writes HDF5 files."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._file: Hdf5File | None = None
        self._final: Path | None = None
        self._captured: list[Frame] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._opened_s = 0.0
        handlers: dict[str, Callable[[Any], Awaitable[None]]] = {
            "FilePath": self._folder,
            "CreateDirectory": self._create,
            "Capture": self._capture,
            "WriteFile": self._write,
            "ReadFile": self._read,
            "FreeCapture": self._free,
            "FlushNow": self._flush,
        }
        for name, handler in handlers.items():
            self.channels.on_put(name, handler)

    async def process(self, frame: Frame) -> Frame:
        """Write the array, or keep it, or neither."""
        get = self.channels.get
        mode, capturing = get("FileWriteMode_RBV"), not self._idle.is_set()
        if mode == _SINGLE and get("AutoSave_RBV"):
            await self._save([frame], many=False)
        elif mode == _CAPTURE and capturing:
            self._captured.append(frame)
            await self._count(len(self._captured))
            if self._full(len(self._captured)):
                if get("AutoSave_RBV"):
                    await self._save(self._captured, many=True)
                await self._stop()
        elif mode == _STREAM and capturing:
            if await self._guard(lambda: self._append(frame)) and self._file is not None:
                await self._count(self._file.n_frames)
                if self._full(self._file.n_frames):
                    await self._stop()
            else:
                await self._stop()
        return frame

    async def close(self) -> None:
        """Finish the file that is open, if any."""
        if not self._idle.is_set():
            await self._stop()

    # --- commands ---------------------------------------------------------------------------

    async def _folder(self, folder: str) -> None:
        if folder and not folder.endswith("/"):
            folder += "/"
        await self.channels.post("FilePath_RBV", folder)
        depth = -self.channels.get("CreateDirectory_RBV")
        if folder and depth > 0:
            await self._guard(lambda: make_folders(Path(folder), depth))
        exists = bool(folder) and Path(folder).is_dir()
        await self.channels.post("FilePathExists_RBV", exists)

    async def _create(self, depth: int) -> None:
        await self.channels.post("CreateDirectory_RBV", depth)

    async def _capture(self, value: int) -> None:
        """Start or stop; the put completes when all arrays are there."""
        if value and self._idle.is_set():
            await self._start()
        elif not value and not self._idle.is_set():
            await self._stop()
        await self._idle.wait()

    async def _start(self) -> None:
        mode = self.channels.get("FileWriteMode_RBV")
        lazy = self.channels.get("LazyOpen_RBV")
        problem = ""
        if mode == _SINGLE:
            problem = "ERROR: capture not supported in Single mode"
        elif self.latest is None and not (lazy and mode == _STREAM):
            problem = "ERROR: must collect an array to get dimensions first"
        if problem:
            await self._report(problem)
            await self.channels.post("Capture", 0)
            return
        self._captured = []
        await self._report("")
        await self._count(0)
        if mode == _STREAM and not lazy:
            assert self.latest is not None
            first = self.latest
            if not await self._guard(lambda: self._open(first, many=True)):
                await self.channels.post("Capture", 0)
                return
            await self._opened()
        self._idle.clear()
        await self.channels.post("Capture_RBV", 1)

    async def _stop(self) -> None:
        if self._file is not None:
            await self._guard(self._close)
            await self.channels.post("SWMRActive_RBV", 0)
        for name in ("WriteFile_RBV", "Capture_RBV", "Capture"):
            await self.channels.post(name, 0)
        self._idle.set()

    async def _write(self, value: int) -> None:
        """Write what there is: the captured arrays, or the latest one."""
        if value:
            mode = self.channels.get("FileWriteMode_RBV")
            frames = self._captured if mode == _CAPTURE else [f for f in (self.latest,) if f]
            if mode == _STREAM or not frames:
                await self._report("ERROR: no array to write")
            else:
                await self._save(frames, many=mode == _CAPTURE)
        await self.channels.post("WriteFile", 0)

    async def _read(self, _: int) -> None:
        await self._report("ERROR: this plugin does not read")
        await self.channels.post("ReadFile", 0)

    async def _free(self, _: int) -> None:
        self._captured = []
        await self._count(0)
        await self.channels.post("FreeCapture", 0)

    async def _flush(self, _: int) -> None:
        if (file := self._file) is not None:
            await self._guard(file.flush)
        await self.channels.post("FlushNow", 0)

    # --- files ------------------------------------------------------------------------------

    async def _save(self, frames: list[Frame], *, many: bool) -> None:
        """Write arrays to a file of their own."""

        def write() -> None:
            self._open(frames[0], many=many)
            try:
                for frame in frames:
                    self._append(frame)
            finally:
                self._close()

        await self.channels.post("WriteFile_RBV", 1)
        if await self._guard(write):
            await self._opened()
            await self._report("")
        await self.channels.post("WriteFile_RBV", 0)

    def _open(self, first: Frame, *, many: bool) -> None:
        get = self.channels.get
        name = expand(
            get("FileTemplate_RBV"), get("FilePath_RBV"), get("FileName_RBV"), get("FileNumber_RBV")
        )
        if not name:
            raise ValueError("FileTemplate is empty")
        compression = COMPRESSION[get("Compression_RBV")]
        if compression not in COMPRESSED:
            raise ValueError(f"no compression '{compression}' in this simulation")
        self._final = Path(name)
        self._file = Hdf5File(
            Path(name + get("TempSuffix_RBV")),
            first,
            many=many,
            compression=compression,
            level=get("ZLevel_RBV"),
            chunk_frames=get("NumFramesChunks_RBV"),
            swmr=many and bool(get("SWMRMode_RBV")),
        )
        self._opened_s = time.perf_counter()

    def _append(self, frame: Frame) -> None:
        if self._file is None:
            self._open(frame, many=True)
        assert self._file is not None
        self._file.append(frame)
        every = self.channels.get("NumFramesFlush_RBV")
        if every > 0 and self._file.n_frames % every == 0:
            self._file.flush()

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            file.close()
            if self._final is not None and file.path != self._final:
                file.path.rename(self._final)

    async def _opened(self) -> None:
        """Say which file it is, and count it."""
        await self.channels.post("FullFileName_RBV", str(self._final))
        chunk = max(self.channels.get("NumFramesChunks_RBV"), 1)
        await self.channels.post("NumFramesChunks_RBV", chunk)
        await self.channels.post("SWMRActive_RBV", self._file is not None and self._file.swmr)
        await self.channels.post("WriteFile_RBV", self._file is not None)
        if self.channels.get("AutoIncrement_RBV"):
            number = self.channels.get("FileNumber_RBV") + 1
            await self.channels.post("FileNumber_RBV", number)
            await self.channels.post("FileNumber", number)

    async def _guard(self, work: Callable[[], None]) -> bool:
        """Whether `work` succeeds, in the thread; what goes wrong is reported."""
        was_open = self._file is not None
        try:
            await self.in_thread(work)
        except (OSError, ValueError) as error:
            await self._report(f"ERROR: {error}")
            return False
        if self._file is not None and not was_open and self.channels.get("LazyOpen_RBV"):
            await self._opened()
        await self.channels.post("RunTime", round(time.perf_counter() - self._opened_s, 3))
        return True

    async def _report(self, problem: str) -> None:
        await self.channels.post("WriteMessage", problem)
        await self.channels.post("WriteStatus", bool(problem))

    async def _count(self, n_frames: int) -> None:
        await self.channels.post("NumCaptured_RBV", n_frames)
        await self.channels.post("SWMRCbCounter_RBV", n_frames)

    def _full(self, n_frames: int) -> bool:
        wanted = self.channels.get("NumCapture_RBV")
        return 0 < wanted <= n_frames

"""One HDF5 file of arrays, in areaDetector's default layout."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from sim_iocs.plugins.frame import Frame

__all__ = ["COMPRESSED", "Hdf5File"]

# what h5py can do without further packages
COMPRESSED: dict[str, str | None] = {"None": None, "zlib": "gzip", "szip": "szip"}

_ATTRIBUTES = {
    "NDArrayUniqueId": np.int32,
    "NDArrayTimeStamp": np.float64,
    "NDArrayEpicsTSSec": np.uint32,
    "NDArrayEpicsTSnSec": np.uint32,
}


class Hdf5File:
    """Holds arrays of one shape and type.

    Parameters
    ----------
    path
        The file; one that exists is overwritten.
    first
        An array of the shape and type of all that will come.
    many
        Whether there is a dimension that counts arrays.
    compression
        One of `COMPRESSED`.
    level
        Level of zlib.
    chunk_frames
        Arrays a chunk.
    swmr
        Whether others may read while it is written.
    """

    def __init__(
        self,
        path: Path,
        first: Frame,
        *,
        many: bool = True,
        compression: str = "None",
        level: int = 6,
        chunk_frames: int = 1,
        swmr: bool = False,
    ) -> None:
        self.path = path
        self.n_frames = 0
        self.swmr = swmr
        self._many = many
        self._began_s = time.perf_counter()
        # NFS and containers often cannot lock, and nobody else writes here.
        self._file = h5py.File(path, "w", libver="latest", locking=False)
        shape = first.data.shape
        more: dict[str, Any] = {"compression": COMPRESSED[compression]}
        if compression == "zlib":
            more["compression_opts"] = level
        if many:
            more |= {"maxshape": (None, *shape), "chunks": (max(chunk_frames, 1), *shape)}
        elif compression != "None":
            more["chunks"] = shape
        detector = self._group("entry/instrument/detector", "NXdetector")
        full = (0, *shape) if many else shape
        self._data = detector.create_dataset("data", full, first.data.dtype, **more)
        self._data.attrs["signal"] = 1
        attributes = self._group("entry/instrument/NDAttributes", "NXcollection")
        self._attributes = {
            name: attributes.create_dataset(name, (0,), dtype, maxshape=(None,), chunks=(1024,))
            for name, dtype in _ATTRIBUTES.items()
        }
        performance = self._group("entry/instrument/performance", "NXcollection")
        self._times = performance.create_dataset(
            "timestamp", (0, 5), np.float64, maxshape=(None, 5), chunks=(1024, 5)
        )
        self._group("entry/data", "NXdata")["data"] = self._data
        self._file["entry"].attrs["NX_class"] = "NXentry"
        self._file["entry/instrument"].attrs["NX_class"] = "NXinstrument"
        self._file["entry/data"].attrs["signal"] = "data"
        if swmr:
            self._file.swmr_mode = True

    def _group(self, name: str, nexus: str) -> h5py.Group:
        group = self._file.require_group(name)
        group.attrs["NX_class"] = nexus
        return group

    def append(self, frame: Frame) -> None:
        """Write one array.

        Raises
        ------
        ValueError
            If it differs in shape or type.
        OSError
            If it cannot be written.
        """
        if frame.data.shape != self._data.shape[-frame.data.ndim :] or (
            frame.data.dtype != self._data.dtype
        ):
            raise ValueError("the array differs from the first of the file in shape or type")
        began_s = time.perf_counter()
        if self._many:
            self._data.resize(self.n_frames + 1, 0)
            self._data[self.n_frames] = frame.data
        else:
            self._data[...] = frame.data
        seconds = math.floor(frame.epics_s)
        nanoseconds = round(1e9 * (frame.epics_s - seconds))
        row = (frame.unique_id, frame.epics_s, seconds, nanoseconds)
        for dataset, value in zip(self._attributes.values(), row, strict=True):
            dataset.resize(self.n_frames + 1, 0)
            dataset[self.n_frames] = value
        self._time(began_s, frame.data.nbytes)
        self.n_frames += 1
        if self.swmr:
            self.flush()

    def _time(self, began_s: float, n_bytes: int) -> None:
        """Store how long it took: one array, all so far, and the rates that follow in MB/s."""
        now_s = time.perf_counter()
        took_s, total_s = max(now_s - began_s, 1e-9), max(now_s - self._began_s, 1e-9)
        megabytes = 1e-6 * n_bytes
        self._times.resize(self.n_frames + 1, 0)
        self._times[self.n_frames] = (
            took_s,
            took_s,
            total_s,
            megabytes / took_s,
            (self.n_frames + 1) * megabytes / total_s,
        )

    def flush(self) -> None:
        """Let readers see what is written."""
        self._file.flush()

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

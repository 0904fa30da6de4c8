"""Partial results on disk, so that work that was broken off goes on where it was."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import StorageError
from twinbeam.pipeline.partial import Partial
from twinbeam.replay.code_version import code_version
from twinbeam.tpx3 import Decoder

__all__ = ["PartialCache", "key_of"]

_ABOUT = "about"
_UNUSABLE = (
    LookupError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def key_of(*parts: Any) -> str:
    """A name for what was made from these values by this version of the program."""
    text = json.dumps([code_version(), *parts], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class PartialCache:
    """A folder of partial results, decoders and digests of raw data.

    Files are npz or JSON and appear under their names when they are complete; each holds the digest
    of its content. One that is missing, damaged or of other content is as if it were not there.
    Several processes may use the same folder.

    Parameters
    ----------
    folder
        Made if need be.

    Raises
    ------
    StorageError
        If the folder cannot be made or written.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        try:
            for name in ("partials", "decoders", "digests"):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"the folder of partial results cannot be made: {error.strerror}",
                where=str(self._folder),
            ) from error

    def load_partial(self, key: str) -> Partial | None:
        """A partial result, None when there is none that can be used."""
        found = self._load(self._path("partials", key))
        if found is None:
            return None
        try:
            return Partial.from_plain(*found)
        except _UNUSABLE:
            return None

    def save_partial(self, key: str, partial: Partial) -> None:
        """Keep a partial result; raises StorageError if it cannot be written."""
        self._save(self._path("partials", key), *partial.as_plain())

    def has_decoder(self, key: str) -> bool:
        """Whether there seems to be a decoder."""
        return self._path("decoders", key).is_file()

    def load_decoder(self, key: str) -> Decoder | None:
        """A decoder; None, and it is gone for good, when it cannot be used."""
        path = self._path("decoders", key)
        found = self._load(path)
        if found is not None:
            with suppress(*_UNUSABLE, AttributeError):
                return _decoder_from(*found)
        with suppress(OSError):
            path.unlink()
        return None

    def save_decoder(self, key: str, decoder: Decoder) -> None:
        """Keep a decoder; raises StorageError if it cannot be written."""
        self._save(self._path("decoders", key), *_decoder_plain(decoder))

    def load_digest(self, key: str) -> str | None:
        """Digest of raw data, None when it is not known."""
        try:
            values = json.loads(self._path("digests", key).read_text())
            digest = values["sha256"]
            return digest if values["key"] == key and isinstance(digest, str) else None
        except _UNUSABLE:
            return None

    def save_digest(self, key: str, digest: str) -> None:
        """Keep a digest of raw data; raises StorageError if it cannot be written."""
        text = json.dumps({"key": key, "sha256": digest})
        self._write(self._path("digests", key), text.encode())

    def _path(self, kind: str, key: str) -> Path:
        return self._folder / kind / f"{key}.{'json' if kind == 'digests' else 'npz'}"

    def _load(self, path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]] | None:
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            about = json.loads(arrays.pop(_ABOUT).tobytes())
            if about.pop("sha256") != _digest(about, arrays) or about.pop("key") != path.stem:
                return None
            return about, arrays
        except _UNUSABLE:
            return None

    def _save(
        self, path: Path, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> None:
        values = json.loads(json.dumps({**about, "key": path.stem}))
        values["sha256"] = _digest(values, arrays)
        content = io.BytesIO()
        text = np.frombuffer(json.dumps(values).encode(), np.uint8)
        np.savez(content, allow_pickle=False, **{**arrays, _ABOUT: text})
        self._write(path, content.getbuffer())

    def _write(self, path: Path, content: bytes | memoryview) -> None:
        name = None
        try:
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(name, path)
        except BaseException as error:
            if name is not None:
                with suppress(OSError):
                    os.unlink(name)
            if isinstance(error, OSError):
                raise StorageError(
                    f"a partial result cannot be kept: {error.strerror}",
                    where=str(path.parent),
                    hint="make room, or work without --cache",
                ) from error
            raise


def _digest(about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _decoder_plain(decoder: Decoder) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Everything a decoder that keeps no TDC edges holds, by what pickle would write."""
    numbers: dict[str, Any] = {}
    arrays: dict[str, NDArray[Any]] = {}
    for name, value in vars(decoder.fork()).items():
        if isinstance(value, np.ndarray):
            arrays[name] = value
        elif isinstance(value, int):
            numbers[name] = value
    del arrays["_buffer"]  # the same memory as the words
    return numbers, arrays


def _decoder_from(numbers: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Decoder:
    decoder = Decoder()
    fresh = vars(decoder)
    for name, array in arrays.items():
        if fresh[name].shape != array.shape or fresh[name].dtype != array.dtype:
            raise ValueError(f"not a decoder of this version: {name}")
    decoder.__setstate__({**fresh, **numbers, **arrays})
    return decoder

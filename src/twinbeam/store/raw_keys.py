"""Raw files as the events of a run name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from twinbeam.errors import RawDataError

__all__ = ["RawFiles", "raw_detectors", "raw_files"]

_SUFFIX = "_raw_uri"
_MOST_FILES = 1_000_000  # the running number has six digits


@dataclass(frozen=True)
class RawFiles:
    """Consecutive raw files of one acquisition.

    Attributes
    ----------
    acquisition
        Folder and file-name template; files with the same one share a clock.
    paths
        The files, in order.
    n_bytes
        Their size together, as the detector device saw it.
    """

    acquisition: str
    paths: tuple[Path, ...]
    n_bytes: int


def raw_detectors(descriptor: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the detectors whose raw files the events of a stream name."""
    keys = descriptor["data_keys"]
    return tuple(sorted(key.removesuffix(_SUFFIX) for key in keys if key.endswith(_SUFFIX)))


def raw_files(data: Mapping[str, Any], detector: str) -> RawFiles:
    """Raw files that the data of one event name for a detector.

    Raises
    ------
    RawDataError
        If the keys are incomplete or do not name a local folder.
    """
    try:
        uri = str(data[f"{detector}_raw_uri"])
        template = str(data[f"{detector}_raw_template"])
        first = int(data[f"{detector}_raw_first"])
        count = int(data[f"{detector}_raw_count"])
        n_bytes = int(data[f"{detector}_raw_bytes"])
        if not 0 <= count <= _MOST_FILES:
            raise ValueError(f"{count} files")
        names = [template.format(index) for index in range(first, first + count)]
        parts = urlparse(uri)
    except (LookupError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise RawDataError(
            f"the event does not name its raw files: {error!r}", where=f"detector {detector}"
        ) from error
    if parts.scheme != "file" or any(Path(name).name != name for name in names):
        raise RawDataError("raw files must be in a local folder", where=f"{uri} {template}")
    folder = Path(unquote(parts.path))
    return RawFiles(uri + template, tuple(folder / name for name in names), n_bytes)

"""Raw files as the events of a run name them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from twinbeam.errors import RawDataError

if TYPE_CHECKING:
    from twinbeam.store.relocations import Relocations

__all__ = ["RawFiles", "raw_detectors", "raw_files"]

_SUFFIX = "_raw_uri"
_LEGACY_SUFFIX = "_files_raw_filepaths"  # of the CHX profile: a list of all files of one trigger
_MOST_FILES = 1_000_000  # the running number has six digits


@dataclass(frozen=True)
class RawFiles:
    """Consecutive raw files of one acquisition.

    Attributes
    ----------
    acquisition
        Folder and file-name template; files with the same one share a clock.
    paths
        The files, in order, where they are now.
    n_bytes
        Their size together: as the detector device saw it, or, when `recorded` is False, what is
        on disk now.
    recorded
        Whether the event tells the size.
    """

    acquisition: str
    paths: tuple[Path, ...]
    n_bytes: int
    recorded: bool = True


def raw_detectors(descriptor: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the detectors whose raw files the events of a stream name."""
    keys = descriptor["data_keys"]
    named = {key.removesuffix(_SUFFIX) for key in keys if key.endswith(_SUFFIX)}
    listed = {key.removesuffix(_LEGACY_SUFFIX) for key in keys if key.endswith(_LEGACY_SUFFIX)}
    return tuple(sorted(named | listed))


def raw_files(
    data: Mapping[str, Any], detector: str, relocations: Relocations | None = None
) -> RawFiles:
    """Raw files that the data of one event name for a detector.

    Parameters
    ----------
    data
        `<detector>_raw_uri` and its companions, or the list `<detector>_files_raw_filepaths` as
        runs of the CHX profile have it: paths or `file:` URIs, as a list, an array or JSON.
    detector
        One of `raw_detectors`.
    relocations
        Where files are that were moved; by default they are where the event says.

    Raises
    ------
    RawDataError
        If the keys are incomplete or do not name local files.
    """
    place: Callable[[Path], Path] = (
        (lambda path: path) if relocations is None else (relocations.resolve)
    )
    if f"{detector}{_SUFFIX}" not in data and f"{detector}{_LEGACY_SUFFIX}" in data:
        return _listed(data[f"{detector}{_LEGACY_SUFFIX}"], detector, place)
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
    return RawFiles(uri + template, tuple(place(folder / name) for name in names), n_bytes)


def _listed(value: Any, detector: str, place: Callable[[Path], Path]) -> RawFiles:
    """Files of one trigger by their full names; their sizes are nowhere but on disk."""
    named = [_local_path(item, detector) for item in _texts(value, detector)]
    if not named:
        return RawFiles(detector, (), 0, recorded=False)
    # `<trigger>_000000.tpx3`: all but the running number, which counts within the trigger
    stem = re.sub(r"\d{6}$", "", named[0].stem)
    paths = tuple(place(path) for path in named)
    n_bytes = sum(path.stat().st_size for path in paths if path.is_file())
    return RawFiles(f"{named[0].parent}/{stem}", paths, n_bytes, recorded=False)


def _texts(value: Any, detector: str) -> list[str]:
    """The items of a list however databroker gives it: list, tuple, numpy array, JSON or bytes."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, str):
        text = value.strip()
        try:
            value = json.loads(text) if text.startswith("[") else [text] if text else []
        except ValueError as error:
            raise RawDataError(
                f"the event does not name its raw files: {error}", where=f"detector {detector}"
            ) from error
    if not isinstance(value, list | tuple) or len(value) > _MOST_FILES:
        raise RawDataError(
            "the event does not list its raw files", where=f"detector {detector}: {value!r:.80}"
        )
    items = [item.decode(errors="replace") if isinstance(item, bytes) else item for item in value]
    if not all(isinstance(item, str) for item in items):
        raise RawDataError(
            "the list of raw files holds something else", where=f"detector {detector}"
        )
    return [item for item in items if item.strip()]


def _local_path(text: str, detector: str) -> Path:
    """A path, or a URI of a local file in any of its spellings."""
    name = text.strip()
    if name.startswith("file:"):
        parts = urlparse(name)
        name = unquote(parts.path) if parts.netloc in ("", "localhost") else ""
    if not name.startswith("/") or "\0" in name:
        raise RawDataError(
            "raw files must be local files with their full path",
            where=f"detector {detector}: {text!r:.80}",
        )
    return Path("/" + name.lstrip("/"))  # the profile writes some slashes twice

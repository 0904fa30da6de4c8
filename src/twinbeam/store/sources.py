"""The raw files of a stored run, wherever the catalogue knows them from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinbeam.errors import RawDataError
from twinbeam.store.raw_keys import raw_detectors, raw_files
from twinbeam.store.registered import registered_files
from twinbeam.store.relocations import Relocations

if TYPE_CHECKING:
    from twinbeam.store.catalog import Catalog

__all__ = ["RawSource", "raw_sources"]

_BLOCK_BYTES = 1 << 22


@dataclass(frozen=True)
class RawSource:
    """One raw file of a run.

    Attributes
    ----------
    path
        Where it is now.
    n_bytes
        Its size as it was registered, or as it is; None when neither is known.
    sha256
        SHA-256 of the content; None when it was not read.
    problem
        Why it could not be read.
    """

    path: Path
    n_bytes: int | None
    sha256: str | None = None
    problem: str | None = None

    def digested(self, on_progress: Callable[[int], object] | None = None) -> RawSource:
        """The same with the SHA-256 of its content, or with what prevents that."""
        sha, size = hashlib.sha256(), 0
        try:
            with self.path.open("rb") as stream:
                while block := stream.read(_BLOCK_BYTES):
                    sha.update(block)
                    size += len(block)
                    if on_progress is not None:
                        on_progress(len(block))
        except OSError as error:
            return replace(self, problem=f"cannot be read: {error.strerror}")
        if self.n_bytes not in (None, size):
            problem = f"has {size:,} bytes, {self.n_bytes:,} when it was registered"
            return replace(self, sha256=sha.hexdigest(), problem=problem)
        return replace(self, n_bytes=size, sha256=sha.hexdigest())

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        about = {"path": str(self.path), "bytes": self.n_bytes, "sha256": self.sha256}
        return about if self.problem is None else {**about, "problem": self.problem}


def raw_sources(catalog: Catalog, run_uid: str) -> tuple[RawSource, ...]:
    """The raw files of a run: those that are registered, else those its events name."""
    registered = registered_files(catalog, run_uid)
    if registered is not None:
        return tuple(
            RawSource(path, mark.n_bytes)
            for path, mark in zip(registered.paths, registered.marks, strict=True)
        )
    if run_uid not in catalog.raw:
        return ()
    relocations = Relocations.of(catalog)
    detectors: dict[str, tuple[str, ...]] = {}
    paths: dict[Path, None] = {}
    for name, doc in catalog.raw[run_uid].documents():
        if name == "descriptor":
            detectors[doc["uid"]] = raw_detectors(doc)
        elif name in ("event", "event_page"):
            for data in _rows(name, doc):
                for detector in detectors.get(doc["descriptor"], ()):
                    try:
                        found = raw_files(data, detector, relocations)
                    except RawDataError:
                        continue
                    paths.update(dict.fromkeys(found.paths))
    return tuple(RawSource(path, None) for path in paths)


def _rows(name: str, doc: Any) -> list[dict[str, Any]]:
    """Data of an event, or of each event in a page."""
    if name == "event":
        return [doc["data"]]
    count = len(doc["seq_num"])
    return [{key: column[n] for key, column in doc["data"].items()} for n in range(count)]

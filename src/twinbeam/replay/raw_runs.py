"""The raw files of a run, as far as they are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinbeam.errors import RawDataError, StorageError, TwinbeamError
from twinbeam.pipeline import Recipe, acquisitions_of, recipe_of_start
from twinbeam.replay.stored import stored_documents
from twinbeam.store import Catalog, RawFiles, Relocations, raw_detectors, raw_files
from twinbeam.store._missing import describe_missing
from twinbeam.tpx3 import check_raw_file

__all__ = ["RawRun", "raw_run_of_documents", "raw_run_of_files", "stored_raw_run"]


@dataclass(frozen=True)
class RawRun:
    """What is to be processed together.

    Attributes
    ----------
    name
        Uid of the run, or any name.
    acquisitions
        Raw files, those of each acquisition by themselves; each has bytes in it.
    recipe
        The recipe the run asks for; None when it says nothing.
    problems
        Files that are missing or not as the run says.
    """

    name: str
    acquisitions: tuple[tuple[Path, ...], ...]
    recipe: Recipe | None = None
    problems: tuple[str, ...] = ()

    @property
    def n_bytes(self) -> int:
        """Size of all files."""
        return sum(path.stat().st_size for files in self.acquisitions for path in files)


def stored_raw_run(source: Any, key: str | int) -> RawRun:
    """The raw files of a stored run, where they are now as far as a catalogue knows.

    Parameters
    ----------
    source, key
        As for `replay`.

    Raises
    ------
    StorageError
        If the run is not found or not whole, or names no raw files that can be read.
    RecipeError
        If the recipe in its start document cannot be used.
    """
    relocations = Relocations.of(source) if isinstance(source, Catalog) else None
    return raw_run_of_documents(stored_documents(source, key)[1], relocations)


def raw_run_of_documents(
    documents: Iterable[tuple[str, Mapping[str, Any]]], relocations: Relocations | None = None
) -> RawRun:
    """The raw files that the documents of a run name, in the order of its events.

    As in the live analysis, files that are named again without a new one among them are the same
    data read again, files that cannot be read are left out, and so are those of a second detector.

    Parameters
    ----------
    relocations
        Where files are that were moved.

    Raises
    ------
    StorageError
        If they name no raw files that can be read.
    RecipeError
        If the recipe in the start document cannot be used.
    """
    start: Mapping[str, Any] = {}
    detectors: dict[str, tuple[str, ...]] = {}
    described = ""
    files = _Files(relocations)
    for name, doc in documents:
        if name == "start":
            start = doc
        elif name == "descriptor":
            found = detectors[str(doc["uid"])] = raw_detectors(doc)
            described = described or next(iter(found), "")
        elif name == "event":
            for detector in detectors.get(str(doc["descriptor"]), ()):
                if detector == described:
                    files.event(doc["data"], detector)
                else:
                    files.problems.append(
                        f"raw files of {detector} are left out: the recipe describes {described}"
                    )
    uid = str(start.get("uid", "?"))
    if not files.acquisitions:
        why = f"no raw file can be read: {files.problems[0]}" if files.problems else ""
        raise StorageError(
            why or "the run names no raw files",
            where=f"run {uid}",
            hint=None if why else "choose a run of collect_pairs",
        )
    return RawRun(
        uid,
        tuple(tuple(paths) for _, paths in files.acquisitions),
        recipe_of_start(start),
        tuple(dict.fromkeys(files.problems)),
    )


def raw_run_of_files(paths: Sequence[str | Path], name: str = "files") -> RawRun:
    """Raw files that are given directly, grouped as `twinbeam.pipeline.process` does.

    Raises
    ------
    RawDataError
        If there is none, or one is missing, unreadable, foreign or given twice, or all are empty.
    """
    if not paths:
        raise RawDataError("no raw files given", hint="name at least one .tpx3 file")
    whole = (tuple(p for p in files if p.stat().st_size) for files in acquisitions_of(paths))
    acquisitions = tuple(files for files in whole if files)
    if not acquisitions:
        raise RawDataError("holds no data (0 bytes)", where=", ".join(str(path) for path in paths))
    return RawRun(name, acquisitions)


class _Files:
    """Gathers the files that events name."""

    def __init__(self, relocations: Relocations | None) -> None:
        self._relocations = relocations
        self.acquisitions: list[tuple[str, list[Path]]] = []
        self.problems: list[str] = []
        self._known: set[Path] = set()
        self._missing: list[Path] = []

    def event(self, data: Mapping[str, Any], detector: str) -> None:
        try:
            files = raw_files(data, detector, self._relocations)
        except RawDataError as error:
            self.problems.append(str(error))
            return
        if files.paths and self._known.issuperset(files.paths):
            return
        self._known.update(files.paths)
        sound = [path for path in files.paths if self._add(files.acquisition, path)]
        self._check_size(files, sound)

    def _add(self, acquisition: str, path: Path) -> bool:
        """Add a file if it is sound; the first one of an acquisition must hold a chunk header."""
        goes_on = bool(self.acquisitions) and self.acquisitions[-1][0] == acquisition
        if not path.exists():
            told = describe_missing(self._missing)
            self._missing.append(path)
            self.problems = [known for known in self.problems if known != told]
            self.problems.append(describe_missing(self._missing))
            return False
        try:
            if not (goes_on and path.is_file()):
                check_raw_file(path)
            if path.stat().st_size:
                if not goes_on:
                    self.acquisitions.append((acquisition, []))
                self.acquisitions[-1][1].append(path)
        except (TwinbeamError, OSError) as error:
            self.problems.append(str(error))
            return False
        return True

    def _check_size(self, files: RawFiles, sound: Sequence[Path]) -> None:
        n_bytes = sum(path.stat().st_size for path in sound)
        if not files.recorded or len(sound) < len(files.paths) or n_bytes == files.n_bytes:
            return
        names = " … ".join(dict.fromkeys(str(p) for p in (files.paths[0], files.paths[-1])))
        self.problems.append(f"{names}: {n_bytes:,} bytes on disk, the run says {files.n_bytes:,}")

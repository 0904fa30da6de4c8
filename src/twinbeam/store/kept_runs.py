"""Runs of which there are JSON lines, and whether the catalogue has all of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twinbeam.errors import StorageError
from twinbeam.store._answers import told_by_tiled
from twinbeam.store._whole import EventCount, is_whole
from twinbeam.store.documents import read_documents

if TYPE_CHECKING:
    from twinbeam.store.catalog import Catalog

__all__ = ["KeptRun", "kept_runs", "run_container"]

_QUIET_S = 60.0  # a run on a server that has written nothing for so long has no writer any more


@dataclass(frozen=True)
class KeptRun:
    """A run in the folder of JSON lines.

    Attributes
    ----------
    path
        Its file.
    run
        Its uid; empty when the file does not begin with a start document.
    container
        Where it is stored, or where it belongs: `raw` or `processed`.
    whole
        Whether the catalogue has all its events, none twice, and its stop document if it has one.
    going_on
        Whether it has no stop document and may still be being written.
    problem
        Why its lines cannot be used.
    """

    path: Path
    run: str
    container: str
    whole: bool
    going_on: bool = False
    problem: str | None = None


def kept_runs(catalog: Catalog) -> Iterator[KeptRun]:
    """All runs in the catalogue's folder of JSON lines, the oldest file first.

    An empty file is passed over: it is left of a run that was refused by a full disk.
    """
    folder = catalog.documents_directory
    files = sorted(folder.glob("*.jsonl"), key=lambda path: (path.stat().st_mtime_ns, path.name))
    for path in files:
        if not path.stat().st_size:
            continue
        try:
            yield _kept(catalog, path)
        except StorageError as error:
            yield KeptRun(path, "", "raw", False, problem=str(error))


def run_container(start: dict[str, object]) -> str:
    """The container a run belongs in: results that are runs name the run they are of."""
    return "processed" if "raw_run" in start else "raw"


def _kept(catalog: Catalog, path: Path) -> KeptRun:
    count = EventCount()
    for name, doc in read_documents(path):
        if count.start is None and name != "start":
            raise StorageError("does not begin with a start document", where=str(path))
        count.add(name, doc)
    if count.start is None:
        raise StorageError("holds no documents", where=str(path))
    run = str(count.start["uid"])
    with told_by_tiled(f"{catalog.where}, run {run}"):
        containers = [name for name in ("raw", "processed") if run in catalog.client[name]]
        container = containers[0] if containers else run_container(count.start)
        whole = bool(containers) and is_whole(catalog.client[container], run, count)
    # the folder's lock says that nobody writes to it but this process
    recent = not catalog.embedded and time.time() - path.stat().st_mtime < _QUIET_S
    return KeptRun(path, run, container, whole, going_on=recent and not count.stopped)

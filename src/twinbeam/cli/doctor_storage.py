"""Checks of what keeps the data: folders, their room and speed, the catalogue or its server."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from twinbeam.cli.doctor_finding import FAULT, OK, WARNING, Finding
from twinbeam.errors import TwinbeamError

__all__ = ["embedded_catalog", "folder", "tiled_server"]

_LEAST_BYTES, _LITTLE_BYTES = 1e9, 20e9
_LEAST_SPEED = 20e6  # bytes a second; 1 Mhit/s is 8 MB/s
_PROBE_BYTES, _STEP_BYTES = 32_000_000, 4_000_000
_PROBE_S = 1.0


def folder(name: str, path: Path) -> Iterator[Finding]:
    """Whether a folder can be written, how much fits, and how fast; what is written is removed."""
    there = _nearest(path)
    label = str(path) if there == path else f"{path} (not made yet)"
    if not there.is_dir():
        yield Finding(name, FAULT, f"{there} is no folder", "name another one")
        return
    if not os.access(there, os.W_OK | os.X_OK):
        yield Finding(name, FAULT, f"{label}: you may not write there", f"ls -ld {there}")
        return
    free = shutil.disk_usage(there).free
    try:
        speed = _write_speed(there)
    except OSError as error:
        yield Finding(name, FAULT, f"{label}: {error.strerror}", "free space, or name another one")
        return
    text = f"{label}: {1e-9 * free:,.0f} GB free, writes {1e-6 * speed:,.0f} MB/s"
    if free < _LEAST_BYTES:
        yield Finding(name, FAULT, text, "free space: a run ends when the disk is full")
    elif free < _LITTLE_BYTES:
        hours = free / 8e6 / 3600
        yield Finding(name, WARNING, text, f"room for {hours:.1f} h at 1 Mhit/s; free some")
    elif speed < _LEAST_SPEED:
        yield Finding(name, WARNING, text, "slow: 1 Mhit/s needs 8 MB/s, and others write, too")
    else:
        yield Finding(name, OK, text)


def _nearest(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _write_speed(place: Path) -> float:
    """Bytes a second that reach the disk, of a file that is gone afterwards."""
    step = os.urandom(_STEP_BYTES)
    written, began = 0, time.perf_counter()
    with tempfile.NamedTemporaryFile(prefix=".twinbeam-doctor-", dir=place) as file:
        while written < _PROBE_BYTES and time.perf_counter() - began < _PROBE_S:
            file.write(step)
            file.flush()
            os.fsync(file.fileno())
            written += _STEP_BYTES
    return written / (time.perf_counter() - began)


def embedded_catalog(path: Path) -> Iterator[Finding]:
    """Whether the catalogue in a folder is there, whole, and free to be opened."""
    from twinbeam.store._lock import lock_folder

    name = "catalogue"
    if not (path / "catalog.db").exists():
        yield Finding(
            name,
            WARNING,
            f"none in {path} yet",
            "the profile and 'twinbeam demo' make one; 'twinbeam settings set catalog FOLDER'"
            " names another",
        )
        return
    runs = len(list((path / "documents").glob("*.jsonl")))
    try:
        lock_folder(path).close()
    except TwinbeamError as error:
        yield Finding(name, OK, f"{path}, {runs} run(s); {error.what}")
        return
    except OSError as error:
        yield Finding(name, FAULT, f"{path}: {error.strerror}", f"ls -ld {path}")
        return
    wrong = _damage(path / "catalog.db")
    before = "" if wrong else _made_at(path / "catalog.db")
    if before and Path(before).resolve() != path.resolve():
        yield Finding(
            name,
            FAULT,
            f"{path}: was made in {before}, and finds its tables only there",
            "move it back there",
        )
    elif wrong:
        advice = "keep the folder as it is, and read how to recover after a crash"
        yield Finding(name, FAULT, f"{path}: {wrong}", advice)
    else:
        yield Finding(name, OK, f"{path}, {runs} run(s), free to be opened")


def _damage(database: Path) -> str:
    import sqlite3
    from contextlib import closing

    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1.0)) as open_:
            (said,) = open_.execute("pragma quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return "" if said == "ok" else str(said)


def _made_at(database: Path) -> str:
    """The folder in which the catalogue was when it got its first table; empty if unknown."""
    import sqlite3
    from contextlib import closing
    from urllib.parse import unquote, urlsplit

    ask = "select data_uri from assets where data_uri like 'duckdb:%/tables.duckdb' limit 1"
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1.0)) as open_:
            row = open_.execute(ask).fetchone()
    except sqlite3.Error:
        return ""
    return "" if row is None else "/" + unquote(urlsplit(row[0]).path.strip("/")).rpartition("/")[0]


def tiled_server(where: str, api_key: str | None) -> Iterator[Finding]:
    """Whether a tiled server answers, lets this key in, and lets it write."""
    from contextlib import ExitStack

    from twinbeam.store import open_catalog

    name = "tiled"
    with ExitStack() as closing:
        try:
            catalog = closing.enter_context(open_catalog(where, api_key=api_key))
        except TwinbeamError as error:
            yield Finding(name, FAULT, f"{error.where}: {error.what}", error.hint or "")
            return
        try:
            catalog.require_writable()
        except TwinbeamError as error:
            advice = error.hint or "use a key that may write"
            yield Finding(name, FAULT, f"{where}: answers, but {error.what}", advice)
            return
        yield Finding(name, OK, f"{catalog.where}: answers, and may be written")

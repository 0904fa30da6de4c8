"""An initialised, empty catalogue database, built once per tiled version and copied afterwards.

Tiled creates its tables in a Python process of their own, which takes about four seconds. The
result is the same every time, so it is kept in the user's cache folder.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from twinbeam.errors import StorageError

__all__ = ["put_catalog_database"]


def put_catalog_database(path: Path) -> None:
    """Put an initialised, empty catalogue database at `path`, which must not exist.

    Raises
    ------
    StorageError
        If tiled cannot build the database or the folder cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as scratch:
            fresh = Path(scratch) / "catalog.db"
            template = _cached_template()
            if template is None:
                _build(fresh)
            else:
                shutil.copyfile(template, fresh)
            os.replace(fresh, path)
    except OSError as error:
        raise StorageError(
            f"the catalogue database cannot be written: {error.strerror}", where=str(path)
        ) from error


def _cached_template() -> Path | None:
    """The cached database, built now if there is none; None where no cache can be written."""
    for folder in _cache_folders():
        template = folder / f"tiled-{version('tiled')}-catalog.db"
        if _is_initialised(template):
            return template
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if folder.stat().st_uid != os.getuid():  # a stranger's folder in the shared /tmp
                continue
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                fresh = Path(scratch) / "catalog.db"
                _build(fresh)
                os.replace(fresh, template)  # atomic: parallel builders overwrite like with like
        except OSError:
            continue
        return template
    return None


def _cache_folders() -> Iterator[Path]:
    home = os.environ.get("XDG_CACHE_HOME")
    if home:
        yield Path(home) / "twinbeam"
    elif os.path.expanduser("~") != "~":
        yield Path.home() / ".cache" / "twinbeam"
    yield Path(tempfile.gettempdir()) / f"twinbeam-{os.getuid()}"


def _build(path: Path) -> None:
    command = [sys.executable, "-m", "tiled", "catalog", "init", f"sqlite:///{path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StorageError(
            f"tiled could not create a catalogue database: {done.stderr.strip()[-400:]}",
            where=str(path),
            hint="check the installation with 'python -m tiled --help'",
        )
    with closing(sqlite3.connect(path)) as database:  # fold a write-ahead log into the one file
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _is_initialised(path: Path) -> bool:
    """Whether a file is a sound database on which tiled has run its migrations."""
    if not path.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
            sound = database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
            stamped = database.execute("SELECT version_num FROM alembic_version").fetchone()
            return sound and stamped is not None
    except sqlite3.Error:
        return False

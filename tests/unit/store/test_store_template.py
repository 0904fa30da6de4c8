from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest

from twinbeam.store import _template
from twinbeam.store._template import put_catalog_database

NAME = f"tiled-{version('tiled')}-catalog.db"


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Building the database anew fails the test."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started though there is a template")

    monkeypatch.setattr(subprocess, "run", refuse)


def stamp(path: Path) -> None:
    """The least that counts as an initialised database."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('x')")
        database.commit()


def test_parallel_openers_replace_a_damaged_template_and_all_succeed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    template = tmp_path / "cache" / "twinbeam" / NAME
    template.parent.mkdir(parents=True)
    template.write_bytes(b"SQLite format 3\0" + b"\x55" * 5000)
    together = threading.Barrier(2, timeout=60)

    def build(path: Path) -> None:
        together.wait()  # neither finds the other's template
        stamp(path)
        together.wait()

    monkeypatch.setattr(_template, "_build", build)
    targets = [tmp_path / "one" / "catalog.db", tmp_path / "two" / "catalog.db"]
    for target in targets:
        target.parent.mkdir()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(put_catalog_database, targets))
    for path in (*targets, template):
        assert _template._is_initialised(path)
        assert {p.name for p in path.parent.iterdir()} == {path.name}


@pytest.mark.usefixtures("no_process")
def test_a_sound_template_is_copied_without_starting_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    stamp(tmp_path / "twinbeam" / NAME)
    put_catalog_database(tmp_path / "catalog.db")
    assert (tmp_path / "catalog.db").read_bytes() == (tmp_path / "twinbeam" / NAME).read_bytes()


@pytest.mark.usefixtures("no_process")
def test_without_a_home_for_caches_the_temporary_folder_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/nowhere")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folders = list(_template._cache_folders())
    assert folders[1].parent == tmp_path
    stamp(folders[1] / NAME)
    put_catalog_database(tmp_path / "catalog.db")
    assert (tmp_path / "catalog.db").exists()


def test_without_any_cache_the_database_is_built_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_template, "_cache_folders", lambda: [Path("/dev/null/nowhere")])
    monkeypatch.setattr(_template, "_build", stamp)
    put_catalog_database(tmp_path / "catalog.db")
    assert [p.name for p in tmp_path.iterdir()] == ["catalog.db"]


@pytest.mark.parametrize("content", [b"", b"not a database" * 100])
def test_what_is_no_initialised_database_is_not_taken_for_a_template(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "x.db"
    assert not _template._is_initialised(path)
    path.write_bytes(content)
    assert not _template._is_initialised(path)
    path.unlink()
    stamp(path)
    assert _template._is_initialised(path)


def test_a_truncated_database_is_not_taken_for_a_template(tmp_path: Path) -> None:
    whole = tmp_path / "whole.db"
    stamp(whole)
    cut = tmp_path / "cut.db"
    shutil.copyfile(whole, cut)
    with cut.open("r+b") as file:
        file.truncate(whole.stat().st_size - 4096)
    assert not _template._is_initialised(cut)

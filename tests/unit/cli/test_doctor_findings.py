"""Checks of the doctor that need no beamline, and how they are run."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinbeam.cli import doctor_storage
from twinbeam.cli.doctor_finding import FAULT, OK, WARNING, Check, Finding, run_checks
from twinbeam.cli.doctor_machine import clock, kernels, packages, processors

_Usage = namedtuple("_Usage", "total used free")


def test_a_check_that_hangs_or_fails_holds_no_other_up() -> None:
    ended = threading.Event()

    def hang() -> Iterator[Finding]:
        ended.wait(30.0)
        yield Finding("hung", OK, "late")

    def fail() -> Iterator[Finding]:
        raise ValueError("no such thing")

    began = time.monotonic()
    checks = [
        Check("hung", hang),
        Check("failed", fail),
        Check("good", lambda: [Finding("good", OK, "here")]),
    ]
    hung, failed, good = run_checks(checks, timeout_s=4.0)
    assert time.monotonic() - began < 15.0
    ended.set()
    assert (hung[0].state, failed[0].state, good[0].state) == (FAULT, FAULT, OK)
    assert "no such thing" in failed[0].value


def test_a_folder_is_measured_and_left_as_it_was(tmp_path: Path) -> None:
    (found,) = doctor_storage.folder("raw files", tmp_path / "not" / "yet")
    assert "MB/s" in found.value
    assert "not made yet" in found.value
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("free", "state"), [(0.5e9, FAULT), (5e9, WARNING), (1e12, OK)])
def test_room_on_the_disk(
    free: float, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(2e12, 0, free))
    monkeypatch.setattr(doctor_storage, "_write_speed", lambda _: 1e9)
    (found,) = doctor_storage.folder("raw files", tmp_path)
    assert found.state == state
    assert bool(found.advice) == (state != OK)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("")
    (found,) = doctor_storage.folder("raw files", tmp_path / "raw")
    assert found.state == FAULT


def test_a_catalogue_that_is_none_or_damaged_or_was_moved(tmp_path: Path) -> None:
    (found,) = doctor_storage.embedded_catalog(tmp_path)
    assert found.state == WARNING
    database = tmp_path / "catalog.db"
    with sqlite3.connect(database) as opened:
        opened.execute("create table assets (data_uri text)")
        opened.execute("insert into assets values ('duckdb://localhost//else/where/tables.duckdb')")
    opened.close()
    (found,) = doctor_storage.embedded_catalog(tmp_path)
    assert (found.state, "/else/where" in found.value) == (FAULT, True)
    database.write_bytes(b"no database at all" * 100)
    (found,) = doctor_storage.embedded_catalog(tmp_path)
    assert found.state == FAULT


def test_this_machine_can_run_it() -> None:
    assert {found.check for found in packages()} == {"python", "packages"}
    assert all(found.state == OK for found in packages())
    assert {found.check for found in processors()} >= {"processors"}
    assert [found.check for found in clock()] == ["clock"]


def test_kernels_that_cannot_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels"))
    assert next(iter(kernels())).state == OK
    monkeypatch.setattr("os.access", lambda *_: False)
    found = next(iter(kernels()))
    assert (found.state, "NUMBA_CACHE_DIR" in found.advice) == (WARNING, True)

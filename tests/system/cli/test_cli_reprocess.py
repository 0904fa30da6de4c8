"""`twinbeam reprocess`: stored runs and raw files, and Ctrl-C while it works."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from in_process import said
from made_runs import SMALL, SMALL_IMAGES, MadeRun, make_run

from twinbeam.cli.app import run
from twinbeam.pipeline import Recipe, process
from twinbeam.simulate import PRESETS, simulate
from twinbeam.store import RunWriter, open_catalog, store_result, stored_digest


@dataclass(frozen=True)
class Stored:
    """A catalogue of three runs, one of them analysed, and a recipe of its own."""

    catalog: Path
    runs: list[MadeRun]
    recipe: Path


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    folder = tmp_path_factory.mktemp("reprocessed")
    with open_catalog(folder / "catalog") as catalog, RunWriter(catalog) as writer:
        runs = [
            make_run(writer, folder, {"scan_id": n, "sample": sample}, seed=n)
            for n, sample in enumerate(["leaf", "glass", "leaf"], 1)
        ]
        store_result(catalog, runs[0].uid, process(runs[0].paths, SMALL))
    recipe = folder / "wide.yaml"
    recipe.write_text(yaml.safe_dump({"pairing": {"window_ns": 200.0}, "images": SMALL_IMAGES}))
    return Stored(folder / "catalog", runs, recipe)


def test_runs_are_compared_or_stored(
    stored: Stored, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    one, two, three = stored.runs
    options = ("--catalog", stored.catalog, "--workers", 2, "--cache", tmp_path / "parts")
    status, values, err = said(capsys, "reprocess", "1", two.uid, *options)
    assert (status, err) == (0, "")
    first, second = values["runs"]
    assert (first["run"], first["same_as_stored"], first["stored_at"]) == (one.uid, True, None)
    assert (second["run"], second["same_as_stored"]) == (two.uid, None)
    assert second["stored_at"] == f"derived/{two.uid}/{SMALL.hash}"
    assert second["digest"] == process(two.paths, SMALL).digest()
    assert values["hits"] == first["hits"] + second["hits"]

    recipe = Recipe.load(stored.recipe)
    search = ("--where", "sample=leaf", "--recipe", stored.recipe)
    status, values, _ = said(capsys, "reprocess", *search, *options)
    assert status == 0
    assert [v["run"] for v in values["runs"]] == [one.uid, three.uid]
    assert {v["recipe_hash"] for v in values["runs"]} == {recipe.hash}
    with open_catalog(stored.catalog) as catalog:
        assert stored_digest(catalog, two.uid, SMALL.hash) == process(two.paths, SMALL).digest()
        for made in (one, three):
            expected = process(made.paths, recipe).digest()
            assert stored_digest(catalog, made.uid, recipe.hash) == expected


def test_a_missing_file_and_a_difference_are_problems(
    stored: Stored, capsys: pytest.CaptureFixture[str]
) -> None:
    made = stored.runs[0]
    path, content = made.paths[-1], made.paths[-1].read_bytes()
    path.unlink()
    try:
        options = ("--catalog", stored.catalog, "--workers", 1)
        status, values, err = said(capsys, "reprocess", made.uid, *options)
    finally:
        path.write_bytes(content)
    assert status == 1
    (one,) = values["runs"]
    assert one["same_as_stored"] is False
    assert f"{path}: no such file" in err
    assert "differs from the one stored" in err
    with open_catalog(stored.catalog) as catalog:
        assert stored_digest(catalog, made.uid, SMALL.hash) == process(made.paths, SMALL).digest()


def test_files_into_a_file(
    stored: Stored, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    paths = (*stored.runs[0].paths, *stored.runs[1].paths)
    out = tmp_path / "r.h5"
    status, values, _ = said(capsys, "reprocess", "--files", *paths, "--workers", 2, "--out", out)
    assert status == 0
    assert values["runs"][0]["acquisitions"] == 2
    whole = tmp_path / "whole.h5"
    assert run(["process", *map(str, paths), "--out", str(whole)]) == 0
    assert run(["compare", str(out), str(whole)]) == 0
    capsys.readouterr()
    status, _, err = said(capsys, "reprocess", "--files", *paths, "--out", paths[0])
    assert status == 1
    assert "would replace a raw file" in err


@pytest.mark.parametrize(
    "arguments",
    [[], ["--files"], ["1", "--out", "r.h5"], ["--files", "x", "--where", "a=1"], ["--workers=0"]],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run(["reprocess", *arguments]) == 2
    assert capsys.readouterr().out == ""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """3 GB that take the room of 30 MB: files of many acquisitions that are one file."""
    folder = tmp_path_factory.mktemp("large")
    simulate(folder / "a.tpx3", seconds=1.0, parameters=PRESETS["benchmark"])
    for n in range(100):
        os.link(folder / "a.tpx3", folder / f"{n}.tpx3")
    return [folder / f"{n}.tpx3" for n in range(100)]


def started(paths: list[Path], *options: str, **given: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable, "-c", "import sys; from twinbeam.cli import main; main(sys.argv[1:])",
            "reprocess", "--files", *map(str, paths), "--workers", "2", *options,
        ],
        stdout=subprocess.PIPE,
        **given,
    )  # fmt: skip


def test_an_interrupt_ends_it_and_its_workers(
    large: list[Path], tmp_path: Path, process_exists: Callable[[int], bool]
) -> None:
    running = started(large, "--out", str(tmp_path / "r.h5"), stderr=subprocess.PIPE)
    deadline = time.monotonic() + 200
    some_s = None
    while (read := sum(map(_bytes_read, _children(running.pid)))) < 200_000_000:
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        if some_s is None and read > 50_000_000:
            some_s = time.monotonic()
        time.sleep(0.02)
    # the 2.8 GB that are left would take so long; a busy machine takes longer for everything
    rest_s = 2.8 / 0.15 * (time.monotonic() - (some_s or time.monotonic()))
    children = _children(running.pid)
    assert len(children) >= 2
    running.send_signal(signal.SIGINT)
    begun = time.monotonic()
    stdout, stderr = running.communicate(timeout=200)
    assert running.returncode == 130, stderr
    assert time.monotonic() - begun < 8 + rest_s / 2
    assert stdout == b""
    assert b"Traceback" not in stderr
    while left := [pid for pid in children if process_exists(pid)]:
        assert time.monotonic() - begun < 60 + rest_s, left
        time.sleep(0.02)
    assert list(tmp_path.iterdir()) == []


def _children(pid: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _bytes_read(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("rchar")), 0)


def test_a_terminal_sees_a_bar_with_the_time_that_is_left(large: list[Path]) -> None:
    leader, follower = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    running = started(large[:8], stderr=follower, env=env)
    os.close(follower)
    seen = b""
    while True:
        try:
            seen += os.read(leader, 4096) or b""
        except OSError:  # the other end is closed
            break
    os.close(leader)
    stdout, _ = running.communicate(timeout=200)
    assert running.returncode == 0
    assert "8 raw file(s)" in str(stdout)
    assert b"reprocessing" in seen
    assert b"0:00:0" in seen
    assert b"left" in seen

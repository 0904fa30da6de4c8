"""`twinbeam replay`: which run, what of its result."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from in_process import said
from made_runs import SMALL, SMALL_IMAGES, MadeRun, make_run

from twinbeam.cli.app import run
from twinbeam.pipeline import Recipe, process
from twinbeam.store import RunWriter, open_catalog, store_result, stored_digest


@dataclass(frozen=True)
class Stored:
    """A catalogue of three runs, and a recipe of its own."""

    catalog: Path
    runs: list[MadeRun]
    recipe: Path


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    folder = tmp_path_factory.mktemp("replayed")
    with open_catalog(folder / "catalog") as catalog, RunWriter(catalog) as writer:
        runs = [
            make_run(writer, folder, {"sample": sample, "scan_id": n, "g": {"n": n}}, seed=n)
            for n, sample in enumerate(["leaf", "7", "leaf"], 1)
        ]
        # as an older run that was never analysed, and two that were
        for made in runs[1:]:
            store_result(catalog, made.uid, process(made.paths, SMALL))
    recipe = folder / "wide.yaml"
    recipe.write_text(yaml.safe_dump({"pairing": {"window_ns": 200.0}, "images": SMALL_IMAGES}))
    return Stored(folder / "catalog", runs, recipe)


def test_the_newest_is_compared_with_its_stored_result(
    stored: Stored, capsys: pytest.CaptureFixture[str]
) -> None:
    status, values, err = said(capsys, "replay", "--catalog", stored.catalog)
    assert (status, err) == (0, "")
    assert values["run"] == stored.runs[2].uid
    assert values["same_as_stored"] is True
    assert values["stored_at"] is None
    assert values["digest"] == process(stored.runs[2].paths, SMALL).digest()
    assert values["pairs"]["net"] > 50


def test_another_recipe_is_a_result_beside_it_once(
    stored: Stored, capsys: pytest.CaptureFixture[str]
) -> None:
    uid, recipe = stored.runs[1].uid, Recipe.load(stored.recipe)
    arguments = ("replay", uid[:8], "--catalog", stored.catalog, "--recipe", stored.recipe)
    status, values, _ = said(capsys, *arguments, "--no-store")
    assert (status, values["stored_at"], values["same_as_stored"]) == (0, None, None)
    status, values, _ = said(capsys, *arguments)
    assert status == 0
    assert values["stored_at"] == f"derived/{uid}/{recipe.hash}"
    assert values["recipe_hash"] == recipe.hash
    with open_catalog(stored.catalog) as catalog:
        assert set(catalog.client["derived", uid]) == {recipe.hash, SMALL.hash}
        assert stored_digest(catalog, uid, recipe.hash) == values["digest"]
        assert (
            stored_digest(catalog, uid, SMALL.hash) == process(stored.runs[1].paths, SMALL).digest()
        )
    status, values, _ = said(capsys, *arguments)
    assert (status, values["stored_at"], values["same_as_stored"]) == (0, None, True)


def test_a_result_that_differs_is_said_and_not_replaced(
    stored: Stored, capsys: pytest.CaptureFixture[str]
) -> None:
    made = stored.runs[2]
    path, content = made.paths[-1], made.paths[-1].read_bytes()
    before = process(made.paths, SMALL).digest()
    # the same chunks once more: the same bytes per file for the run, other data
    path.write_bytes(content[: len(content) // 16 * 8] * 2)
    try:
        status, values, err = said(capsys, "replay", made.uid, "--catalog", stored.catalog)
    finally:
        path.write_bytes(content)
    assert status == 1
    assert values["same_as_stored"] is False
    assert "differs from the one stored" in err
    with open_catalog(stored.catalog) as catalog:
        assert stored_digest(catalog, made.uid, SMALL.hash) == before


def test_a_search_takes_the_newest_and_names_the_others(
    stored: Stored, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = ("--catalog", stored.catalog, "--no-store")
    status, values, err = said(capsys, "replay", "--where", "sample=leaf", *catalog)
    assert (status, values["run"]) == (0, stored.runs[2].uid)
    assert "2 runs fit, the newest is replayed" in err
    assert f"1 = {stored.runs[0].uid[:8]} made" in err
    # text that looks like a number, and a number; nested
    two = ("--where", "sample=7", "--where", "g.n=2")
    status, values, err = said(capsys, "replay", *two, *catalog)
    assert (status, values["run"], err) == (0, stored.runs[1].uid, "")
    status, values, _ = said(capsys, "replay", "--where", "sample=leaf", "--all", *catalog)
    assert status == 0
    assert [one["run"] for one in values] == [stored.runs[0].uid, stored.runs[2].uid]
    status, _, err = said(capsys, "replay", "--where", "sample=glass", *catalog)
    assert status == 1
    assert "no run with sample=glass" in err


def test_documents_from_a_file(
    stored: Stored, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made = stored.runs[1]
    nowhere = ("--catalog", tmp_path / "none")
    status, values, err = said(capsys, "replay", "--lines", made.lines, *nowhere)
    assert (status, err) == (0, "")
    assert values["same_as_stored"] is None
    assert values["digest"] == process(made.paths, SMALL).digest()
    status, values, _ = said(capsys, "replay", "--lines", made.lines, "--catalog", stored.catalog)
    assert (status, values["same_as_stored"]) == (0, True)
    assert not (tmp_path / "none").exists()


def test_raw_files_that_no_event_names_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after an IOC that died in its acquisition."""
    with open_catalog(tmp_path / "catalog") as catalog, RunWriter(catalog) as writer:
        made = make_run(writer, tmp_path, n_files=2)
    left = [made.paths[0].with_name(f"run_{number:06d}.tpx3") for number in (2, 3)]
    for path in left:
        path.write_bytes(made.paths[1].read_bytes())
    status, values, err = said(capsys, "replay", "--catalog", tmp_path / "catalog")
    assert status == 0
    assert values["left_over"] == [str(path) for path in left]
    assert values["digest"] == process(made.paths, SMALL).digest()
    assert "2 raw file(s)" in err
    assert str(left[0]) in err.replace("\n", "")
    assert "twinbeam process" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--speed", "0"],
        ["--speed", "nan"],
        ["--where", "sample"],
        ["--where", "a=1", "--where", "a=2"],
        ["--all"],
        ["1", "--where", "a=1"],
        ["1", "--lines", "x.jsonl"],
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run(["replay", *arguments]) == 2
    assert capsys.readouterr().out == ""


def test_a_table_says_where_the_result_went(
    stored: Stored, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", stored.runs[0].uid, "--catalog", str(stored.catalog)]) == 0
    cells = [line.split("│")[1:3] for line in capsys.readouterr().out.splitlines() if "│" in line]
    rows = {name.strip(): "" for name, _ in cells if name.strip()}
    name = ""
    for first, second in cells:
        name = first.strip() or name
        rows[name] += second.strip()
    assert rows["against the stored result"] == "there was none of this recipe"
    assert rows["stored at"] == f"derived/{stored.runs[0].uid}/{SMALL.hash}"


@pytest.mark.parametrize("speed", ["0.001", None])
def test_an_interrupt_ends_it_at_once(stored: Stored, tmp_path: Path, speed: str | None) -> None:
    """While it waits for the time of the next document, and while there is much to analyse."""
    with open_catalog(tmp_path / "catalog") as catalog, RunWriter(catalog) as writer:
        made = make_run(writer, tmp_path, seconds=0.2, n_files=2, times=[0.0, 60.0])
    if speed is None:
        big = made.paths[0].read_bytes() * 3000
        made.paths[0].write_bytes(big)
    running = subprocess.Popen(
        [
            sys.executable, "-m", "twinbeam", "replay", "--catalog", str(tmp_path / "catalog"),
            *(["--speed", speed] if speed else []),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )  # fmt: skip
    deadline = time.monotonic() + 200
    while not (_is_waiting(running.pid) if speed else _reads_raw(running.pid)):
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate(timeout=60)  # what is left would take much longer
    assert running.returncode == 130, stderr
    assert stdout == ""
    assert "Traceback" not in stderr


def _open_files(pid: int) -> str:
    """Names of the files a process has open."""
    names = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            names.append(os.readlink(link))
    return " ".join(names)


def _reads_raw(pid: int) -> bool:
    return ".tpx3" in _open_files(pid)


def _is_waiting(pid: int) -> bool:
    """Whether it has the catalogue open and does nothing for a while."""

    def worked() -> list[str]:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]

    before = worked()
    time.sleep(0.5)
    return "tables.duckdb" in _open_files(pid) and worked() == before

"""The demo itself, shortened: the whole experiment in a process of its own."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twinbeam.store import open_catalog

# the first test makes the demo, the others may wait for it
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def demo(
    twinbeam: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, dict[str, Any], str]]:
    """A demo of eight seconds, as its JSON and what it said meanwhile.

    Made once for all workers; its catalogue belongs to one test at a time.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo"
    folder.mkdir(exist_ok=True)
    out, report, said = folder / "out", folder / "report.json", folder / "said.txt"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not report.exists():
            done = twinbeam("demo", "--seconds", "8", "--out", out, "--json", timeout_s=380.0)
            assert done.returncode == 0, done.stderr + done.stdout
            said.write_text(done.stderr)
            report.write_text(done.stdout)
        yield out, json.loads(report.read_text()), said.read_text()


def test_every_check_held(demo: tuple[Path, dict[str, Any], str]) -> None:
    _, report, _ = demo
    assert len(report["checks"]) >= 8
    assert all(report["checks"].values()), report["checks"]
    assert report["problems"] == []


def test_alignment_found_the_truth(demo: tuple[Path, dict[str, Any], str]) -> None:
    _, report, _ = demo
    assert abs(report["theta_start_deg"] - 11.576) > 0.045
    assert report["rocking"]["centre_deg"] == pytest.approx(11.576, abs=3e-4)
    assert report["rocking"]["fwhm_mdeg"] == pytest.approx(3.04, abs=0.25)
    assert report["live"]["estimates"]["detuning_deg"] == pytest.approx(0.040, abs=4e-4)


def test_pairs_agree_with_the_truth_file(demo: tuple[Path, dict[str, Any], str]) -> None:
    _, report, _ = demo
    truth = report["truth"]
    assert truth["detected"] <= truth["on_sensor"]
    assert truth["matched"] <= truth["found"] == report["live"]["pairs"]["prompt"]
    assert truth["on_sensor"] == pytest.approx(200 * 8, rel=0.12)
    assert truth["efficiency"] > 0.85


def test_terminal_was_kept_informed(demo: tuple[Path, dict[str, Any], str]) -> None:
    _, _, said = demo
    lines = [line for line in said.splitlines() if "net pairs" in line]
    told_s = [float(line.split()[0]) for line in lines]
    assert told_s == sorted(told_s)
    assert len(set(told_s)) >= 3  # a busy machine tells several frames at once
    assert "Traceback" not in said
    assert "Warning" not in said


def test_files_are_there(demo: tuple[Path, dict[str, Any], str]) -> None:
    _, report, _ = demo
    assert len(report["figures"]) == 4
    for path in (*report["figures"], report["result_file"]):
        assert Path(path).stat().st_size > 5000


def test_replay_command_gives_the_same_digest(
    twinbeam: Any, demo: tuple[Path, dict[str, Any], str]
) -> None:
    out, report, _ = demo
    done = twinbeam("replay", report["run"][:8], "--catalog", out / "catalog", "--json")
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    assert again["run"] == report["run"]
    assert again["digest"] == report["digest"]
    assert again["same_as_stored"] is True
    assert again["state"] == "complete"


def test_replay_tells_changed_raw_data(
    twinbeam: Any, demo: tuple[Path, dict[str, Any], str], tmp_path: Path
) -> None:
    """A byte changed on disk, same size; put back afterwards, since other tests read the file."""
    out, report, _ = demo
    raw = sorted((out / "raw").rglob("*.tpx3"))[3]
    whole = raw.read_bytes()
    try:
        raw.write_bytes(whole[:40_000] + bytes(8_000) + whole[48_000:])
        done = twinbeam("replay", report["run"], "--catalog", out / "catalog", "--json")
        assert done.returncode == 1
        assert json.loads(done.stdout)["same_as_stored"] is False
        assert "differs from the one stored" in done.stderr
        raw.unlink()
        done = twinbeam("replay", report["run"], "--catalog", out / "catalog")
        assert done.returncode == 1
        assert str(raw) in done.stderr.replace("\n", "")
    finally:
        raw.write_bytes(whole)


def test_nothing_to_play_is_said_before_anything_starts(twinbeam: Any, tmp_path: Path) -> None:
    empty, foreign = tmp_path / "empty.tpx3", tmp_path / "foreign.tpx3"
    empty.touch()
    foreign.write_text("this is not TPX3 data " * 100)
    for path in (empty, foreign):
        done = twinbeam("demo", "--seconds", "4", "--playback", path, "--out", tmp_path / "out")
        assert done.returncode == 1
        assert str(path) in done.stderr
        assert "starting" not in done.stderr


def test_a_folder_in_use_is_said_before_anything_starts(twinbeam: Any, tmp_path: Path) -> None:
    with open_catalog(tmp_path / "catalog"):
        done = twinbeam("demo", "--seconds", "4", "--out", tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "aligning" not in done.stderr


def test_offline_processing_gives_the_same_numbers(
    twinbeam: Any, demo: tuple[Path, dict[str, Any], str]
) -> None:
    out, report, _ = demo
    raw = sorted((out / "raw").rglob("*.tpx3"))
    assert len(raw) == 8
    said = json.loads(twinbeam("process", *raw, "--json").stdout)
    for key in ("bytes", "hits", "photons", "pairs", "ledger", "estimates"):
        assert said[key] == report["live"][key], key


def test_catalogue_holds_run_hits_and_results(demo: tuple[Path, dict[str, Any], str]) -> None:
    out, report, _ = demo
    with open_catalog(out / "catalog", readable=[out / "raw"]) as catalog:
        uid = report["run"]
        hits = catalog.client["hits"][uid].read(["t", "x"])
        assert len(hits) == report["live"]["hits"]
        (recipe,) = catalog.client["derived"][uid]
        node = catalog.client["derived"][uid][recipe]
        assert int(node["coincidence"].read().sum()) == 2 * report["live"]["pairs"]["prompt"]
        start = catalog.broker()[uid].start
        assert start["plan_name"] == "collect_pairs"
        assert start["dd"] == pytest.approx(49.4)
        assert start["recipe"]["geometry"]["distance_m"] == 0.494


def _processes_with(text: str) -> list[int]:
    """Processes that name a text in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if text.encode() in command and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found


@pytest.mark.timeout(300)
def test_interrupt_closes_the_run_and_leaves_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "twinbeam", "demo", "--seconds", "600", "--out", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if "net pairs" in line:
            break
    else:
        pytest.fail(f"the demo ended before it collected: {said}")
    process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    _, rest = process.communicate(timeout=200)
    assert process.returncode == 130, said + rest
    assert time.monotonic() - sent < 120  # a demo of ten minutes is not waited for
    assert "Traceback" not in rest, rest
    assert _processes_with(str(tmp_path)) == []
    with open_catalog(tmp_path / "catalog") as catalog:
        header = catalog.broker()[-1]
        assert header.start["plan_name"] == "collect_pairs"
        assert header.stop["exit_status"] == "abort"


@pytest.mark.timeout(300)
def test_playback_of_a_recorded_file(twinbeam: Any, shared_data: Path, tmp_path: Path) -> None:
    recorded = shared_data / "chx/chx_serval_4_3.tpx3"
    done = twinbeam(
        "demo", "--seconds", "4", "--playback", recorded, "--out", tmp_path, "--json",
        timeout_s=280.0,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["live"]["hits"] == report["recorded_hits"] == 2956
    assert report["replay"]["identical"]

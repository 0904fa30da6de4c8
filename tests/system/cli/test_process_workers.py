"""`twinbeam process --workers`, and Ctrl-C while it works."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from twinbeam.pipeline import process
from twinbeam.simulate import PRESETS, simulate


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 MB: three slabs of work, above the size from which a bar is shown."""
    path = tmp_path_factory.mktemp("large") / "large.tpx3"
    simulate(path, seconds=0.8, parameters=PRESETS["benchmark"])
    assert path.stat().st_size > 22_000_000
    return path


def without_time(printed: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(printed)
    del values["seconds"]
    return values


def test_the_result_does_not_depend_on_them(twinbeam: Any, large: Path, tmp_path: Path) -> None:
    said, tables = {}, {}
    for workers in ("1", "3"):
        out = tmp_path / f"{workers}.h5"
        done = twinbeam("process", large, "--workers", workers, "--photons", "--out", out, "--json")
        assert done.returncode == 0, done.stderr
        said[workers] = without_time(done.stdout)
        with h5py.File(out) as file:
            tables[workers] = {
                name: file["entry"][name][:]
                for name in ("photons/t", "photons/energy_kev", "pairs/t", "images/singles")
            }
    plain = twinbeam("process", large, "--json")
    assert said["1"] == said["3"] == without_time(plain.stdout)
    assert said["1"]["pairs"]["net"] > 1000
    assert len(tables["1"]["photons/t"]) == said["1"]["photons"]
    for name, values in tables["1"].items():
        assert np.array_equal(values, tables["3"][name]), name


@pytest.mark.parametrize("workers", ["0", "-2", "two", "65"])
def test_a_wrong_number_is_wrong_usage(twinbeam: Any, large: Path, workers: str) -> None:
    done = twinbeam("process", large, f"--workers={workers}")
    assert done.returncode == 2
    assert "--workers" in done.stderr
    assert done.stdout == ""


def test_progress_is_told_by_the_calling_thread(large: Path) -> None:
    seen: list[tuple[int, threading.Thread]] = []
    process([large], workers=2, on_progress=lambda n: seen.append((n, threading.current_thread())))
    assert {thread for _, thread in seen} == {threading.main_thread()}
    assert sum(n for n, _ in seen) == large.stat().st_size
    assert len(seen) >= 2


#: The command, with a bar also for work that is soon done.
AT_ONCE = "from twinbeam.cli import main, progress; progress._SHOWN_FROM_S = 0.0; main()"


def test_a_terminal_sees_a_bar(large: Path) -> None:
    leader, follower = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-c", AT_ONCE, "process", str(large), "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=follower,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
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
    assert "raw file(s)" in stdout.decode()
    assert b"processing" not in stdout
    assert b"processing" in seen


def bytes_read(pid: int) -> int:
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar"))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt_ends_it_and_leaves_nothing(large: Path, tmp_path: Path, workers: str) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    out.mkdir()
    paths = [raw / f"{i}.tpx3" for i in range(80)]
    for path in paths:
        os.link(large, path)
    running = subprocess.Popen(
        [
            sys.executable, "-m", "twinbeam", "process", *map(str, paths), "--workers", workers,
            "--out", str(out / "r.h5"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(out)},
    )  # fmt: skip
    # every file is opened and looked at before work starts, with 1 MB each
    deadline = time.monotonic() + 200
    some_s, looked = None, len(paths) * 1_100_000
    while (read := bytes_read(running.pid)) < looked + 2 * large.stat().st_size:
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        if some_s is None and read > looked:
            some_s = time.monotonic()
        time.sleep(0.01)
    # the 78 files that are left would take so long; a busy machine takes longer for everything
    rest_s = 78 / 2 * (time.monotonic() - (some_s or time.monotonic()))
    running.send_signal(signal.SIGINT)
    begun = time.monotonic()
    stdout, stderr = running.communicate(timeout=200)
    assert running.returncode == 130
    assert time.monotonic() - begun < 10 + rest_s / 2
    assert stdout == ""
    assert "Traceback" not in stderr
    assert list(out.iterdir()) == []

"""`twinbeam simulate`: raw data, truth tables, parameters, interruption."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from twinbeam.simulate import HitTruth, PhotonTruth, Truth, read_truth
from twinbeam.tpx3 import WordKind, read_hits


def test_all_truth_of_a_raw_file(twinbeam: Any, tmp_path: Path) -> None:
    raw, *tables = (tmp_path / name for name in ("f.tpx3", "t.parquet", "p.parquet", "h.parquet"))
    done = twinbeam(
        "simulate", "--out", raw, "--truth", tables[0], "--truth-photons", tables[1],
        "--truth-hits", tables[2], "--seconds", "1", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    pairs = read_truth(tables[0], Truth)
    photons = read_truth(tables[1], PhotonTruth)
    true_hits = read_truth(tables[2], HitTruth)
    hits = read_hits(raw)
    assert said["bytes"] == raw.stat().st_size
    assert said["hits"] == len(hits) == len(true_hits)
    assert said["photons"] == len(photons) == sum(said["photons_by_kind"].values())
    assert said["photons_recorded"] == np.count_nonzero(photons.recorded)
    assert said["pairs_on_sensor"] == len(pairs)
    assert said["pairs_transmitted"] == np.count_nonzero(pairs.transmitted)
    assert said["pairs_detected"] == np.count_nonzero(pairs.detected) > 50
    for name in ("t", "x", "y", "tot_ns", "chip"):
        assert np.array_equal(hits.columns()[name], true_hits.columns()[name]), name
    assert sorted(tmp_path.iterdir()) == sorted([raw, *tables])


def test_options_change_what_is_simulated(twinbeam: Any, tmp_path: Path) -> None:
    raw = tmp_path / "f.tpx3"
    done = twinbeam(
        "simulate", "--out", raw, "--seconds", "2", "--background-rate", "1000", "--pair-rate", "0",
        "--hot-pixels", "3", "--serval", "2", "--tdc-rate", "100", "--clock-start", "26", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["pairs_on_sensor"] == 0
    assert said["hits_hot"] == pytest.approx(6000, rel=0.06)
    (census,) = json.loads(twinbeam("info", raw, "--json").stdout)
    assert census["words"][WordKind.TDC.label] == 200
    assert census["words"].get(WordKind.PACKET_ID.label, 0) == 0
    hits = read_hits(raw)
    assert hits.t.min() * 1.5625e-9 == pytest.approx(26.0, abs=0.01)
    assert hits.t.max() * 1.5625e-9 == pytest.approx(28.0, abs=0.01)


def test_parameters_from_a_file(twinbeam: Any, tmp_path: Path) -> None:
    printed = twinbeam("simulate", "--preset", "chx", "--seconds", "1", "--print-config").stdout
    assert yaml.safe_load(printed)["background_rate_hz"] == 4.33e5
    config = tmp_path / "c.yaml"
    config.write_text(printed)
    sizes = {}
    for name, chosen in (("a", ("--preset", "chx")), ("b", ("--config", config))):
        path = tmp_path / f"{name}.tpx3"
        done = twinbeam("simulate", "--out", path, "--seconds", "0.2", *chosen)
        assert done.returncode == 0, done.stderr
        sizes[name] = path.read_bytes()
    assert sizes["a"] == sizes["b"]
    config.write_text("hot: {cuont: 3}")
    done = twinbeam("simulate", "--out", tmp_path / "c.tpx3", "--config", config)
    assert done.returncode == 1
    assert "did you mean 'count'" in done.stderr
    assert not (tmp_path / "c.tpx3").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--out"),
        (["--out", "f.tpx3", "--preset", "chx", "--config", "c.yaml"], "--preset"),
        (["--out", "f.tpx3", "--serval", "9"], "--serval"),
        (["--out", "f.tpx3", "--seconds", "-1"], "--seconds"),
    ],
)
def test_wrong_usage(twinbeam: Any, tmp_path: Path, arguments: list[str], says: str) -> None:
    done = twinbeam("simulate", *arguments, folder=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_tables_need_a_file_and_a_folder_each(twinbeam: Any, tmp_path: Path) -> None:
    same, missing = tmp_path / "same", tmp_path / "no" / "t.parquet"
    for arguments in (
        ("--out", same, "--truth", same),
        ("--out", tmp_path / "f.tpx3", "--truth", same, "--truth-hits", same),
        ("--out", tmp_path / "f.tpx3", "--truth-photons", missing),
    ):
        done = twinbeam("simulate", *arguments, "--seconds", "0.1")
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    names = {"--out": "f.tpx3", "--truth": "t.parquet", "--truth-hits": "h.parquet"}
    earlier = tmp_path / "f.tpx3"
    earlier.write_text("earlier")
    given = [part for name, file in names.items() for part in (name, str(tmp_path / file))]
    process = subprocess.Popen(
        [sys.executable, "-m", "twinbeam", "simulate", *given, "--seconds", "100000", "--force"],
        stderr=subprocess.PIPE,
        text=True,
    )
    part = tmp_path / "f.tpx3.part"
    deadline = time.monotonic() + 200
    while not (part.exists() and part.stat().st_size > 1_000_000):
        assert time.monotonic() < deadline, "nothing was written"
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == [earlier]
    assert earlier.read_text() == "earlier"


#: The command, with a bar also for work that is soon done.
AT_ONCE = "from twinbeam.cli import main, progress; progress._SHOWN_FROM_S = 0.0; main()"


def test_a_terminal_sees_a_bar(tmp_path: Path) -> None:
    """Gone at the end; stdout stays clean."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [
            sys.executable, "-c", AT_ONCE, "simulate", "--out", str(tmp_path / "f.tpx3"),
            "--seconds", "3", "--background-rate", "1e6",
        ],
        stdout=subprocess.PIPE,
        stderr=follower,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )  # fmt: skip
    os.close(follower)
    seen = b""
    while True:
        try:
            data = os.read(leader, 4096)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        seen += data
    os.close(leader)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "simulated raw data" in stdout.decode()
    assert b"simulating" not in stdout
    assert b"simulating" in seen
    assert b"%" in seen

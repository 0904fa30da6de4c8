"""`twinbeam doctor` with and without a beamline."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from in_process import said

from twinbeam.cli import doctor_channels
from twinbeam.cli.doctor_service import live_service, page_port
from twinbeam.store import open_catalog


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who has set nothing."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in [n for n in os.environ if n.startswith("TWINBEAM_")]:
        monkeypatch.delenv(name)


def test_all_of_a_beamline_answers(
    beamline: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("_SEARCH_S", "_READ_S"):  # a busy machine answers late
        monkeypatch.setattr(doctor_channels, name, 30.0)
    open_catalog(tmp_path / "catalog").close()
    _, values, _ = said(capsys, "doctor", "--timeout", "100", "--catalog", tmp_path / "catalog")
    found = {check["check"]: check for check in values["checks"]}
    for name in ("Channel Access", "site simulated", "detector", "settings", "packages"):
        assert found[name]["state"] == "ok", found[name]
    assert found["catalogue"]["value"].endswith("0 run(s), free to be opened")
    assert "clock of the IOC" in found
    assert values["faults"] == sum(c["state"] == "fault" for c in values["checks"])
    assert all(c["advice"] for c in values["checks"] if c["state"] == "fault")


def test_it_ends_when_nothing_answers(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        address = {"EPICS_CA_ADDR_LIST": f"127.0.0.1:{port}", "EPICS_CA_AUTO_ADDR_LIST": "NO"}
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "twinbeam", "doctor", "--json", "--catalog",
             "http://127.0.0.1:9", "--data-dir", str(tmp_path)],
            env={**os.environ, **address},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )  # fmt: skip
    assert done.returncode == 1, done.stderr
    values = json.loads(done.stdout)
    assert values["seconds"] < min(60.0, time.monotonic() - began)
    faults = {c["check"]: c["advice"] for c in values["checks"] if c["state"] == "fault"}
    assert {"site simulated", "tiled"} <= set(faults)
    assert "EPICS_CA_ADDR_LIST" in faults["site simulated"]
    assert list(tmp_path.iterdir()) == []


def test_ports_that_others_have() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (page,) = page_port(port)
        (live,) = live_service({"control": f"tcp://127.0.0.1:{port}"})
    assert (page.state, live.state) == ("warning", "warning")
    assert "TWINBEAM_LIVE_TOKEN" in live.advice

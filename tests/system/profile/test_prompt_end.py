"""How a prompt ends and how one does not begin: nothing stays open, and a sentence says why."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from twinbeam.errors import StorageError
from twinbeam.profile import SimulatedBeamline, configure
from twinbeam.store import open_catalog

PROFILE = Path(__file__).parents[3] / "profile_collection"
WAIT_S = 120

PLAN = "RE(rocking_curve(monitor, theta, centre_deg=11.576, num=401, count_s=1, shutter=shutter))"


def arguments(folder: Path) -> list[str]:
    shutil.copytree(PROFILE / "startup", folder / "profile" / "startup")
    return [
        "-m", "IPython", f"--profile-dir={folder / 'profile'}", "--no-banner", "--simple-prompt",
        "--colors=NoColor", "--HistoryManager.enabled=False",
    ]  # fmt: skip


def environment(beamline: Any, folder: Path, **more: str) -> dict[str, str]:
    ours = {k: v for k, v in os.environ.items() if not k.startswith("TWINBEAM_")}
    return {
        **ours,
        **beamline.env,
        "TWINBEAM_CATALOG": str(folder / "catalog"),
        "TWINBEAM_DATA_DIR": str(folder / "raw"),
        "TERM": "dumb",
        **more,
    }


@pytest.mark.timeout(290)
def test_a_terminal_that_is_closed_leaves_no_shutter_open(
    beamline: Any, instruments: Any, tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    """In the middle of a scan; without that the process would be gone at once."""
    theta = instruments.goniometer.theta
    before_deg = theta.user_readback.get(use_monitor=False)
    child = pexpect.spawn(
        sys.executable, arguments(tmp_path), env=environment(beamline, tmp_path),
        encoding="utf-8", timeout=WAIT_S, dimensions=(60, 200),
    )  # fmt: skip
    try:
        child.expect(r"In \[\d+\]: ")
        child.sendline(PLAN)
        child.expect(r"\|\s+1 \|")  # the first point
        assert instruments.shutter.status.get(use_monitor=False) == "Open"
        os.close(child.child_fd)  # as a terminal does whose window is closed
        child.closed, child.child_fd = True, -1
        wait_until(lambda: not child.isalive(), WAIT_S)
    finally:
        if child.isalive():
            child.kill(signal.SIGKILL)
            child.wait()
        theta.move(before_deg, timeout=30.0)
    assert instruments.shutter.status.get(use_monitor=False) == "Closed"
    with open_catalog(tmp_path / "catalog") as catalog:
        assert catalog.broker()[-1].stop["exit_status"] == "abort"


def test_what_keeps_a_session_from_starting_is_a_sentence(beamline: Any, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, *arguments(tmp_path), "-c", "print('goes on')"],
        env=environment(beamline, tmp_path, TWINBEAM_SITE="nowhere.yaml"),
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    said = done.stdout + done.stderr
    assert "BeamlineError: site: there is no site 'nowhere.yaml'" in said
    assert "Traceback" not in said, said
    assert "goes on" in said


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where a session of this process would keep its data."""
    for name in [each for each in os.environ if each.startswith("TWINBEAM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TWINBEAM_CATALOG", str(tmp_path / "catalog"))
    return tmp_path


def test_a_second_session_is_told_what_it_can_do(folders: Path) -> None:
    with open_catalog(folders / "catalog"), pytest.raises(StorageError) as caught:
        configure({})
    assert "open already" in caught.value.what
    assert "TWINBEAM_CATALOG names another folder" in str(caught.value.hint)


def test_a_folder_that_cannot_be_made_is_named(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folders / "file").touch()
    monkeypatch.setenv("TWINBEAM_DATA_DIR", str(folders / "file" / "raw"))
    with pytest.raises(StorageError, match="file/raw: the folder of the raw files cannot be made"):
        configure({})


def test_a_simulation_that_is_not_used_ends(
    folders: Path, monkeypatch: pytest.MonkeyPatch, process_exists: Callable[[int], bool]
) -> None:
    started: list[int] = []

    class Noted(SimulatedBeamline):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(self.pid)

    module = sys.modules[configure.__module__]
    monkeypatch.setattr(module, "SimulatedBeamline", Noted)
    monkeypatch.setenv("TWINBEAM_SIM", "1")
    (folders / "file").touch()
    monkeypatch.setenv("TWINBEAM_CATALOG", str(folders / "file" / "catalog"))
    monkeypatch.setenv("TWINBEAM_DATA_DIR", str(folders / "raw"))
    with pytest.raises(StorageError):
        configure({})
    (pid,) = started
    assert not process_exists(pid)

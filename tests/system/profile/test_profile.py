"""The IPython profile, started as at the beamline, against the simulated instruments."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim_iocs.network import Ports, client_environment
from twinbeam.profile import SIMULATED_CHANNEL_ACCESS, use_channel_access

PROFILE = Path(__file__).parents[3] / "profile_collection"


# what README shows for the prompt is what this test types
PROMPT = (
    (PROFILE.parent / "README.md").read_text().partition("ipython --profile-dir")[2]
    .partition("```python\n")[2].partition("```")[0]
)  # fmt: skip


def ipython(
    profile: Path, code: str, env: dict[str, str], folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable, "-m", "IPython", f"--profile-dir={profile}", "--no-banner",
            "--colors=NoColor", "-c", code,
        ],
        capture_output=True,
        text=True,
        timeout=280,
        cwd=folder,
        env={**os.environ, **env},
        check=False,
    )  # fmt: skip


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A copy of the profile, since IPython writes into the folder it starts from."""
    shutil.copytree(PROFILE / "startup", tmp_path / "profile" / "startup")
    return tmp_path / "profile"


@pytest.mark.timeout(290)
def test_profile_starts_and_runs_a_scan(beamline: Any, profile: Path, tmp_path: Path) -> None:
    before, _, after = PROMPT.replace("seconds=30", "seconds=3").partition("replay(db")
    code = f"""
assert PROFILE_READY
{before}
assert live.wait(60)
session.writer.join()
first = live.result
uid = db[-1].start["uid"]
assert live.health.run == uid and live.health.state == "complete", live.health
print("centre", round(rocking.centre_deg, 3))
replay(db{after}
assert live.wait(60)
assert live.result is not first and not first.differences(live.result)
assert "baseline" in db[-1].stream_names
print("hits", live.result.n_hits, "scan", db[-1].start["scan_id"])
"""
    env = {
        "TWINBEAM_CATALOG": str(tmp_path / "catalog"),
        "TWINBEAM_DATA_DIR": str(tmp_path / "raw"),
    }
    done = ipython(profile, code, env, folder=tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert (tmp_path / "overview.png").stat().st_size > 10_000
    assert "twinbeam is ready" in said
    assert "centre 11.576" in said
    assert "Traceback" not in said, said
    (line,) = [line for line in said.splitlines() if line.startswith("hits ")]
    assert int(line.split()[1]) > 0
    assert line.endswith("scan 3")


def test_missing_beamline_is_said_clearly(profile: Path, tmp_path: Path) -> None:
    from sim_iocs.network import Ports as FreePorts

    env = {
        **client_environment(FreePorts.free()),
        "TWINBEAM_CATALOG": str(tmp_path / "catalog"),
        "TWINBEAM_DATA_DIR": str(tmp_path / "raw"),
    }
    done = ipython(profile, "print('ready', 'PROFILE_READY' in globals())", env)
    said = done.stdout + done.stderr
    assert "ready False" in said
    assert "398 of 398 process variables do not answer" in said
    for device in ("tpx3", "gonio", "shutter", "ring", "sample"):
        assert re.search(rf"^  {device} +(\d+) of \1, such as \S+$", said, re.M), said
    assert "EPICS_CA_ADDR_LIST" in said
    assert "TWINBEAM_SIM=1" in said
    assert "Traceback" not in said


def test_default_channel_access_is_what_iocs_serves() -> None:
    offered = client_environment(Ports())
    for name, value in SIMULATED_CHANNEL_ACCESS.items():
        assert offered[name] == value, name
    environment: dict[str, str] = {}
    assert use_channel_access(environment)
    assert environment["EPICS_CA_ADDR_LIST"] == offered["EPICS_CA_ADDR_LIST"]
    told = {"EPICS_CA_ADDR_LIST": "10.0.0.1"}
    assert not use_channel_access(told)
    assert told == {"EPICS_CA_ADDR_LIST": "10.0.0.1"}

"""Running the command as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from in_process import InProcess

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def twinbeam() -> Command:
    """Run `twinbeam ARGUMENTS` and return what it did."""

    def run(
        *arguments: str | Path, timeout_s: float = 280.0, folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "twinbeam", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            cwd=folder,
            env={**os.environ, "COLUMNS": "120"},
            check=False,
        )

    return run


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> InProcess:
    """Run a command line in this process, with lines wide enough not to be broken."""
    monkeypatch.setenv("COLUMNS", "200")
    return InProcess(capsys)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Recorded detector files beside the repository; tests that need them skip without."""
    folder = Path(__file__).parents[4] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no recorded detector files beside the repository")
    return folder


@pytest.fixture(scope="session")
def simulated(
    twinbeam: Command, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, dict[str, int]]:
    """Four seconds of raw data, their truth table, and what the command said about them."""
    import json

    folder = tmp_path_factory.mktemp("simulated")
    raw, truth = folder / "f.tpx3", folder / "t.parquet"
    done = twinbeam("simulate", "--out", raw, "--truth", truth, "--seconds", "4", "--json")
    assert done.returncode == 0, done.stderr
    return raw, truth, json.loads(done.stdout)

"""What only a real terminal shows: the dashboard of the live service, and completion in a shell."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from in_process import InProcess
from made_runs import make_run

from twinbeam.store import RunWriter, open_catalog

ENTER, LEAVE, HIDE, SHOW = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25l", "\x1b[?25h"


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the JSON lines of a finished run."""
    folder = tmp_path_factory.mktemp("tui")
    with open_catalog(folder / "catalog") as catalog, RunWriter(catalog) as writer:
        make_run(writer, folder / "raw", {"scan_id": 7, "plan_name": "collect_pairs"})
        return Path(catalog.documents_directory)


@pytest.mark.timeout(290)
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_the_dashboard_shows_a_run_and_gives_the_terminal_back(
    lines: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    free = [f"--{name}=tcp://127.0.0.1:*" for name in ("documents", "results", "control")]
    child = pexpect.spawn(
        sys.executable,
        ["-m", "twinbeam", "live", "--tui", f"--lines={lines}", f"--state={tmp_path}", *free],
        env={
            **os.environ,
            "TERM": "xterm-256color",
            "COLUMNS": "130",  # the runner of the tests may have set another width
            "LINES": "44",
            "XDG_CONFIG_HOME": str(tmp_path),
        },
        dimensions=(44, 130),
        encoding="utf-8",
        timeout=200,
    )
    with child:
        child.expect_exact(ENTER)
        child.expect_exact(HIDE)
        child.expect(r"#7 · run .*collect_pairs")
        child.expect("net pairs")
        child.expect("pairs on the detector")
        child.expect("▀+")
        child.expect("ledger closes")
        child.kill(number)
        rest = child.read()
        child.wait()
    assert LEAVE in rest
    assert SHOW in rest
    assert "Traceback" not in rest
    assert child.exitstatus == status


def test_the_dashboard_wants_a_terminal(here: InProcess) -> None:
    done = here("live", "--tui")
    assert done.returncode == 2
    assert "no terminal" in re.sub(r"\s+", " ", done.stderr)
    assert here("live", "--tui", "--json").returncode == 2


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_a_shell_completes_commands_options_and_settings(tmp_path: Path) -> None:
    command = tmp_path / "twinbeam"
    command.write_text(
        f"#!{sys.executable}\nimport sys\nfrom twinbeam.cli import main\n"
        "sys.argv[0] = 'twinbeam'\nmain()\n"
    )
    command.chmod(0o755)
    script = """
        eval "$(_TWINBEAM_COMPLETE=source_bash twinbeam)"
        complete -p twinbeam
        try() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            _twinbeam_completion twinbeam; echo "$* -> ${COMPREPLY[*]}"
        }
        try twinbeam doc
        try twinbeam process --phot
        try twinbeam settings set page
    """
    done = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "PATH": os.pathsep.join([str(tmp_path), os.environ["PATH"]])},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    said = done.stdout.splitlines()
    assert "_twinbeam_completion" in said[0], done.stderr
    assert said[1:] == [
        "twinbeam doc -> doctor",
        "twinbeam process --phot -> --photons",
        "twinbeam settings set page -> page_port",
    ]

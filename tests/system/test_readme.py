"""README tells the truth: its commands, its code, and what `.ci/run` runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from twinbeam.simulate import simulate

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def block(marker: str, language: str) -> str:
    """The first code block of a language after a marker."""
    after = README.partition(marker)[2]
    return after.partition(f"```{language}\n")[2].partition("```")[0]


def test_python_code_runs(tmp_path: Path) -> None:
    simulate(tmp_path / "run_000000.tpx3", seconds=1.0)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block("## In Python", "python")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "'prompt'" in done.stdout
    assert "True" in done.stdout
    assert "n_hits" in done.stdout
    (apart,) = re.findall(r"(\d+) of (\d+) pairs are more than 30 ns apart", done.stdout)
    assert 0 < int(apart[0]) < int(apart[1])


def test_both_commands_are_one_line() -> None:
    for marker in ("<!-- demo -->", "<!-- tests -->"):
        command = block(marker, "sh")
        assert command.count("\n") == 1
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install")


def test_ci_runs_the_readme_command(tmp_path: Path) -> None:
    """`.ci/run` of a copy whose README names another command runs that command."""
    if not (ROOT / ".ci" / "run").exists():
        pytest.skip("not a checkout")
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "run").write_text((ROOT / ".ci" / "run").read_text())
    command = block("<!-- tests -->", "sh")
    (tmp_path / "README.md").write_text(README.replace(command, "echo this ran && exit 3\n"))
    done = subprocess.run(
        ["bash", str(tmp_path / ".ci" / "run")],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "CI": "true"},
        check=False,
    )
    assert "this ran" in done.stdout
    assert done.returncode == 3


def test_named_commands_exist() -> None:
    from typer.main import get_command

    from twinbeam.cli.app import app

    named = set(re.findall(r"^\| `twinbeam (\w+)", README, flags=re.MULTILINE))
    assert named == set(get_command(app).commands)


def test_picture_is_there() -> None:
    (path,) = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)
    assert (ROOT / path).read_bytes().startswith(b"\x89PNG")
    assert README.index("![") < 1500

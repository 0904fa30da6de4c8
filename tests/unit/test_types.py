"""Style and types, as the configuration in pyproject.toml asks for them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280
    )


def test_style_is_clean() -> None:
    ended = run(sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", ".")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_types_are_clean() -> None:
    ended = run(sys.executable, "-m", "mypy", f"--cache-dir={os.devnull}")
    assert ended.returncode == 0, ended.stdout + ended.stderr

"""The command in the test's own process, which has imported everything already."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from twinbeam.cli.app import run

__all__ = ["Done", "InProcess", "said"]


class Done(NamedTuple):
    """What a command did."""

    returncode: int
    stdout: str
    stderr: str


class InProcess:
    """Runs command lines."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> Done:
        """Run one command line."""
        self._capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        return Done(status, *self._capsys.readouterr())


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any, str]:
    """Status, JSON and stderr of a command that is asked for JSON."""
    done = InProcess(capsys)(*map(str, arguments), "--json")
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr

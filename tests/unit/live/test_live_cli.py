"""`twinbeam live` says what is missing before it starts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from twinbeam.cli.app import app
from twinbeam.errors import TwinbeamError

ENDS = [f"--{name}=tcp://127.0.0.1:*" for name in ("documents", "results", "control")]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["live", *ENDS, *arguments])
    said = str(result.exception) if isinstance(result.exception, TwinbeamError) else ""
    return result.exit_code, result.output + said


@pytest.mark.parametrize("half", ["--kafka=127.0.0.1:9", "--topic=documents"])
def test_kafka_needs_a_topic(half: str, tmp_path: Path) -> None:
    code, said = run(half, f"--state={tmp_path}")
    assert code == 2
    assert "go together" in said


def test_kafka_needs_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    code, said = run("--kafka=127.0.0.1:9", "--topic=documents", f"--state={tmp_path}")
    assert code == 1
    assert "twinbeam[kafka]" in said


@pytest.mark.parametrize("text", ["tcp://127.0.0.1:8085", "http://listen@127.0.0.1:1"])
def test_a_stream_has_a_direction(text: str, tmp_path: Path) -> None:
    code, said = run(f"--stream={text}", f"--state={tmp_path}")
    assert code == 1
    assert "tcp://connect@HOST:PORT" in said

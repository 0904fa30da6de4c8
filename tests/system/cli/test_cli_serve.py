"""`twinbeam serve`."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from twinbeam.cli.app import run
from twinbeam.store import open_catalog, register_raw, write_derived

TIMEOUT_S = 60.0


@contextmanager
def served(
    folder: Path, *arguments: str, **environment: str
) -> Iterator[tuple[Any, dict[str, str]]]:
    """A running `twinbeam serve` and what it has exported."""
    kept = {key: value for key, value in os.environ.items() if "TILED" not in key}
    process = subprocess.Popen(
        [sys.executable, "-m", "twinbeam", "serve", str(folder), "--port=0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**kept, **environment},
    )
    try:
        assert process.stdout is not None
        lines: list[str] = []
        while (line := process.stdout.readline().strip()) != "READY":
            assert line, process.communicate()
            lines.append(line)
        yield process, dict(shlex.split(line)[1].split("=", 1) for line in lines)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=TIMEOUT_S)


def test_another_process_opens_what_is_served_until_ctrl_c(simulated: Any, tmp_path: Path) -> None:
    with open_catalog(tmp_path / "c", readable=[simulated[0].parent]) as catalog:
        write_derived(catalog, "run", "hash", {"map": np.arange(12).reshape(3, 4)})
        register_raw(catalog, "run", [simulated[0]])
    with served(tmp_path / "c") as (process, exported):
        uri, key = exported["TWINBEAM_TILED_URI"], exported["TWINBEAM_TILED_API_KEY"]
        assert uri.startswith("http://127.0.0.1:")
        assert httpx.get(f"{uri}/api/v1/metadata/", timeout=TIMEOUT_S).status_code == 401
        with open_catalog(uri, api_key=key, documents=tmp_path / "d") as far:
            assert far.client["derived", "run", "hash", "map"].read().sum() == 66
            assert len(far.client["hits", "run"].read()) > 1000
            write_derived(far, "run", "hash", {"map": np.ones(3)})
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 130
        assert out == ""
        assert key not in err
        assert "reading takes the key" in err
        assert "Traceback" not in err
    with open_catalog(tmp_path / "c") as catalog:  # the lock is free
        assert list(catalog.client["derived", "run", "hash", "map"].read()) == [1.0, 1.0, 1.0]


def test_a_key_that_is_given_is_used_and_not_printed(tmp_path: Path) -> None:
    key = "a" * 40
    with served(tmp_path / "c", "--create", "--public", TWINBEAM_TILED_API_KEY=key) as (
        process,
        exported,
    ):
        assert set(exported) == {"TWINBEAM_TILED_URI"}
        uri = exported["TWINBEAM_TILED_URI"]
        assert httpx.get(f"{uri}/api/v1/metadata/raw", timeout=TIMEOUT_S).status_code == 200
        assert httpx.delete(f"{uri}/api/v1/metadata/raw", timeout=TIMEOUT_S).status_code == 401
        with open_catalog(uri, api_key=key, documents=tmp_path / "d") as far:
            far.require_writable()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 143
        assert key not in out + err
        assert "everybody may read" in err


def test_what_cannot_be_served_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    def said(*arguments: object) -> str:
        assert run(["serve", *map(str, arguments)]) == 1
        return capsys.readouterr().err

    assert "no catalogue in this folder" in said(tmp_path)
    made = (tmp_path / "c", "--create")
    key_file = tmp_path / "key"
    key_file.write_text("\n")
    assert "holds no key" in said(*made, "--api-key-file", key_file)
    key_file.write_text("too-short\n")
    assert "letters and digits" in said(*made, "--api-key-file", key_file)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        key_file.write_text("k" * 32 + "\n")
        port = taken.getsockname()[1]
        assert "Address already in use" in said(*made, "--port", port, "--api-key-file", key_file)
    open_catalog(tmp_path / "c").close()

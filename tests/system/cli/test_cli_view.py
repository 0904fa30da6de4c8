"""`twinbeam view` and the page of `twinbeam live`, as processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twinbeam.pipeline import Pipeline, write_nexus
from twinbeam.simulate import Experiment

TIMEOUT_S = 200.0


@contextlib.contextmanager
def running(*arguments: str, **environment: str) -> Iterator[dict[str, Any]]:
    """Run a command; what it says in its first line. It must end orderly."""
    process = subprocess.Popen(
        [sys.executable, "-m", "twinbeam", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            line = process.stdout.readline() if selector.select(TIMEOUT_S) else ""
        yield json.loads(line)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 0, said
        assert "Traceback" not in said
    finally:
        process.kill()
        process.communicate()


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def twinbeam(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "twinbeam", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


@pytest.fixture(scope="module")
def result_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    experiment = Experiment(seed=2)
    pipeline = Pipeline()
    pipeline.feed(experiment.start() + experiment.advance(0.5) + experiment.stop())
    path = tmp_path_factory.mktemp("view") / "result.h5"
    write_nexus(pipeline.finish(), path)
    return path


def test_a_result_file_is_looked_at_until_the_signal_to_end(result_file: Path) -> None:
    with running("view", str(result_file), "--no-browser", "--json") as said:
        url = said["page"]
        assert url.startswith("http://127.0.0.1:")
        assert status_of(url) == 200
        assert status_of(url.replace("token=", "token=no")) == 403
        address, _, token = url.partition("?")
        assert status_of(f"{address}download/dt.csv?{token}") == 200


def test_what_is_no_result_is_told(tmp_path: Path) -> None:
    (tmp_path / "wrong.h5").write_bytes(b"no HDF5")
    ended = twinbeam("view", str(tmp_path / "wrong.h5"), "--no-browser")
    assert ended.returncode == 1
    assert "wrong.h5" in ended.stderr
    ended = twinbeam("view", "--no-browser", TWINBEAM_LIVE_TOKEN="")
    assert ended.returncode == 1
    assert "TWINBEAM_LIVE_TOKEN" in ended.stderr


def test_the_live_service_serves_its_page_and_tells_who_has_its_token(tmp_path: Path) -> None:
    secret = {"TWINBEAM_LIVE_TOKEN": "live-secret", "TWINBEAM_PAGE_TOKEN": "page-secret"}
    anywhere = [f"--{name}=tcp://127.0.0.1:*" for name in ("documents", "results", "control")]
    arguments = ["live", "--json", "--page=0", f"--state={tmp_path}", *anywhere]
    with running(*arguments, **secret) as said:
        assert said["page"].endswith("?token=page-secret")
        assert status_of(said["page"]) == 200
        ended = twinbeam("view", "--control", said["control"], "--no-browser", "--json", **secret)
        assert json.loads(ended.stdout) == {"page": said["page"]}
        wrong = {**secret, "TWINBEAM_LIVE_TOKEN": "wrong"}
        ended = twinbeam("view", "--control", said["control"], "--no-browser", "--json", **wrong)
        assert ended.returncode == 1
        assert "page-secret" not in ended.stdout + ended.stderr

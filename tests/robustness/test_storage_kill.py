"""A process that stores a run and is killed at any moment: nothing that was said is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinbeam.store import ingest, open_catalog, read_documents

ROUNDS = 10

# Forks a process a round, before it has any thread: what takes long is imported once.
CODE = """
import os, sys, warnings
warnings.simplefilter("ignore")
import bluesky_tiled_plugins, tiled.client, tiled.server.app, tiled.catalog
from event_model import compose_run
from twinbeam.store import RunWriter, open_catalog

def store(folder):
    writer = RunWriter(open_catalog(folder))
    while True:
        run = compose_run()
        uid = run.start_doc["uid"]
        writer("start", run.start_doc)
        os.write(1, f"{uid} start\\n".encode())
        key = {"dtype": "number", "shape": [], "source": "test"}
        stream = run.compose_descriptor(name="primary", data_keys={"x": key})
        writer("descriptor", stream.descriptor_doc)
        os.write(1, f"{uid} descriptor\\n".encode())
        for number in range(40):
            event = stream.compose_event(data={"x": number / 8}, timestamps={"x": 1.0})
            writer("event", event)
            os.write(1, f"{uid} {event['seq_num']}\\n".encode())
        writer("stop", run.compose_stop())
        os.write(1, f"{uid} stop\\n".encode())

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        sys.stdin.close()
        store(sys.argv[1])
    os.write(1, f"child {child}\\n".encode())
    os.waitpid(child, 0)
    os.write(1, b"gone\\n")
"""


@pytest.fixture
def parent(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[subprocess.Popen[str]]:
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared / "cache"))
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(tmp_path / "catalogue")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    yield process
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    assert process.wait(60) == 0


def one_round(parent: subprocess.Popen[str], lines_before_the_end: int) -> list[str]:
    """Start a process that stores runs, kill it after so many lines; what it said."""
    assert parent.stdin is not None
    assert parent.stdout is not None
    parent.stdin.write("\n")
    parent.stdin.flush()
    said: list[str] = []
    child = 0
    while True:
        line = parent.stdout.readline()
        assert line.endswith("\n"), said
        if line == "gone\n":
            return said
        if line.startswith("child "):
            child = int(line.split()[1])
        else:
            said.append(line.strip())
        if child and len(said) == lines_before_the_end:
            os.kill(child, signal.SIGKILL)


def test_every_line_a_callback_returned_from_is_kept(
    parent: subprocess.Popen[str], tmp_path: Path
) -> None:
    chance = random.Random(7)
    folder = tmp_path / "catalogue"
    said: dict[str, list[str]] = {}
    for _ in range(ROUNDS):
        for line in one_round(parent, chance.randint(1, 60)):
            uid, what = line.split()
            said.setdefault(uid, []).append(what)
    assert len(said) >= ROUNDS
    killed = 0
    with open_catalog(folder) as catalog:
        for uid, acknowledged in said.items():
            path = folder / "documents" / f"{uid}.jsonl"
            kept = [
                str(doc["seq_num"]) if name == "event" else name
                for name, doc in read_documents(path)
            ]
            assert kept[: len(acknowledged)] == acknowledged
            assert len(kept) - len(acknowledged) in (0, 1)  # written, killed before it returned
            assert max(Counter(kept).values()) == 1
            killed += kept[-1] != "stop"
            ingest(catalog, path, replace=True)
            events = [what for what in kept if what.isdigit()]
            stored = catalog.raw[uid]
            if events:
                assert [str(n) for n in stored["primary"]["seq_num"].read()] == events
                assert list(stored["primary"]["x"].read()) == [(int(n) - 1) / 8 for n in events]
            assert ("stop" in stored.metadata) == (kept[-1] == "stop")
        assert len(catalog.raw) == len(said)
    print(f"\n{len(said)} runs, {killed} of them cut off by {ROUNDS} kills")
    assert killed >= ROUNDS // 2

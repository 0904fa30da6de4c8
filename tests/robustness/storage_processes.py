"""A RunEngine in a process of its own, and a tiled server in another, for tests that harm them."""

from __future__ import annotations

import json
import os
import selectors
import shlex
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from harm import obey_permissions

from sim_iocs.network import reserve

__all__ = ["KEY", "EngineProcess", "ServerProcess"]

KEY = "k" * 40
_WAIT_S = 150.0

# Takes its orders from stdin: a number of events, or `stop`, while a run goes on, else `run`,
# `join` or `end`. It answers each with a line of JSON, and tells what it is told in between.
_ENGINE = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
from bluesky import RunEngine
from bluesky import plan_stubs as bps
from ophyd import Signal
from twinbeam.store import RunWriter, open_catalog

def say(**values):
    sys.__stdout__.write(json.dumps(values) + "\\n")
    sys.__stdout__.flush()

import bluesky_tiled_plugins, tiled.client  # takes long, while a server starts
catalog = open_catalog(sys.stdin.readline().strip(), documents=sys.argv[1])
writer = RunWriter(catalog, tell=lambda sentence: say(told=sentence))
engine = RunEngine(context_managers=[], call_returns_result=True)
took = []

def store(name, document):
    began = time.perf_counter()
    try:
        writer(name, document)
    finally:
        took.append(time.perf_counter() - began)

engine.subscribe(store)
signal = Signal(name="x", value=0.0)

def plan():
    uid = yield from bps.open_run({"plan_name": "made"})
    say(uid=uid)
    number = 0
    for line in iter(sys.stdin.readline, "stop\\n"):
        for _ in range(int(line)):
            number += 1
            yield from bps.mv(signal, number / 8)
            yield from bps.trigger_and_read([signal])
        say(events=number)
    yield from bps.close_run()

say(ready=True)
for line in iter(sys.stdin.readline, "end\\n"):
    if line == "run\\n":
        took.clear()
        try:
            engine(plan())
            say(status="success", state=engine.state, slowest_s=max(took), late_s=sorted(took)[-4])
        except Exception as error:
            say(status="fail", state=engine.state, error=f"{type(error).__name__}: {error}")
    elif line == "join\\n":
        try:
            writer.join(60.0)
            say(joined=True)
        except Exception as error:
            say(joined=False, error=f"{type(error).__name__}: {error}")
try:
    catalog.close()
    say(closed=True)
except Exception as error:
    say(closed=False, error=str(error))
"""


class _Process:
    """A child that speaks lines."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(sys.path),
                    "TILED_RETRY_TIMEOUT": "1.0",
                    "TILED_RETRY_ATTEMPTS": "2",
                    "TWINBEAM_TILED_API_KEY": KEY,
                },
                preexec_fn=obey_permissions,
            )
        self._log = log
        self._said: deque[str] = deque()
        self._rest = b""

    @property
    def pid(self) -> int:
        """Of the process."""
        return self.process.pid

    def line(self) -> str:
        """The next line it says."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + _WAIT_S
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not self._said:
                assert selector.select(max(0.0, deadline - time.monotonic())), "it says nothing"
                part = os.read(self.process.stdout.fileno(), 1 << 16)
                assert part, f"it ended with {self.process.wait()}; {self._log.read_text()}"
                *lines, self._rest = (self._rest + part).split(b"\n")
                self._said.extend(line.decode() for line in lines)
        return self._said.popleft()

    def close(self) -> None:
        """Kill it if it is there."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


class ServerProcess(_Process):
    """`twinbeam serve` on one port for all its lives."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self._folder = folder
        if port is None:  # one that nobody gets by chance while the server is away
            (port,), held = reserve(1)
            for each in held:
                each.close()
        command = [sys.executable, "-m", "twinbeam", "serve", str(folder), "--create"]
        super().__init__([*command, f"--port={port}"], folder.with_name("server.log"))
        while (said := self.line()) != "READY":
            name, _, value = shlex.split(said)[1].partition("=")
            assert name == "TWINBEAM_TILED_URI"
            self.uri = value
        self.port = int(self.uri.rpartition(":")[2])

    def kill(self) -> None:
        """End it at once."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def again(self) -> ServerProcess:
        """A new one in its place."""
        self.close()
        return ServerProcess(self._folder, self.port)


class EngineProcess(_Process):
    """A RunEngine with a `RunWriter`, run by run and event by event.

    Parameters
    ----------
    documents
        Folder of the JSON lines.
    log
        File for what it writes to stderr.

    Attributes
    ----------
    told
        What the writer told the user.
    """

    def __init__(self, documents: Path, log: Path) -> None:
        super().__init__([sys.executable, "-c", _ENGINE, str(documents)], log)
        self.told: list[str] = []

    def open(self, where: str | Path) -> None:
        """Open a catalogue, before anything else."""
        assert self.ask(where) == {"ready": True}

    def order(self, line: str | int) -> None:
        """Give an order."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def ask(self, line: str | int) -> dict[str, Any]:
        """Give an order and wait for the answer."""
        self.order(line)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        while True:
            said: dict[str, Any] = json.loads(self.line())
            if "told" not in said:
                return said
            self.told.append(said["told"])

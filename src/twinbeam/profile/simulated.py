"""The simulated beamline as a child process."""

from __future__ import annotations

import os
import queue
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Self

from twinbeam.errors import BeamlineError

__all__ = ["SimulatedBeamline"]

_START_TIMEOUT_S = 90.0


class SimulatedBeamline:
    """Starts `python -m sim_iocs`, which ends with this process at the latest; a context manager.

    The child gets a session of its own, so that Ctrl-C in the terminal reaches the plan first and
    the instruments are still there to be put back in order.

    Parameters
    ----------
    arguments
        Further arguments of `python -m sim_iocs all`.
    wait
        Whether to return only when it is up; otherwise `wait_ready` does that, and there is time
        for something else meanwhile.

    Attributes
    ----------
    environment
        How clients reach it, and where it writes; empty until it is up.

    Raises
    ------
    BeamlineError
        If the beamline does not come up, with what it said.
    """

    def __init__(self, arguments: Sequence[str] = (), *, wait: bool = True) -> None:
        self.environment: dict[str, str] = {}
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "sim_iocs",
                "all",
                f"--parent-pid={os.getpid()}",
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._ready = False
        self._said: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._readers = [
            threading.Thread(target=self._read_output, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        if wait:
            self.wait_ready()

    @property
    def pid(self) -> int:
        """Process that owns the IOCs."""
        return self._process.pid

    def _read_output(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said = [*self._said, line.rstrip("\n")][-20:]

    def wait_ready(self) -> None:
        """Wait until the beamline is up; at once if it is.

        Raises
        ------
        BeamlineError
            If it does not come up; whatever had started is ended then.
        """
        if self._ready:
            return
        try:
            self._read_until_ready()
        except BaseException:
            self.close()
            raise
        self._ready = True

    def _read_until_ready(self) -> None:
        end = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                self._readers[1].join(1.0)
                raise BeamlineError(
                    "the simulated beamline did not start: " + " / ".join(self._said[-5:]),
                    where="python -m sim_iocs",
                )
            if line == "READY":
                return
            if line.startswith("export "):
                name, _, value = shlex.split(line)[1].partition("=")
                self.environment[name] = value

    def close(self) -> None:
        """End the IOCs and wait until they are gone; may be called again."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(15.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5.0)
        for reader in self._readers:
            reader.join(5.0)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

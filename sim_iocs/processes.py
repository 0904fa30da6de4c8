"""Child processes that never outlive their parent."""

from __future__ import annotations

import asyncio
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time

from twinbeam.errors import BeamlineError

__all__ = ["Child", "die_with_parent", "watch_parent"]

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """Ask the kernel to end this process when its parent ends (Linux; elsewhere polling does it).

    For the kernel the parent is the thread that started this process.

    Raises
    ------
    SystemExit
        If the parent is gone already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent_pid:
        raise SystemExit(1)


async def watch_parent(parent_pid: int, poll_s: float) -> None:
    """Return when the process `parent_pid` is no longer this one's parent."""
    while os.getppid() == parent_pid:
        await asyncio.sleep(poll_s)


class Child:
    """One IOC in a process of its own.

    Parameters
    ----------
    name
        The command that runs the IOC, and what it is called in messages.
    arguments
        What follows the command.
    """

    def __init__(self, name: str, arguments: list[str]) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sim_iocs", name, *arguments, f"--parent-pid={os.getpid()}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )

    def wait_ready(self, timeout_s: float) -> None:
        """Wait for the line `READY`.

        Raises
        ------
        BeamlineError
            If the process ends before, or says nothing in time.
        """
        output = self.process.stdout
        assert output is not None
        deadline = time.monotonic() + timeout_s
        said = b""
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while b"READY\n" not in said:
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise BeamlineError(
                        f"not ready after {timeout_s:.0f} s",
                        where=f"{self.name} IOC",
                        hint="run it alone with --verbose to see why",
                    )
                part = os.read(output.fileno(), 4096)
                if not part:
                    raise BeamlineError(
                        f"ended with status {self.process.wait()} before it was ready",
                        where=f"{self.name} IOC",
                        hint="its message stands above",
                    )
                said += part

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the process, orderly if it can."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

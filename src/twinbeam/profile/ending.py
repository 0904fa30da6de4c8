"""However a session ends, what a plan has opened is closed first."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from twinbeam.errors import TwinbeamError

__all__ = ["at_exit", "end_plan", "end_when_hung_up"]

_CLEAN_UP_S = 120.0
_LOOK_S = 0.05


def at_exit(close: Callable[[], None]) -> None:
    """Call it when the process ends, while what is left can still be stored.

    Functions of `atexit` come after the pools of `concurrent.futures` are shut down, which the
    storage of a result needs; those pools themselves use what comes before. An error of twinbeam
    is told in a sentence.
    """

    def tell() -> None:
        try:
            close()
        except TwinbeamError as error:
            print(f"twinbeam: {error}", file=sys.stderr)

    register_early = getattr(threading, "_register_atexit", None)
    if register_early is not None:
        register_early(tell)
    atexit.register(tell)


def end_plan(engine: Any, tell: Callable[[str], None]) -> None:
    """Abort the plan of a RunEngine, paused or running, and wait for its clean-up.

    Parameters
    ----------
    engine
        A RunEngine; nothing happens when it is idle.
    tell
        Called with a sentence when a plan is aborted, and when that fails.
    """
    if engine.state in ("idle", "panicked"):
        return
    tell(f"a plan is {engine.state}; it is aborted, for the session ends")
    end_s = time.monotonic() + _CLEAN_UP_S
    try:
        engine.abort("the session ended")
        while engine.state not in ("idle", "panicked") and time.monotonic() < end_s:
            time.sleep(_LOOK_S)
    except Exception as error:  # whatever its clean-up met; the session ends all the same
        tell(f"the clean-up of the plan failed: {error}")
    if engine.state != "idle":
        tell("the plan did not end: see that the shutter is closed and the detector stopped")


def end_when_hung_up(shell: Any) -> None:
    """Let a closed terminal, and the signal to terminate, end a shell as `exit` does.

    Without it the process would be gone at once, with the shutter open. Signals that somebody else
    takes, or that are ignored as under `nohup`, are left alone.

    Parameters
    ----------
    shell
        IPython's shell in a terminal.
    """

    def end(number: int, frame: FrameType | None) -> None:
        for each in taken:
            signal.signal(each, signal.SIG_IGN)
        if number == signal.SIGHUP:
            _print_nowhere()
        shell.ask_exit()
        raise SystemExit(128 + number)

    taken = [
        each for each in (signal.SIGHUP, signal.SIGTERM) if signal.getsignal(each) is signal.SIG_DFL
    ]
    for each in taken:
        signal.signal(each, end)


def _print_nowhere() -> None:
    """What is printed to a terminal that is gone would be an error, also in the clean-up."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)

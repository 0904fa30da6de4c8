"""However a session ends, what a plan has opened is closed first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import pytest
from bluesky.run_engine import RunEngine
from bluesky.utils import RunEngineInterrupted

from twinbeam.profile.ending import end_plan


@pytest.fixture
def engine() -> Iterator[RunEngine]:
    made = RunEngine({}, context_managers=[], call_returns_result=True)
    yield made
    made.loop.call_soon_threadsafe(made.loop.stop)
    made._th.join(10.0)
    made.loop.close()


def plan(closed: list[str], *messages: Any, fails: bool = False) -> Any:
    """A plan that opens something and closes it in the end."""

    def close() -> Any:
        yield from bps.null()
        closed.append("closed")
        if fails:
            raise RuntimeError("the shutter is away")

    def work() -> Any:
        for each in messages:
            yield from each

    return bpp.finalize_wrapper(work(), close)


def test_a_paused_plan_is_aborted_with_its_clean_up(engine: RunEngine) -> None:
    closed: list[str] = []
    told: list[str] = []
    with pytest.raises(RunEngineInterrupted):
        engine(plan(closed, bps.pause()))
    assert engine.state == "paused"
    assert closed == []
    end_plan(engine, told.append)
    assert engine.state == "idle"
    assert closed == ["closed"]
    assert told == ["a plan is paused; it is aborted, for the session ends"]


def test_a_running_plan_is_aborted_and_waited_for(engine: RunEngine, wait_until: Any) -> None:
    """The prompt was taken out of its call, which leaves the plan running in its own thread."""
    closed: list[str] = []
    told: list[str] = []

    def call() -> None:
        with pytest.raises(RunEngineInterrupted):
            engine(plan(closed, bps.sleep(600)))

    caller = threading.Thread(target=call)
    caller.start()
    wait_until(lambda: engine.state == "running")
    end_plan(engine, told.append)
    assert engine.state == "idle"
    assert closed == ["closed"]
    assert len(told) == 1
    caller.join(30.0)


def test_a_clean_up_that_fails_is_told_and_ends_nothing_else(engine: RunEngine) -> None:
    closed: list[str] = []
    told: list[str] = []
    with pytest.raises(RunEngineInterrupted):
        engine(plan(closed, bps.pause(), fails=True))
    end_plan(engine, told.append)
    assert told[1:] == ["the clean-up of the plan failed: the shutter is away"]


def test_an_engine_that_does_nothing_is_left_alone(engine: RunEngine) -> None:
    told: list[str] = []
    end_plan(engine, told.append)
    assert told == []
    assert engine.state == "idle"


_ENDS = """
import signal, sys
from types import SimpleNamespace
from twinbeam.errors import StorageError
from twinbeam.profile.ending import at_exit, end_when_hung_up

def close():
    print("closed", signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, file=log, flush=True)
    raise StorageError("run 1 is not stored")

log = open(sys.argv[1], "a")
at_exit(close)
end_when_hung_up(SimpleNamespace(ask_exit=lambda: print("asked", file=log, flush=True)))
print("up", flush=True)
signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_to_end_closes_the_session(tmp_path: Any, number: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _ENDS, str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "up\n"
        os.kill(process.pid, number)
        assert process.wait(60.0) == 128 + number
        said = process.stderr.read()
    # once more at the very end, when the terminal that is gone is not asked either
    assert (tmp_path / "log").read_text().splitlines()[:2] == ["asked", "closed True"]
    told = "twinbeam: run 1 is not stored\n"
    assert said in ({signal.SIGHUP: ("",)}.get(number, (told, told * 2)))


def test_an_ignored_hang_up_stays_ignored(tmp_path: Any) -> None:
    from twinbeam.profile.ending import end_when_hung_up

    before = {each: signal.getsignal(each) for each in (signal.SIGHUP, signal.SIGTERM)}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
        end_when_hung_up(None)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)

"""A plan that pauses and resumes measures nothing twice, and finds the same.

Every plan is paused and resumed at messages spread over it; with `TWINBEAM_CUTS=all` at every one.
"""

from __future__ import annotations

import os
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from bluesky import RunEngine
from bluesky.run_engine import NoReplayAllowed
from bluesky.utils import Msg, RunEngineInterrupted
from every_plan import PLANS, StillDetector, WholeBeamline, quick_analysis, walk_through
from pure_beamline import PureBeamline, walk

from twinbeam.errors import RawDataError
from twinbeam.plans.in_thread import in_thread
from twinbeam.plans.theta_scan import scan_theta

ALL = os.environ.get("TWINBEAM_CUTS") == "all"


@pytest.fixture
def engine() -> Iterator[RunEngine]:
    made = RunEngine(context_managers=[], call_returns_result=True)
    thread = made._th
    with patch.object(traceback, "format_stack", list):  # of each stub, which takes long
        yield made
    made.loop.call_soon_threadsafe(made.loop.stop)
    thread.join(20.0)
    made.loop.close()


def paused_at(plan: Any, index: int) -> Any:
    """The same plan, which asks for a pause before the message with this index."""
    number, answer, error = 0, None, None
    while True:
        try:
            message = plan.throw(error) if error is not None else plan.send(answer)
        except StopIteration as end:
            return end.value
        if number == index:
            yield Msg("pause", defer=False)
        number, answer, error = number + 1, None, None
        try:
            answer = yield message
        except Exception as problem:
            error = problem


class Events:
    """Which events of which streams came, and how often."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, int]] = Counter()
        self._streams: dict[str, str] = {}

    def __call__(self, name: str, doc: dict[str, Any]) -> None:
        """Count a document."""
        if name == "descriptor":
            self._streams[doc["uid"]] = doc["name"]
        elif name in ("event", "event_page"):
            numbers = doc["seq_num"] if name == "event_page" else [doc["seq_num"]]
            self.seen.update((doc["descriptor"], number) for number in numbers)

    @property
    def per_stream(self) -> Counter[str]:
        """Number of events in each stream."""
        streams: Counter[str] = Counter()
        for (descriptor, _), times in self.seen.items():
            streams[self._streams[descriptor]] += times
        return streams


class Unbroken(StillDetector):
    """Is not asked again for what it does already."""

    def pause(self) -> None:
        """As the real one."""
        if self.acquiring:
            raise NoReplayAllowed

    def resume(self) -> None:
        """It has never paused."""


def made() -> WholeBeamline:
    bench = WholeBeamline()
    bench.detector = Unbroken()
    bench._before = bench._settings()
    return bench


def carried_out(engine: RunEngine, plan: Any) -> Events:
    """Events of a plan that is resumed whenever it pauses."""
    events = Events()
    token = engine.subscribe(events)
    try:
        try:
            engine(plan)
        except RunEngineInterrupted:
            engine.resume()
    except RawDataError:
        pass  # the analysis finds no files
    finally:
        engine.unsubscribe(token)
    return events


@pytest.mark.parametrize("name", [name for name in PLANS if name != "set_detuning"])
def test_a_pause_anywhere_counts_nothing_twice(engine: RunEngine, name: str) -> None:
    with quick_analysis():
        messages = walk_through(PLANS[name](made())).commands
        bench = made()
        usual = carried_out(engine, PLANS[name](bench)).per_stream
        acquisitions = bench.detector._acquisitions
        last = len(messages)
        spread = range(1, last, max(last // 6, 1))
        for index in range(1, last) if ALL else sorted({*spread, *range(last - 12, last)}):
            if messages[index - 1] in ("save", "collect"):
                continue  # the next is a checkpoint; nobody can be faster
            bench = made()
            events = carried_out(engine, paused_at(PLANS[name](bench), index))
            where = f"paused at {index}: {messages[index - 3 : index + 1]}"
            assert set(events.seen.values()) == {1}, where
            assert events.per_stream == usual, where
            assert bench.unsafe() == [], where
            # nobody can be faster than what follows these, but here they are over at once
            if not {"trigger", "complete"} & set(messages[index - 2 : index]):
                assert bench.detector._acquisitions == acquisitions, where


def test_a_reading_that_a_pause_swallows_is_only_missing() -> None:
    """The RunEngine repeats the point then, but the plan is not told what was read."""
    bench = PureBeamline()
    plan = scan_theta(bench.monitor, bench.theta, [11.575, 11.576, 11.577])
    n_reads = 0

    def swallowed(plan: Any) -> Any:
        nonlocal n_reads
        answer = None
        while True:
            try:
                message = plan.send(answer)
            except StopIteration as end:
                return end.value
            answer = yield message
            n_reads += message.command == "read"
            if n_reads == 1 and message.command == "read":
                answer = None

    scan, _ = walk(swallowed(plan))
    assert n_reads == 6
    assert scan.angles_deg.tolist() == [11.576, 11.577]


def test_what_a_pause_interrupts_in_the_analysis_is_not_waited_for_again(engine: RunEngine) -> None:
    told: list[float] = []

    def plan() -> Any:
        work = in_thread(lambda: time.sleep(1.0))
        for message in work:
            if message.command == "checkpoint" and time.monotonic() - begun_s > 0.8 and not told:
                told.append(0.0)
                yield Msg("pause", defer=True)  # Ctrl-C once: at the next checkpoint
            yield message

    begun_s = time.monotonic()
    with pytest.raises(RunEngineInterrupted):
        engine(plan())
    slept: list[Any] = []
    engine.msg_hook = lambda message: slept.append(message) if message.command == "sleep" else None
    engine.resume()
    assert len(slept) < 8  # it had slept 16 times before the pause

"""A command ends with the record's own completion, not with that of a lost connection."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from ophyd import Device, EpicsSignalRO
from ophyd.signal import Signal

from twinbeam.devices.command import Command, check_connected
from twinbeam.devices.words import Words
from twinbeam.errors import BeamlineError

WAIT_S = 30.0


class Record(Signal):
    """A record whose completions and connection the test decides about."""

    setpoint_pvname = "FILTER:SP"

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.there = True
        self.refuses = False
        self.written: list[tuple[Any, Callable[[], None]]] = []

    def get(self, **_: Any) -> float:
        if not self.there:
            raise TimeoutError("no answer")
        return 0.0

    def put(self, value: Any, *, use_complete: bool, callback: Callable[[], None]) -> None:
        assert use_complete
        if self.refuses:
            raise BrokenPipeError("gone just now")
        self.written.append((value, callback))

    def connect(self, connected: bool) -> None:
        self.there = connected
        self._metadata["connected"] = connected
        self._run_metadata_callbacks()

    def complete(self, which: int) -> None:
        self.written[which][1]()


def begun(record: Record, timeout_s: float = 60.0, prepared: list[str] | None = None) -> Command:
    return Command(
        Device(name="filter"),
        record,
        0.1,
        timeout_s=timeout_s,
        complaint=lambda: BeamlineError("still moving", where="FILTER:SP", hint="air?"),
        prepare=lambda: None if prepared is None else prepared.append("prepared"),
    )


def test_a_completion_ends_it() -> None:
    record = Record("record")
    status = begun(record)
    assert not status.done
    record.complete(0)
    status.wait(WAIT_S)


@pytest.mark.parametrize("told_first", [True, False])
def test_the_completion_of_a_lost_connection_is_none(told_first: bool) -> None:
    """Some client libraries complete all writes when they lose a server."""
    record, prepared = Record("record"), []
    status = begun(record, prepared=prepared)
    record.there = False
    if told_first:
        record.complete(0)
        record.connect(False)
    else:
        record.connect(False)
        record.complete(0)
    time.sleep(0.2)
    assert not status.done
    record.connect(True)
    deadline = time.monotonic() + WAIT_S
    while len(record.written) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.2)
    assert not status.done
    assert prepared == ["prepared"]
    assert [value for value, _ in record.written] == [0.1, 0.1]
    record.complete(1)
    status.wait(WAIT_S)


def test_what_does_not_end_in_time_says_that_the_connection_was_lost() -> None:
    record = Record("record")
    status = begun(record, timeout_s=0.3)
    record.connect(False)
    with pytest.raises(BeamlineError, match=r"still moving; the connection was lost meanwhile"):
        status.wait(WAIT_S)


def test_a_write_that_fails_is_told_with_the_name() -> None:
    record = Record("record")
    record.refuses = True
    with pytest.raises(BeamlineError, match=r"FILTER:SP: 0.1 could not be written: BrokenPipe"):
        begun(record).wait(WAIT_S)


def test_a_device_that_is_away_is_named() -> None:
    away = EpicsSignalRO("NOBODY:HAS:THIS", name="away")
    away.prefix = "NOBODY:"
    try:
        with pytest.raises(BeamlineError, match="NOBODY:: away is not connected"):
            check_connected(away)
    finally:
        away.destroy()


def test_a_state_is_never_told_without_its_name() -> None:
    """caproto tells the first value before it knows the names of the states."""

    class Pv:
        answers: bool = True

        def get(self, **_: Any) -> str:
            if not self.answers:
                raise TimeoutError("no answer")
            return "Closed"

    pv, told = Pv(), []
    state = Words("NOBODY:HAS:THIS:EITHER", name="state")
    try:
        Signal.subscribe(state, lambda *_, value, **__: told.append(value), run=False)
        about = {"timestamp": 1.0, "cb_info": (0, pv)}
        state._read_changed(value=0, char_value=None, **about)
        pv.answers = False
        state._read_changed(value=1, char_value=None, **about)
        state._read_changed(value=1, char_value="Open", **about)
    finally:
        state.destroy()
    assert told == ["Closed", "Open"]

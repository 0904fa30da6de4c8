"""What is told of a tiled that fails, and how often."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from twinbeam.store import _outage
from twinbeam.store._outage import Outage


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def outage(told: list[str]) -> Outage:
    return Outage(told.append, "http://there:8000", Path("/lines"))


def test_a_failure_is_told_once_with_what_to_do_and_its_end_once(
    outage: Outage, told: list[str]
) -> None:
    outage.taken()
    assert told == []
    for _ in range(3):
        outage.refused("one", OSError("disk full"))
    outage.refused("two", OSError("disk full"))
    outage.given_up("one")
    (sentence,) = told
    for part in ("disk full", "nothing is lost", "/lines", "twinbeam ingest", "http://there:8000"):
        assert part in sentence
    outage.taken()
    outage.taken()
    assert len(told) == 2
    assert "1 run(s)" in told[1]
    assert "/lines/one.jsonl" in told[1]
    outage.refused("three", OSError("again"))
    outage.taken()
    assert len(told) == 4
    assert "ingest" not in told[3]  # nothing is missing this time


def test_no_answer_for_long_is_told_once(
    outage: Outage, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    outage.waits(1)
    outage.begin()
    outage.waits(2)
    assert told == []
    monkeypatch.setattr(_outage, "_SLOW_S", 0.0)
    outage.waits(3)
    outage.waits(4)
    assert len(told) == 1
    assert "3 documents wait" in told[0]
    outage.end()
    outage.taken()
    assert len(told) == 2
    outage.waits(5)
    assert len(told) == 2


def test_one_who_is_told_and_fails_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    def fail(sentence: str) -> None:
        raise RuntimeError(sentence)

    Outage(fail, "here", Path("/lines")).refused("one", OSError("disk full"))
    assert "disk full" in caplog.text


def test_it_is_logged_when_nobody_is_named(caplog: pytest.LogCaptureFixture) -> None:
    Outage(None, "here", Path("/lines")).refused("one", OSError("disk full"))
    assert [record.levelno for record in caplog.records] == [logging.WARNING]

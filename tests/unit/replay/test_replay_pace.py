"""The pace of a replay."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twinbeam.replay import pace, replay_jsonl
from twinbeam.replay.pace import Pace
from twinbeam.replay.send import send


def documents(*times: float, stop: float | None = None) -> list[tuple[str, dict[str, Any]]]:
    made: list[tuple[str, dict[str, Any]]] = [("start", {"uid": "u", "time": 1000.0})]
    made += [("event", {"time": 1000.0 + t}) for t in times]
    return made if stop is None else [*made, ("stop", {"time": 1000.0 + stop})]


class Clock:
    """Time that passes only while somebody waits for it."""

    def __init__(self) -> None:
        self.now = 5000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def sent_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """Function that gives when documents are sent, in s since it was called."""
    clock = Clock()
    monkeypatch.setattr(pace, "time", clock)

    def sent(given: list[tuple[str, dict[str, Any]]], speed: float | None) -> list[float]:
        begun, at = clock.now, []
        send(given, [lambda *_: at.append(clock.now - begun)], speed)
        return at

    return sent


SentAt = Callable[..., list[float]]


def test_documents_come_when_they_came(sent_at: SentAt) -> None:
    at = sent_at(documents(0.1, 0.1, 0.4, stop=0.5), 1.0)
    assert at == pytest.approx([0.0, 0.1, 0.1, 0.4, 0.5])


def test_it_is_real_time_that_is_waited_for() -> None:
    begun = time.monotonic()
    send(documents(0.2, stop=0.3), [lambda *_: None], 1.0)
    assert time.monotonic() - begun > 0.299


def test_faster_and_as_fast_as_possible(sent_at: SentAt) -> None:
    assert sent_at(documents(200.0, stop=200.0), 1000.0)[-1] == pytest.approx(0.2)
    assert sent_at(documents(1e6, stop=1e6), None) == [0.0] * 3


def test_a_clock_ahead_of_the_end_of_the_run_and_one_behind_are_not_waited_for(
    sent_at: SentAt,
) -> None:
    at = sent_at(documents(-3600.0, 86400.0, stop=0.1), 1.0)
    assert at == pytest.approx([0.0, 0.0, 0.1, 0.1])


def test_documents_without_a_time_come_at_once_and_pages_at_their_first_event(
    sent_at: SentAt,
) -> None:
    given = documents()
    given += [("stream_resource", {}), ("event_page", {"time": [1000.1, 2000.0]})]
    given += [("event_page", {"time": []}), ("event", {"time": math.nan})]
    assert sent_at(given, 1.0) == pytest.approx([0.0, 0.0, 0.1, 0.1, 0.1])


@pytest.mark.parametrize("speed", [0.0, -1.0, math.nan, math.inf])
def test_a_speed_that_is_none_is_refused_before_anything_is_sent(
    speed: float, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="positive number"):
        Pace(speed)
    path = tmp_path / "run.jsonl"
    path.write_text(json.dumps({"name": "start", "doc": {"uid": "u", "time": 1.0}}) + "\n")
    seen: list[str] = []
    with pytest.raises(ValueError, match="positive number"):
        replay_jsonl(path, lambda name, _: seen.append(name), speed=speed)
    assert seen == []

"""The pace of a replay."""

from __future__ import annotations

import itertools
import json
import math
import time
from pathlib import Path
from typing import Any

import pytest

from twinbeam.replay import replay_jsonl
from twinbeam.replay.pace import Pace
from twinbeam.replay.send import send


def documents(*times: float, stop: float | None = None) -> list[tuple[str, dict[str, Any]]]:
    made: list[tuple[str, dict[str, Any]]] = [("start", {"uid": "u", "time": 1000.0})]
    made += [("event", {"time": 1000.0 + t}) for t in times]
    return made if stop is None else [*made, ("stop", {"time": 1000.0 + stop})]


def sent_at(given: list[tuple[str, dict[str, Any]]], speed: float | None) -> list[float]:
    begun, at = time.monotonic(), []
    send(given, [lambda *_: at.append(time.monotonic() - begun)], speed)
    return at


def test_documents_come_when_they_came() -> None:
    at = sent_at(documents(0.1, 0.1, 0.4, stop=0.5), 1.0)
    for seen, due in zip(at, [0.0, 0.1, 0.1, 0.4, 0.5], strict=True):
        assert due - 0.001 < seen < due + 0.08


def test_faster_and_as_fast_as_possible() -> None:
    assert 0.19 < sent_at(documents(200.0, stop=200.0), 1000.0)[-1] < 0.3
    assert sent_at(documents(1e6, stop=1e6), None)[-1] < 0.1


def test_a_clock_ahead_of_the_end_of_the_run_and_one_behind_are_not_waited_for() -> None:
    at = sent_at(documents(-3600.0, 86400.0, stop=0.1), 1.0)
    assert 0.099 < at[-1] < 0.2
    assert all(a <= b for a, b in itertools.pairwise(at))


def test_documents_without_a_time_come_at_once_and_pages_at_their_first_event() -> None:
    given = documents()
    given += [("stream_resource", {}), ("event_page", {"time": [1000.1, 2000.0]})]
    given += [("event_page", {"time": []}), ("event", {"time": math.nan})]
    assert 0.099 < sent_at(given, 1.0)[-1] < 0.2


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

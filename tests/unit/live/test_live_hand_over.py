from __future__ import annotations

import logging
import threading

import pytest

from twinbeam.live import HandOver


def test_documents_come_in_order() -> None:
    seen: list[tuple[str, int]] = []
    hand_over = HandOver(lambda name, doc: seen.append((name, doc)), "test")
    for i in range(1000):
        hand_over.put("event", i)
    assert hand_over.join(30.0)
    assert seen == [("event", i) for i in range(1000)]
    assert hand_over.close()


def test_errors_are_kept_logged_and_do_not_stop_the_thread(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = []

    def target(name: str, doc: int) -> None:
        if doc % 2:
            raise ValueError(f"odd {doc}")
        seen.append(doc)

    hand_over = HandOver(target, "test-errors")
    with caplog.at_level(logging.ERROR):
        for i in range(4):
            hand_over.put("event", i)
        assert hand_over.join(30.0)
    hand_over.close()
    assert seen == [0, 2]
    assert hand_over.errors == ["ValueError: odd 1", "ValueError: odd 3"]
    assert [record.exc_info is not None for record in caplog.records if record.exc_info] == [True]


def test_closing_works_off_what_was_given() -> None:
    seen: list[int] = []
    hand_over = HandOver(lambda _, doc: seen.append(doc), "test")
    for i in range(100):
        hand_over.put("event", i)
    assert hand_over.close()
    assert hand_over.close()
    assert seen == list(range(100))
    hand_over.put("event", 100)
    assert hand_over.join(1.0)
    assert len(seen) == 100
    assert "test" not in {thread.name for thread in threading.enumerate()}


def test_waiting_and_closing_in_time_is_told() -> None:
    release = threading.Event()
    hand_over = HandOver(lambda *_: release.wait(30.0), "test-slow")  # type: ignore[arg-type]
    hand_over.put("event", 0)
    assert not hand_over.join(0.02)
    assert not hand_over.close(0.02)
    waiting = threading.Thread(target=hand_over.join)
    waiting.start()
    release.set()
    assert hand_over.close()
    waiting.join(30.0)
    assert not waiting.is_alive(), "who waits on a closed hand-over is released"

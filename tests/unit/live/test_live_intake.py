"""A service that began late hears messages of runs whose start it knows from JSON lines only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from live_runs import Run

from twinbeam.live.intake import Intake
from twinbeam.store.documents import encode_line


class Messages:
    """An inlet whose messages are put there."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, dict[str, Any]]] = []

    def wait(self, timeout_s: float) -> bool:
        return bool(self.waiting)

    def new_documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        while self.waiting:
            yield self.waiting.pop(0)


def test_messages_of_a_run_in_the_lines_are_not_counted_as_left_out(tmp_path: Path) -> None:
    run, other = Run(), Run()
    events = [run.event({}) for _ in range(3)]
    documents: list[tuple[str, Any]] = [
        ("start", run.start),
        ("descriptor", run.descriptor),
        *(("event", event) for event in events),
        ("stop", run.stop()),
    ]
    lines = tmp_path / f"{run.start['uid']}.jsonl"
    lines.write_bytes(b"".join(encode_line(name, doc) for name, doc in documents))
    inlet = Messages()
    inlet.waiting = documents[1:4]  # those before the service listened it did not hear
    intake = Intake(inlet, tmp_path)
    names = [name for _, name, _ in intake.new_documents()]
    assert names == [name for name, _ in documents]
    inlet.waiting = documents[4:]
    assert list(intake.new_documents()) == []
    assert intake.unknown == 0
    inlet.waiting = [("event", other.event({})), ("stop", other.stop()), ("event", {})]
    assert list(intake.new_documents()) == []
    assert intake.unknown == 3

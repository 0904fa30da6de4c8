"""Many runs at once, and runs that never end: each has its turn and its result."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from measurements import Measurement

from twinbeam.errors import RecipeError
from twinbeam.live import CoincidenceCallback, Update
from twinbeam.live.done import is_done
from twinbeam.live.intake import Intake
from twinbeam.live.run_job import RunJob
from twinbeam.live.service import LiveService
from twinbeam.pipeline import Result, process
from twinbeam.replay import raw_run_of_documents, replay_jsonl
from twinbeam.store import read_documents


@pytest.fixture
def frames(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.iterdir())]


class Heard:
    """A listener."""

    def __init__(self) -> None:
        self.finals: dict[str, list[tuple[Update, Result]]] = {}
        self.documents: list[tuple[str, dict[str, Any]]] = []

    def update(self, update: Update, result: Result) -> None:
        if update.final:
            self.finals.setdefault(update.run, []).append((update, result))

    def document(self, name: str, doc: dict[str, Any]) -> None:
        self.documents.append((name, doc))


class One:
    """A live service without sockets, stepped by hand."""

    def __init__(self, root: Path, **given: Any) -> None:
        self.heard = Heard()
        self.state = root / "state"
        self.state.mkdir(exist_ok=True)
        lines = root / "documents"
        intake = Intake(None, lines, lambda start, path: not is_done(self.state, path.stem, path))
        self.service = LiveService(intake, self.state, listeners=[self.heard], **given)

    def steps_until(self, condition: Callable[[], object], timeout_s: float = 200.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline
            if not self.service.step():
                time.sleep(0.01)

    def digests(self, run: Measurement) -> list[str]:
        return [result.digest() for _, result in self.heard.finals.get(run.uid, ())]


def test_five_runs_at_once_all_have_their_turn(
    tmp_path: Path, frames: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twinbeam.live.turns._ASIDE_S", 0.0)
    made: list[str] = []
    make = RunJob.__init__

    def counted(self: RunJob, start: Any, *given: Any, **more: Any) -> None:
        made.append(start["uid"])
        make(self, start, *given, **more)

    monkeypatch.setattr(RunJob, "__init__", counted)
    one = One(tmp_path)
    runs = [Measurement(tmp_path, frames) for _ in range(5)]
    for _ in range(3):
        for run in runs:
            run.write(0.5)
            run.end_frame()
            while one.service.step():
                pass
    assert one.service.n_open == 4
    for run in runs:
        run.end_frame()
        run.stop()
    one.steps_until(lambda: len(one.heard.finals) == 5)
    assert len(made) > 5  # more were set aside than are kept in memory
    for run in runs:
        assert one.digests(run) == [process(run.paths).digest()]
        (update, _) = one.heard.finals[run.uid][0]
        assert update.health.state == "complete"
    assert one.service.n_left_out == 0
    assert one.service.n_open == 0
    one.service.close()
    # one derived run each, whatever became of its job meanwhile
    starts = [doc["raw_run"] for name, doc in one.heard.documents if name == "start"]
    assert sorted(starts) == sorted(run.uid for run in runs)


def test_more_documents_than_fit_wait_on_disk(
    tmp_path: Path, frames: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twinbeam.live.waiting._MOST", 3)
    runs = [Measurement(tmp_path, frames) for _ in range(5)]
    for run in runs:
        run.all()
    one = One(tmp_path)
    one.steps_until(lambda: len(one.heard.finals) == 5)
    assert [one.digests(run) for run in runs] == [[process(run.paths).digest()] for run in runs]
    one.service.close()


@pytest.mark.parametrize("later", [True, False])
def test_a_run_that_is_never_stopped_is_closed_and_may_go_on(
    tmp_path: Path, frames: list[bytes], later: bool, callback: CoincidenceCallback
) -> None:
    one = One(tmp_path, silence_s=2.0 if later else 0.2)
    run = Measurement(tmp_path, frames)
    run.end_frame()
    run.end_frame()
    run.write(0.5)  # of a frame that no event names
    one.steps_until(lambda: one.service.latest is not None)
    others = []
    if later:
        others.append(Measurement(tmp_path, frames))
        others[0].all()
    one.steps_until(lambda: run.uid in one.heard.finals)
    (update, result) = one.heard.finals[run.uid][0]
    assert update.health.state == "interrupted"
    assert "interrupted" in update.health.problems[-1]
    assert one.digests(run) == [process(run.paths).digest()]
    for other in others:
        one.steps_until(lambda other=other: other.uid in one.heard.finals)
        assert one.digests(other) == [process(other.paths).digest()]
    # a replay gives the same, and so does whoever processes it again
    replay_jsonl(run.lines, callback)
    callback.interrupt()
    assert callback.wait(200.0)
    assert callback.health.state == "interrupted"
    assert callback.result is not None
    assert callback.result.differences(result) == []
    again = raw_run_of_documents(read_documents(run.lines))
    assert again.acquisitions == (tuple(run.paths),)
    (done,) = one.state.glob(f"{run.uid}.*.done")
    assert json.loads(done.read_text())["interrupted"] is True
    assert is_done(one.state, run.uid, run.lines)
    # somebody had only paused it
    while run.n_frames < 4:
        run.end_frame()
    run.stop()
    assert not is_done(one.state, run.uid, run.lines)
    one.steps_until(lambda: len(one.heard.finals[run.uid]) == 2)
    assert one.digests(run)[1] == process(run.paths).digest()
    assert one.heard.finals[run.uid][1][0].health.state == "complete"
    assert is_done(one.state, run.uid, run.lines)
    one.service.close()


def test_one_that_cannot_be_analysed_holds_up_nobody(
    tmp_path: Path, frames: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = Measurement(tmp_path, frames), Measurement(tmp_path, frames)
    make = RunJob.__init__

    def fails(self: RunJob, start: Any, *given: Any, **more: Any) -> None:
        if start["uid"] == bad.uid:
            raise RecipeError("its mask is gone")
        make(self, start, *given, **more)

    monkeypatch.setattr(RunJob, "__init__", fails)
    bad.all()
    good.all()
    one = One(tmp_path)
    one.steps_until(lambda: good.uid in one.heard.finals)
    assert one.digests(good) == [process(good.paths).digest()]
    assert one.service.n_left_out > 0
    one.service.close()


def test_the_next_run_closes_one_that_was_never_stopped(
    tmp_path: Path, frames: list[bytes], callback: CoincidenceCallback
) -> None:
    states: list[tuple[str, str, str]] = []

    def note(result: Result, health: Any) -> None:
        states.append((health.run, health.state, result.digest()))

    callback._on_result = note
    first = Measurement(tmp_path, frames, callback)
    first.end_frame()
    second = Measurement(tmp_path, frames, callback)
    second.all()
    first.stop()  # too late
    assert callback.wait(200.0)
    finals = {run: (state, digest) for run, state, digest in states if state != "running"}
    assert finals == {
        first.uid: ("interrupted", process(first.paths).digest()),
        second.uid: ("complete", process(second.paths).digest()),
    }
    assert callback.errors == []

"""The live service on the detector's raw TCP stream."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from event_model import compose_run
from measurements import Measurement, Service
from raw_sender import RawSender

from twinbeam.live import Update
from twinbeam.pipeline import Recipe, process
from twinbeam.store.documents import encode_line

pytestmark = pytest.mark.timeout(290)
Measure = Callable[..., Measurement]
Start = Callable[..., Service]
LISTEN = {"stream": "tcp://listen@127.0.0.1:*"}


def wait_until(condition: Callable[[], bool], timeout_s: float = 120.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def heard(one: Service) -> list[Update]:
    updates: list[Update] = []
    one.link.on_update(updates.append)
    return updates


class WithoutFiles:
    """A run whose events name no raw files."""

    def __init__(self, root: Path, send: Callable[[str, Any], None]) -> None:
        self._run = compose_run()
        self.uid = self._run.start_doc["uid"]
        self._lines = root / "documents" / f"{self.uid}.jsonl"
        self._send = send
        self._keep("start", self._run.start_doc)
        keys: Any = {"ring": {"dtype": "number", "shape": [], "source": "test"}}
        stream = self._run.compose_descriptor(name="primary", data_keys=keys)
        self._keep("descriptor", stream.descriptor_doc)
        self._keep("event", stream.compose_event(data={"ring": 400.0}, timestamps={"ring": 0.0}))

    def _keep(self, name: str, doc: Any) -> None:
        with self._lines.open("ab") as file:
            file.write(encode_line(name, doc))
        self._send(name, doc)

    def stop(self) -> None:
        self._keep("stop", self._run.compose_stop())


def test_the_stream_comes_first_and_the_files_are_the_truth(
    service: Start, measure: Measure, frames: list[bytes]
) -> None:
    one = service(options=LISTEN).warm()
    updates = heard(one)
    with RawSender(one.process.endpoints["stream"]) as sender:
        run = measure(one.link)
        for n, frame in enumerate(frames, 1):
            sender.send(frame, steps=4, wait_s=0.02)
            if n == 2:  # known from the stream alone
                sent = len(frames[0]) + len(frame)
                wait_until(lambda sent=sent: updates and updates[-1].summary["bytes"] == sent)
                assert updates[-1].health.source == "stream"
                assert updates[-1].health.files_read == n - 1
            run.end_frame()
        run.stop()
        assert one.digest(run) == process(run.paths).digest()
        stream = lambda: one.link.status(60.0)["stream"]  # noqa: E731
        wait_until(lambda: stream()["received_bytes"] == sum(map(len, frames)))
    wait_until(lambda: updates[-1].final)
    last = updates[-1]
    assert (last.health.state, last.health.source) == ("complete", "files")
    sizes = [update.summary["bytes"] for update in updates]
    assert sizes == sorted(sizes)
    assert stream()["dropped_bytes"] == 0


@pytest.mark.parametrize("dies", [False, True])
def test_without_files_the_stream_is_all_there_is(
    service: Start, frames: list[bytes], tmp_path: Path, dies: bool
) -> None:
    """This end connects; the detector's end may die within a chunk, and comes back."""
    data = b"".join(frames)
    cut = len(data) // 2 + 3
    with RawSender() as sender:
        one = service(options={"stream": sender.endpoint}).warm()
        updates = heard(one)
        run = WithoutFiles(tmp_path, one.link)
        sender.send(data[:cut], steps=5, wait_s=0.05)
        wait_until(lambda: bool(updates) and updates[-1].summary["bytes"] == cut)
        assert updates[-1].health.source == "stream"
        if dies:
            sender.drop()
        sender.send(data[cut:], steps=5, wait_s=0.05)
        run.stop()
        digest = one.digest(run)
    whole = tmp_path / "whole_000000.tpx3"
    whole.write_bytes(data)
    wait_until(lambda: updates[-1].final)
    health = updates[-1].health
    assert (health.run, health.source) == (run.uid, "stream")
    assert health.stream_bytes == len(data)
    assert health.stream_gaps == int(dies)
    assert health.state == ("damaged" if dies else "complete")
    assert (digest == process([whole]).digest()) is not dies
    for stage in updates[-1].summary["ledger"].values():
        assert stage["in"] == stage["used"] + sum(stage["rejected"].values()) + stage["dropped"]


def test_a_broken_stream_gives_way_to_the_files(
    service: Start, measure: Measure, frames: list[bytes]
) -> None:
    one = service(options=LISTEN).warm()
    updates = heard(one)
    with RawSender(one.process.endpoints["stream"]) as sender:
        run = measure(one.link)
        sender.send(frames[0])
        run.end_frame()
        sender.drop()
        sender.send(frames[2][:4096])  # the frame between was lost
        run.end_frame()
        run.write(0.5)
        known = sum(map(len, frames[:2])) + run.path(2).stat().st_size
        wait_until(lambda: bool(updates) and updates[-1].summary["bytes"] == known)
        assert updates[-1].health.source == "files"
        while run.n_frames < 8:
            run.end_frame()
        run.stop()
    assert one.digest(run) == process(run.paths, Recipe()).digest()


def test_killed_in_between_the_result_is_that_of_the_files(
    service: Start, measure: Measure, frames: list[bytes]
) -> None:
    import os
    import signal

    one = service(options=LISTEN)
    with RawSender(one.process.endpoints["stream"]) as sender:
        run = measure(one.link)
        sender.send(frames[0])
        run.end_frame()
        pid = one.process.pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: one.process.pid != pid and one.process.running)
        wait_until(lambda: one.link.alive)
        sender.drop()
        while run.n_frames < 8:
            sender.send(frames[run.n_frames])
            run.end_frame()
        run.stop()
        assert one.digest(run) == process(run.paths).digest()

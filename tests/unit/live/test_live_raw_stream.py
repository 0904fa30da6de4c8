"""The raw TCP stream: nothing is lost unsaid, and nothing is glued over a gap."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from raw_sender import RawSender

from twinbeam.errors import BeamlineError
from twinbeam.live.raw_stream import RawStream, StreamBlock
from twinbeam.live.stream_endpoint import StreamEndpoint
from twinbeam.live.stream_reduction import StreamReduction
from twinbeam.pipeline import Pipeline, Recipe, process

LISTEN = "tcp://listen@127.0.0.1:*"
EVER = {"after_s": 0.0, "until_s": float("inf")}


@pytest.fixture
def data(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


@pytest.fixture
def pair() -> Iterator[Callable[..., tuple[RawStream, RawSender]]]:
    """Function that makes a stream and a detector that sends to it, in either direction."""
    opened: list[Any] = []

    def make(direction: str, **given: Any) -> tuple[RawStream, RawSender]:
        if direction == "listen":
            stream = RawStream(LISTEN, **given)
            sender = RawSender(stream.endpoint)
        else:
            sender = RawSender()
            stream = RawStream(sender.endpoint, **given)
        opened.extend([sender, stream])
        return stream, sender

    yield make
    for one in opened:
        one.close()
    assert "twinbeam-stream" not in {thread.name for thread in threading.enumerate()}


def wait_until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def all_of(stream: RawStream, n_bytes: int) -> list[StreamBlock]:
    """What the stream gives, once it has received so many bytes."""
    wait_until(lambda: stream.received_bytes == n_bytes)
    blocks = []
    while stream.waiting_bytes:
        blocks += stream.take(1 << 20, **EVER)
    return blocks


def reduction_of(stream: RawStream, time_s: float | None = None) -> StreamReduction:
    return StreamReduction(stream, {"time": time.time() if time_s is None else time_s}, Recipe())


@pytest.mark.parametrize("direction", ["connect", "listen"])
def test_what_is_sent_arrives(
    pair: Callable[..., tuple[RawStream, RawSender]], data: bytes, direction: str
) -> None:
    stream, sender = pair(direction)
    sender.send(data, steps=7)
    blocks = all_of(stream, len(data))
    assert b"".join(block.data for block in blocks) == data
    assert [block.begins for block in blocks] == [True] + [False] * (len(blocks) - 1)
    assert stream.dropped_bytes == 0
    assert stream.as_dict()["connections"] == 1


@pytest.mark.parametrize("direction", ["connect", "listen"])
def test_a_detector_that_dies_is_waited_for(
    pair: Callable[..., tuple[RawStream, RawSender]], data: bytes, direction: str
) -> None:
    stream, sender = pair(direction)
    cut = len(data) // 2 + 3  # within a word
    sender.send(data[:cut])
    reduction = reduction_of(stream)
    wait_until(lambda: stream.received_bytes == cut)
    reduction.grow(1 << 30, time.time())
    assert reduction.whole
    sender.drop()
    sender.send(data[cut:])
    wait_until(lambda: stream.received_bytes == len(data))
    reduction.grow(1 << 30, time.time())
    result = reduction.finish()
    assert (stream.connections, reduction.gaps, reduction.whole) == (2, 1, False)
    assert result.acquisitions == 2
    assert result.census.n_bytes == len(data)
    assert result.ledger.closes
    # what was cut is counted, on either side of the cut
    assert result.census.missing_bytes + result.census.truncated_bytes > 0
    apart = Pipeline()
    apart.feed(data[:cut])
    apart.next_acquisition()
    apart.feed(data[cut:])
    assert result.differences(apart.finish()) == []


def test_the_oldest_bytes_are_dropped_and_counted(
    pair: Callable[..., tuple[RawStream, RawSender]], data: bytes
) -> None:
    room = 1 << 18
    stream, sender = pair("listen", most_bytes=room)
    data = data * (1 + 4 * room // len(data))
    sender.send(data)
    wait_until(lambda: stream.received_bytes == len(data))
    assert 0 < stream.waiting_bytes <= room
    assert stream.dropped_bytes == len(data) - stream.waiting_bytes
    (first, *others) = all_of(stream, len(data))
    assert first.lost_bytes == stream.dropped_bytes
    assert all(block.follows for block in others)
    left = b"".join(block.data for block in [first, *others])
    assert left == data[-len(left) :]
    assert stream.received_bytes == stream.taken_bytes + stream.dropped_bytes


def test_a_drop_is_a_gap_over_which_nothing_is_glued(
    pair: Callable[..., tuple[RawStream, RawSender]], data: bytes
) -> None:
    room = 1 << 17
    stream, sender = pair("connect", most_bytes=room)
    head = data[: 8 * (len(data) // 24)]
    later = (data * (1 + 4 * room // len(data)))[len(head) :]
    reduction = reduction_of(stream)
    sender.send(head)
    n = 0
    while n < len(head):
        n += reduction.grow(1 << 30, time.time())
    sender.send(later)  # nobody takes it
    sent = len(head) + len(later)
    wait_until(lambda: stream.received_bytes == sent)
    while reduction.grow(1 << 30, time.time()):
        pass
    result = reduction.finish()
    dropped = stream.dropped_bytes
    assert dropped == sent - reduction.n_bytes > 0
    assert (reduction.gaps, reduction.dropped_bytes) == (1, dropped)
    stage = result.ledger.stages["bytes"]
    assert (stage.taken, stage.dropped) == (sent, dropped)
    assert result.ledger.closes
    assert f"{dropped:,} bytes" in reduction.problems()[0]
    apart = Pipeline()
    apart.feed(head)
    apart.next_acquisition()
    apart.feed(later[dropped:])
    alone = apart.finish()
    assert result.differences(alone) == ["ledger"]
    assert result.census == alone.census


def test_whole_it_gives_what_the_files_give(
    pair: Callable[..., tuple[RawStream, RawSender]], data: bytes, folder: Path
) -> None:
    stream, sender = pair("listen")
    reduction = reduction_of(stream)
    sender.send(data, steps=13)
    sender.drop()
    reduction.settle(time.time())
    assert reduction.finish().digest() == process(sorted(folder.iterdir())).digest()
    assert reduction.problems() == []


def test_bytes_of_another_time_are_no_part_of_the_run(
    pair: Callable[..., tuple[RawStream, RawSender]], data: bytes
) -> None:
    stream, sender = pair("listen")
    sender.send(data)
    wait_until(lambda: stream.received_bytes == len(data))
    before = reduction_of(stream, time.time() - 3600.0)
    assert before.late
    assert "had begun" in before.problems()[0]
    after = reduction_of(stream, time.time() + 3600.0)
    assert after.grow(1 << 30, float("inf")) == 0
    assert stream.stray_bytes == len(data)
    sender.send(data)
    wait_until(lambda: stream.received_bytes == 2 * len(data))
    assert before.grow(1 << 30, time.time() - 3600.0) == 0
    assert stream.waiting_bytes == len(data)


@pytest.mark.parametrize(
    "text",
    ["", "tcp://127.0.0.1:8085", "udp://listen@h:1", "tcp://both@h:1", "tcp://connect@h",
     "tcp://connect@h:*", "tcp://listen@h:99999", "tcp://listen@h:1/x", "tcp://listen@:1"],
)  # fmt: skip
def test_other_endpoints_are_refused(text: str) -> None:
    with pytest.raises(BeamlineError, match="raw stream"):
        StreamEndpoint.parse(text)


def test_an_endpoint_that_is_taken_is_refused(
    pair: Callable[..., tuple[RawStream, RawSender]],
) -> None:
    stream, _ = pair("listen")
    assert str(StreamEndpoint.parse(stream.endpoint)) == stream.endpoint
    with pytest.raises(BeamlineError, match="cannot listen"):
        RawStream(stream.endpoint)

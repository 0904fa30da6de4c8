"""Steps beside each other: order, how far they run ahead, errors, and threads that end."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbeam.pipeline.relay import VALID_FOR, relay


@settings(max_examples=30, deadline=None)
@given(n=st.integers(0, 60), n_steps=st.integers(1, 4), threads=st.integers(1, 6))
def test_every_step_sees_every_item_in_order(n: int, n_steps: int, threads: int) -> None:
    seen: list[list[int]] = [[] for _ in range(n_steps)]

    def step(k: int, item: int) -> int:
        seen[k].append(item)
        return item + 1000

    steps = [lambda item, k=k: step(k, item) for k in range(n_steps)]
    relay(iter(range(n)), steps, threads)
    assert seen == [[item + 1000 * k for item in range(n)] for k in range(n_steps)]


def test_an_item_is_asked_for_when_the_one_before_is_used_up() -> None:
    in_use = 0

    def source() -> Iterator[int]:
        for item in range(50):
            assert not in_use
            yield item

    def first(item: int) -> int:
        nonlocal in_use
        in_use += 1
        result = item * 2
        in_use -= 1
        return result

    out: list[int] = []
    relay(source(), [first, out.append], 2)
    assert out == list(range(0, 100, 2))


def test_no_more_results_exist_than_a_step_must_keep_valid() -> None:
    held: Counter[str] = Counter()
    most: Counter[str] = Counter()
    gate = threading.Event()

    def make(item: int) -> int:
        # results that were made and not used up, while the next is in the making
        most["first"] = max(most["first"], held["first"])
        held["first"] += 1
        return item

    def use(item: int) -> int:
        if not gate.is_set():
            deadline = time.monotonic() + 60.0
            while most["first"] < VALID_FOR and time.monotonic() < deadline:
                time.sleep(0.005)
            gate.wait(0.2)  # the first step has run ahead as far as it may
            gate.set()
        held["first"] -= 1
        return item

    relay(iter(range(200)), [make, use], 2)
    assert most["first"] == VALID_FOR
    assert held["first"] == 0


def test_two_steps_are_done_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=30.0)
    met: list[tuple[str, int]] = []

    def first(item: int) -> int:
        if item == 1:
            meeting.wait()
            met.append(("first", item))
        return item

    def second(item: int) -> None:
        if item == 0:
            meeting.wait()
            met.append(("second", item))

    relay(iter(range(2)), [first, second], 2)
    assert sorted(met) == [("first", 1), ("second", 0)]


@pytest.mark.parametrize("where", ["source", 0, 1, 2])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_an_error_ends_it_and_leaves_no_thread(where: str | int, threads: int) -> None:
    before = set(threading.enumerate())

    def source() -> Iterator[int]:
        for item in range(1000):
            if where == "source" and item == 7:
                raise OSError("gone")
            yield item

    def step(k: int, item: int) -> int:
        if where == k and item == 7:
            raise OSError("gone")
        return item

    done: list[int] = []
    steps = [lambda item, k=k: step(k, item) for k in range(3)]
    with pytest.raises(OSError, match="gone"):
        relay(source(), [*steps, done.append], threads)
    assert done == list(range(len(done)))
    assert len(done) <= 7
    assert set(threading.enumerate()) == before

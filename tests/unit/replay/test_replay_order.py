from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from twinbeam.replay.order import in_order


def descriptor(stream: str, time: float, uid: str | None = None) -> tuple[str, dict[str, Any]]:
    return "descriptor", {"uid": uid or f"d-{stream}", "name": stream, "time": time}


def event(stream: str, number: int, time: float, uid: str | None = None) -> Any:
    return "event", {"descriptor": uid or f"d-{stream}", "seq_num": number, "time": time}


START = ("start", {"uid": "A", "time": 0.0})
STOP = ("stop", {"run_start": "A", "time": 99.0})


def test_events_older_than_their_descriptor_follow_it() -> None:
    given_order = [START, event("fly", 1, 2.0), event("fly", 2, 3.0), descriptor("fly", 5.0), STOP]
    assert in_order(given_order) == [
        START,
        descriptor("fly", 5.0),
        event("fly", 1, 2.0),
        event("fly", 2, 3.0),
        STOP,
    ]


def test_streams_are_merged_by_time() -> None:
    sent = [
        START,
        descriptor("baseline", 1.0),
        event("baseline", 1, 1.1),
        descriptor("primary", 2.0),
        event("primary", 1, 2.1),
        event("primary", 2, 2.2),
        event("baseline", 2, 3.0),
        STOP,
    ]
    grouped = [START, *sorted(sent[1:-1], key=lambda item: item[1].get("name", "")), STOP]
    assert in_order(grouped) == sent


def test_a_changed_configuration_comes_before_the_events_that_have_it() -> None:
    sent = [
        START,
        descriptor("primary", 1.0, "d1"),
        event("primary", 1, 1.5, "d1"),
        descriptor("primary", 2.0, "d2"),
        event("primary", 2, 2.5, "d2"),
        STOP,
    ]
    shuffled = [START, sent[1], sent[3], sent[2], sent[4], STOP]
    assert in_order(shuffled) == sent


def test_external_data_come_last() -> None:
    external = [("stream_resource", {"uid": "r"}), ("stream_datum", {"uid": "s"})]
    given_order = [START, external[0], descriptor("primary", 1.0), external[1], STOP]
    assert in_order(given_order) == [START, descriptor("primary", 1.0), *external, STOP]


@given(
    times=st.dictionaries(
        st.sampled_from(["primary", "baseline", "fly"]),
        st.lists(st.floats(0, 100), min_size=1, max_size=8),
        min_size=1,
    ),
    seed=st.integers(),
)
def test_any_times_give_a_valid_order_in_which_nothing_is_lost(
    times: dict[str, list[float]], seed: int
) -> None:
    documents = [descriptor(stream, stamps[0]) for stream, stamps in times.items()]
    for stream, stamps in times.items():
        documents += [event(stream, n, t) for n, t in enumerate(stamps[1:], 1)]
    random.Random(seed).shuffle(documents)
    ordered = in_order([START, *documents, STOP])
    assert sorted(map(repr, ordered)) == sorted(map(repr, [START, *documents, STOP]))
    assert ordered[0] == START
    assert ordered[-1] == STOP
    seen: dict[str, int] = {}
    for name, doc in ordered[1:-1]:
        if name == "descriptor":
            seen[doc["uid"]] = 0
        else:
            assert doc["seq_num"] == seen[doc["descriptor"]] + 1
            seen[doc["descriptor"]] += 1

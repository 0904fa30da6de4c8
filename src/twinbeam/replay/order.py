"""The order of replayed documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["in_order"]

Document = tuple[str, dict[str, Any]]


def in_order(documents: Iterable[Document]) -> list[Document]:
    """Documents of one run in an order a RunEngine could have sent them in.

    Tiled gives them sorted by time, which is wrong where clocks differ: an event stamped by a
    detector can be older than the descriptor of its stream, and a clock that is set back shuffles
    a stream. Here the events of a stream follow its first descriptor and each other by number;
    streams are merged by time. Documents without a time, of external data, come last, before the
    stop.

    Parameters
    ----------
    documents
        Pairs of name and document; events must not be in pages.
    """
    given = list(documents)
    head = [item for item in given if item[0] == "start"]
    tail = [item for item in given if item[0] == "stop"]
    external = [item for item in given if item[0] in ("stream_resource", "stream_datum")]
    stream_of = {doc["uid"]: doc["name"] for name, doc in given if name == "descriptor"}

    streams: dict[str, list[Document]] = {}
    for name, doc in given:
        if name == "descriptor":
            streams.setdefault(doc["name"], []).append((name, doc))
        elif name == "event":
            streams.setdefault(stream_of[doc["descriptor"]], []).append((name, doc))
    keyed = [
        (time, position, item)
        for position, stream in enumerate(streams.values())
        for time, item in _monotonic(stream)
    ]
    keyed.sort(key=lambda entry: entry[:2])  # stable: within a stream the order stays
    return [*head, *(item for _, _, item in keyed), *external, *tail]


def _monotonic(stream: list[Document]) -> list[tuple[float, Document]]:
    """A stream in its own order, each document with a time no earlier than the one before."""
    descriptors = [item for item in stream if item[0] == "descriptor"]
    events = sorted((item for item in stream if item[0] == "event"), key=lambda e: e[1]["seq_num"])
    rank = {doc["uid"]: number for number, (_, doc) in enumerate(descriptors)}
    ordered: list[Document] = []
    sent = 0
    for item in events:
        needed = rank[item[1]["descriptor"]] + 1
        ordered += descriptors[sent:needed]
        sent = max(sent, needed)
        ordered.append(item)
    ordered += descriptors[sent:]
    timed, latest = [], float("-inf")
    for item in ordered:
        latest = max(latest, item[1]["time"])
        timed.append((latest, item))
    return timed

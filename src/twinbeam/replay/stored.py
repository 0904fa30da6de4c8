"""Replay of a stored run through databroker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from twinbeam.errors import StorageError
from twinbeam.replay.find import find_run
from twinbeam.replay.order import in_order
from twinbeam.replay.send import Callback, send
from twinbeam.store import Catalog

__all__ = ["replay", "stored_documents"]


def replay(source: Any, key: str | int, *callbacks: Callback, speed: float | None = None) -> str:
    """Send the documents of a stored run to callbacks, as the RunEngine did, and return its uid.

    The documents come from `databroker`. They are made anew from what is stored:

    - start and stop, and the uid, name, keys, configuration and hints of descriptors, and the
      `seq_num`, `time`, `data` and `timestamps` of events are those that were stored;
    - event uids are new, pages of events come as single events, and descriptors tell
      `dtype_numpy` and `object_name` of every key;
    - numpy scalars come as Python numbers, arrays and tuples as lists; whole numbers come as
      floats where the descriptor declares a number or another event of the run has a fraction;
    - in metadata, NaN comes as None and integers beyond ±(2^53 - 1) come clipped to it;
    - a key named `time` or `seq_num` comes with a `_` appended, and one that begins with `ts_`
      not at all.

    `replay_jsonl` gives the original documents. A run that was never stopped comes without stop.

    Parameters
    ----------
    source
        A `databroker.Broker` or an open `Catalog`, whose container `raw` is then meant.
    key
        As for `find_run`.
    callbacks
        Called in their order with each document's name and the document, a plain dictionary that
        they share as with the RunEngine.
    speed
        1 sends each document when it came after the first one, by the times in them; 10 is ten
        times faster. As fast as possible when left out.

    Raises
    ------
    StorageError
        If the run is not found, or fewer of its events are stored than its stop document counts.
    ValueError
        If `speed` is not a positive number.
    """
    uid, documents = stored_documents(source, key)
    send(documents, callbacks, speed)
    return uid


def stored_documents(source: Any, key: str | int) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
    """Uid of a stored run and its documents as `replay` sends them.

    Raises
    ------
    StorageError
        As `replay`.
    """
    header = find_run(source.broker() if isinstance(source, Catalog) else source, key)
    # Not header.documents(): it leaves out, silently, events that are older than their
    # descriptor, as those stamped by a detector with a clock of its own can be.
    documents = in_order(
        (name, doc.to_dict()) for name, doc in header.v2.documents() if name != "stop" or doc
    )
    _check_complete(header.uid, documents)
    return str(header.uid), documents


def _check_complete(uid: str, documents: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Raise if events are missing that the stop document counts."""
    names: dict[str, str] = {}
    with_external: set[str] = set()  # a stream of external data alone need not have events
    events: Counter[str] = Counter()
    counted: dict[str, int] = {}
    for name, doc in documents:
        if name == "descriptor":
            names[doc["uid"]] = doc["name"]
            if any("external" in key for key in doc["data_keys"].values()):
                with_external.add(doc["name"])
        elif name == "event":
            events[names[doc["descriptor"]]] += 1
        elif name == "stop":
            counted = doc.get("num_events") or {}
    for stream, expected in counted.items():
        if events[stream] < expected and stream not in with_external:
            raise StorageError(
                f"only {events[stream]} of {expected} events of stream '{stream}' are stored",
                where=f"run {uid}",
                hint="store it anew from its JSON lines, or replay those",
            )

"""Whether all events of a run are stored, each once."""

from __future__ import annotations

from collections import Counter
from typing import Any

__all__ = ["EventCount", "is_whole"]


class EventCount:
    """Counts the events of one run, document by document.

    Attributes
    ----------
    start
        The start document, once it was counted.
    events
        Events by stream.
    stopped
        Whether the stop document was counted.
    """

    def __init__(self) -> None:
        self.start: dict[str, Any] | None = None
        self.events: Counter[str] = Counter()
        self.stopped = False
        self._streams: dict[str, str] = {}

    def add(self, name: str, document: dict[str, Any]) -> None:
        """Count one document."""
        if name == "start":
            self.start = document
        elif name == "descriptor":
            self._streams[document["uid"]] = document["name"]
        elif name == "event":
            self.events[self._streams[document["descriptor"]]] += 1
        elif name == "event_page":
            self.events[self._streams[document["descriptor"]]] += len(document["seq_num"])
        elif name == "stop":
            self.stopped = True


def is_whole(container: Any, run: str, count: EventCount) -> bool:
    """Whether a tiled container of runs holds exactly the counted events, and the stop if any."""
    stored = container[run]
    if count.stopped and not stored.metadata.get("stop"):
        return False
    return all(
        stream in stored and len(stored[stream]["seq_num"].read()) == events
        for stream, events in count.events.items()
    )

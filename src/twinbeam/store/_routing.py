"""Which run a document belongs to: only some documents say it themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["RunRouting"]

# The key through which a document names another, whose run is its own.
_POINTERS = {
    "event": "descriptor",
    "event_page": "descriptor",
    "stream_datum": "descriptor",
    "datum": "resource",
    "datum_page": "resource",
}


class RunRouting:
    """Run of every document, learnt from the documents before it; runs may interleave."""

    def __init__(self) -> None:
        self._run_of: dict[str, str] = {}  # uid of a descriptor or resource → uid of its run
        self._open: list[str] = []

    def run_of(self, name: str, document: Mapping[str, Any]) -> str:
        """Uid of the run.

        Raises
        ------
        KeyError
            If the document belongs to a run whose start was not seen, or which has stopped.
        """
        if name == "start":
            self._open.append(document["uid"])
            return document["uid"]
        pointer = _POINTERS.get(name)
        if pointer is not None:
            return self._run_of[document[pointer]]
        # Resources of old devices do not name their run; it is the one opened last.
        run = document["run_start"] if "run_start" in document else self._open[-1]
        if run not in self._open:
            raise KeyError(run)
        if name == "stop":
            self._forget(run)
        else:
            self._run_of[document["uid"]] = run
        return run

    def _forget(self, run: str) -> None:
        self._open.remove(run)
        self._run_of = {uid: owner for uid, owner in self._run_of.items() if owner != run}

"""Replay of a run from its JSON lines: the documents as they were."""

from __future__ import annotations

from pathlib import Path

from twinbeam.errors import StorageError
from twinbeam.replay.send import Callback, send
from twinbeam.store import read_documents

__all__ = ["replay_jsonl"]


def replay_jsonl(path: str | Path, *callbacks: Callback, speed: float | None = None) -> str:
    """Send the documents of a JSON-lines file to callbacks and return the run's uid.

    They are the documents the RunEngine sent, in its order, except that numpy scalars are Python
    numbers, and arrays and tuples lists.

    Parameters
    ----------
    path
        A file of the catalogue's folder `documents`, or what `RunWriter.path` gives.
    callbacks
        Called in their order with each document's name and the document.
    speed
        As for `replay`.

    Raises
    ------
    StorageError
        If the file is missing or damaged, or does not begin with a start document; nothing is sent
        then.
    ValueError
        If `speed` is not a positive number.
    """
    documents = list(read_documents(path))
    if not documents:
        raise StorageError("holds no documents", where=str(path))
    name, start = documents[0]
    if name != "start":
        raise StorageError("does not begin with a start document", where=str(path))
    send(documents, callbacks, speed)
    return str(start["uid"])

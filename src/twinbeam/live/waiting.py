"""Documents of runs that wait for their turn."""

from __future__ import annotations

from collections import deque
from typing import Any

__all__ = ["Documents", "WaitingRuns"]

Documents = list[tuple[str, dict[str, Any]]]

_MOST = 200_000


class WaitingRuns:
    """What was heard and not worked off yet, run by run in the order in which they were heard of.

    Attributes
    ----------
    n
        Documents that wait.
    """

    def __init__(self) -> None:
        self._runs: dict[str, deque[tuple[str, dict[str, Any]]]] = {}
        self.n = 0

    @property
    def full(self) -> bool:
        """Whether what can be read later had better be left where it is for now."""
        return self.n >= _MOST

    @property
    def runs(self) -> list[str]:
        """Runs of which something waits."""
        return [run for run, documents in self._runs.items() if documents]

    def has(self, run: str) -> bool:
        """Whether something of a run waits."""
        return bool(self._runs.get(run))

    def add(self, run: str, name: str, doc: dict[str, Any]) -> None:
        """Put a document behind those of its run."""
        self._runs.setdefault(run, deque()).append((name, doc))
        self.n += 1

    def first(self, run: str, most: int) -> Documents:
        """The first documents of a run, which stay."""
        documents = self._runs.get(run, ())
        return [documents[i] for i in range(min(most, len(documents)))]

    def remove(self, run: str, n: int | None = None) -> int:
        """Remove the first documents of a run, or all; return how many."""
        documents = self._runs.get(run, deque())
        n = len(documents) if n is None else n
        for _ in range(n):
            documents.popleft()
        self.n -= n
        if not documents:
            self._runs.pop(run, None)
        return n

"""The documents of all runs, from messages and from JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from twinbeam.live.lines_follower import LinesFollower
from twinbeam.store._routing import RunRouting

__all__ = ["Inlet", "Intake"]

_MOST_LEARNT = 1000  # messages of a run come at about the same time as its lines


class Inlet(Protocol):
    """Where messages with documents arrive."""

    def wait(self, timeout_s: float) -> bool:
        """Wait for a message; whether there is one."""

    def new_documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and document of every message that is there."""


class Intake:
    """Gives every document of a run once.

    Where the run's JSON lines can be read they are what counts, since nothing is missing in them;
    a message then only says that there is something new. Documents of other runs are taken from
    the messages themselves.

    Parameters
    ----------
    inlet
        Where messages arrive; None when there are none.
    lines
        Folder of the JSON lines; None when it cannot be read from here.
    wanted
        Says of a start document, and the file of JSON lines it is from if it is from one, whether
        the run is of interest.

    Attributes
    ----------
    unknown
        Messages of runs whose start was not heard.
    """

    def __init__(
        self,
        inlet: Inlet | None,
        lines: Path | None,
        wanted: Callable[[Mapping[str, Any], Path | None], bool] = lambda start, path: True,
    ) -> None:
        self._inlet = inlet
        self._wanted = wanted
        self._passed_over: set[str] = set()
        self._lines = (
            None if lines is None else LinesFollower(lines, lambda path, start: wanted(start, path))
        )
        self._routing = RunRouting()
        self._run_in_lines: dict[str, str] = {}  # uid of a descriptor or resource → its run
        self.unknown = 0

    def wait(self, timeout_s: float) -> None:
        """Wait for a message."""
        if self._inlet is not None:
            self._inlet.wait(timeout_s)

    def new_documents(self, *, lines: bool = True) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Run, name and document of all that is new.

        Parameters
        ----------
        lines
            Whether to read JSON lines, which stay where they are and can be read later.
        """
        strange: list[dict[str, Any]] = []
        for name, doc in () if self._inlet is None else self._inlet.new_documents():
            try:
                run = self._routing.run_of(name, doc)
            except (KeyError, IndexError, TypeError):
                strange.append(doc)  # of a run whose start came before this process listened
                continue
            if self._lines is not None and self._lines.has(run):
                continue
            if name == "start" and not self._wanted(doc, None):
                self._passed_over.add(run)
            if run not in self._passed_over:
                yield run, name, doc
            elif name == "stop":
                self._passed_over.discard(run)
        if lines and self._lines is not None:
            for run, name, doc in self._lines.new_documents():
                self._learn(run, name, doc)
                yield run, name, doc
        self.unknown += sum(not self._is_in_lines(doc) for doc in strange)

    def _learn(self, run: str, name: str, doc: Mapping[str, Any]) -> None:
        if name in ("descriptor", "resource", "stream_resource") and "uid" in doc:
            self._run_in_lines[str(doc["uid"])] = run
            while len(self._run_in_lines) > _MOST_LEARNT:
                del self._run_in_lines[next(iter(self._run_in_lines))]

    def _is_in_lines(self, doc: Mapping[str, Any]) -> bool:
        """Whether the run of a document is followed by its JSON lines."""
        named = (doc.get(key) for key in ("descriptor", "resource", "stream_resource"))
        run = doc.get("run_start") or next(
            (self._run_in_lines[uid] for uid in named if uid in self._run_in_lines), None
        )
        return run is not None and self._lines is not None and self._lines.has(str(run))

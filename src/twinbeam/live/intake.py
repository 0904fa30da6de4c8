"""The documents of all runs, from messages and from JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from twinbeam.live.inlet import ZmqInlet
from twinbeam.live.lines_follower import LinesFollower
from twinbeam.store._routing import RunRouting

__all__ = ["Intake"]


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
        Says of a file of JSON lines that is seen for the first time whether it is of interest.
    """

    def __init__(
        self,
        inlet: Any,
        lines: Path | None,
        wanted: Callable[[Path, Mapping[str, Any]], bool] = lambda path, start: True,
    ) -> None:
        self._inlet: ZmqInlet | None = inlet
        self._lines = None if lines is None else LinesFollower(lines, wanted)
        self._routing = RunRouting()
        self.unknown = 0

    def wait(self, timeout_s: float) -> None:
        """Wait for a message."""
        if self._inlet is not None:
            self._inlet.wait(timeout_s)

    def new_documents(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Run, name and document of all that is new."""
        for name, doc in () if self._inlet is None else self._inlet.new_documents():
            try:
                run = self._routing.run_of(name, doc)
            except (KeyError, IndexError, TypeError):
                self.unknown += 1  # of a run whose start came before this process listened
                continue
            if self._lines is None or not self._lines.has(run):
                yield run, name, doc
        if self._lines is not None:
            yield from self._lines.new_documents()

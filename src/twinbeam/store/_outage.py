"""What the user hears of a tiled that is down, full or slow: once, and once when it is back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["Outage"]

_SLOW_S = 30.0  # so long nothing was stored although something waits

_log = logging.getLogger(__name__)


class Outage:
    """Whether tiled takes what it is given, told when that changes.

    Parameters
    ----------
    tell
        Called with a sentence; logs a warning by default. What it raises is ignored.
    where
        The catalogue, as `--catalog` takes it.
    lines
        Folder of the JSON lines.
    """

    def __init__(self, tell: Callable[[str], object] | None, where: str, lines: Path) -> None:
        self._tell = tell or _log.warning
        self._where, self._lines = where, lines
        self._told = False
        self._missing: list[str] = []
        self._began_s: float | None = None
        self._lock = threading.Lock()

    def begin(self) -> None:
        """A batch is given to tiled."""
        self._began_s = time.monotonic()

    def end(self) -> None:
        """The batch is stored or refused."""
        self._began_s = None

    def waits(self, count: int) -> None:
        """So many documents wait; returns at once."""
        began_s = self._began_s
        if began_s is not None and not self._told and time.monotonic() - began_s > _SLOW_S:
            self._begins(f"has not answered for {_SLOW_S:.0f} s; {count} documents wait")

    def refused(self, run: str, error: Exception) -> None:
        """Documents of a run were refused, also when they were tried anew."""
        if not self._told:
            self._begins(f"does not take run {run}: {type(error).__name__}: {error}")

    def given_up(self, run: str) -> None:
        """A run has stopped and is not stored."""
        self._missing.append(run)

    def taken(self) -> None:
        """Documents were stored."""
        if not self._told:
            return
        missing, self._missing, self._told = self._missing, [], False
        more = ""
        if missing:
            more = (
                f"; {len(missing)} run(s) taken meanwhile are not whole there: "
                f"'twinbeam ingest {' '.join(str(self._lines / f'{run}.jsonl') for run in missing)}"
                f" --replace --catalog {self._where}' stores them"
            )
        self._say(f"tiled takes runs again ({self._where}){more}")

    def _begins(self, problem: str) -> None:
        with self._lock:
            if self._told:
                return
            self._told = True
        again = f"'twinbeam ingest {self._lines}/RUN.jsonl --replace --catalog {self._where}'"
        self._say(
            f"tiled {problem} ({self._where}). The run goes on and nothing is lost: every document "
            f"is kept in {self._lines}. What tiled lacks is tried again when the run stops; after "
            f"that {again} stores it"
        )

    def _say(self, sentence: str) -> None:
        try:
            self._tell(sentence)
        except Exception:  # whoever is told must not end the thread that stores
            _log.exception("%s", sentence)

"""Whose turn it is: one run at a time is worked off, and none loses its turn."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from twinbeam.errors import TwinbeamError
from twinbeam.live.derived_run import DerivedRun
from twinbeam.live.run_job import RunJob
from twinbeam.live.waiting import Documents, WaitingRuns

__all__ = ["Turn", "Turns"]

_log = logging.getLogger(__name__)

_ASIDE_S = 2.0  # a run of which nothing comes for so long lets others go first
_MOST_ASIDE = 2  # each holds its maps in memory; what is more has a checkpoint
_MOST_CLOSED = 100  # interrupted runs that are remembered, should they go on after all
_SOONER = 10.0  # so much shorter is the silence that is waited for when a later run has begun


@dataclass
class Turn:
    """The work on one run.

    Attributes
    ----------
    start
        Its start document.
    job
        The analysis; None when it was put down for others and has to be taken up again.
    taken
        Documents it was given.
    order
        Grows from run to run in the order in which they began.
    derived
        The derived run that tells of it, once there is something to tell.
    new
        Whether there is something that was not published.
    moved_s
        When something was done last.
    interrupted
        Whether it was closed without a stop document.
    """

    start: Mapping[str, Any]
    job: RunJob | None
    order: int
    taken: Documents = field(default_factory=list)
    derived: DerivedRun | None = None
    new: bool = False
    moved_s: float = field(default_factory=time.monotonic)
    interrupted: bool = False

    @property
    def run(self) -> str:
        """Uid of the run."""
        return str(self.start["uid"])

    def take(self, documents: Documents) -> None:
        """Give the first documents to the job, and remember them."""
        assert self.job is not None
        n = self.job.take_some(documents)
        self.taken += documents[:n]
        self.moved_s = time.monotonic()
        names = {name for name, _ in documents[:n]}
        self.new |= self.job.has_data and names != {"descriptor"}

    def interrupt(self) -> None:
        """Close it without a stop document."""
        assert self.job is not None
        _log.warning("run %s: its documents ended without a stop", self.run)
        self.job.interrupt()
        self.interrupted, self.new = True, self.job.has_data
        self.moved_s = time.monotonic()


class Turns:
    """Runs that are open, waiting or set aside.

    A run keeps its turn until it is over or nothing came of it for a while. Those set aside go on
    when something comes of them; most of them are on disk only, as a checkpoint. A run that stays
    silent is closed as interrupted; should it go on after all it is taken up again.

    Parameters
    ----------
    make_job
        Makes the job of a run from its start document; the second value says whether it has just
        begun.
    silence_s
        How long nothing may come of an open run, in seconds; a tenth when a later run has begun.

    Attributes
    ----------
    present
        Whose turn it is.
    waiting
        Documents not worked off yet.
    n_left_out
        Documents of runs whose start was not seen, or that cannot be analysed.
    """

    def __init__(
        self, make_job: Callable[[Mapping[str, Any], bool], RunJob], silence_s: float
    ) -> None:
        self._make_job = make_job
        self._silence_s = silence_s
        self.waiting = WaitingRuns()
        self.present: Turn | None = None
        self._aside: dict[str, Turn] = {}
        self._closed: dict[str, Turn] = {}
        self._n_begun = 0
        self._order: dict[str, int] = {}
        self.n_left_out = 0

    def add(self, run: str, name: str, doc: dict[str, Any]) -> None:
        """Hear a document."""
        if name == "start":
            self._n_begun += 1
            self._order[run] = self._n_begun
        self.waiting.add(run, name, doc)

    @property
    def n_open(self) -> int:
        """Runs that wait or were set aside."""
        runs = {*self.waiting.runs, *self._aside}
        if self.present is not None:
            runs.discard(self.present.run)
        return len(runs)

    def jobs(self) -> Iterator[RunJob]:
        """The jobs in memory."""
        for turn in (self.present, *self._aside.values()):
            if turn is not None and turn.job is not None:
                yield turn.job

    def next(self) -> None:
        """Give the turn to another run if it is time."""
        turn = self.present
        if turn is not None and turn.job is not None:
            if self.waiting.has(turn.run):
                if turn.job.over:
                    self._after_the_end(turn)
                return
            if not turn.job.over and self._is_silent(turn):
                turn.interrupt()
                return
            if not turn.job.over and time.monotonic() - turn.moved_s <= _ASIDE_S:
                return
        following = self._following()
        if following is None:
            return
        if turn is not None:
            self._put_down(turn)
        self.present = following

    def _following(self) -> Turn | None:
        """The run that waits longest, or one that has been silent for too long."""
        for run in self.waiting.runs:
            if self.present is not None and run == self.present.run:
                continue
            turn = self._begun(run)
            if turn is not None:
                return turn
        silent = next((turn for turn in self._aside.values() if self._is_silent(turn)), None)
        return None if silent is None else self._begun(silent.run)

    def _begun(self, run: str) -> Turn | None:
        """The turn of a run, with its job; None when there can be none."""
        turn = self._aside.pop(run, None) or self._closed.pop(run, None)
        if turn is None:
            name, start = self.waiting.first(run, 1)[0]
            if name != "start":
                self._leave_out(run, "their start was not seen")
                return None
            self.waiting.remove(run, 1)
            turn = Turn(start, None, self._order.pop(run, 0))
        if turn.job is None and not self._take_up(turn):
            return None
        return turn

    def _take_up(self, turn: Turn) -> bool:
        """Make the job of a turn, with all that was given to the one before."""
        try:
            turn.job = self._make_job(turn.start, not turn.taken)
        except TwinbeamError as error:
            self._leave_out(turn.run, f"it cannot be analysed: {error}")
            return False
        if turn.derived is not None and turn.interrupted:
            turn.derived = None
        turn.interrupted = False
        documents, turn.taken, moved_s = turn.taken, [], turn.moved_s
        while len(turn.taken) < len(documents):
            turn.take(documents[len(turn.taken) :])
        turn.moved_s = moved_s
        return True

    def _leave_out(self, run: str, why: str) -> None:
        n = self.waiting.remove(run)
        self.n_left_out += n
        _log.warning("run %s: %d documents left out, %s", run, n, why)

    def _after_the_end(self, turn: Turn) -> None:
        """Something comes of a run that is over."""
        if not turn.interrupted:
            self._leave_out(turn.run, "the run is over")
            return
        _log.warning("run %s goes on after all", turn.run)
        turn.job, turn.moved_s = None, time.monotonic()
        self.present = turn if self._take_up(turn) else None

    def _put_down(self, turn: Turn) -> None:
        """Set a run aside, or be done with it."""
        assert turn.job is not None
        if turn.job.over:
            if turn.interrupted:
                turn.job = None
                self._closed[turn.run] = turn
                if len(self._closed) > _MOST_CLOSED:
                    self._closed.pop(next(iter(self._closed)))
            return
        turn.job.checkpoint(now=True)
        if turn.job.stream is not None:
            turn.job.stream.interrupt()
        self._aside[turn.run] = turn
        held = [aside for aside in self._aside.values() if aside.job is not None]
        for aside in held[:-_MOST_ASIDE]:
            aside.job = None

    def _is_silent(self, turn: Turn) -> bool:
        """Whether nothing came of an open run for so long that it is taken for interrupted."""
        limit_s = self._silence_s / (_SOONER if turn.order < self._n_begun else 1.0)
        return not self.waiting.has(turn.run) and time.monotonic() - turn.moved_s > limit_s

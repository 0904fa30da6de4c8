"""The live service: documents in, results out, whatever happens to the processes around it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from twinbeam.errors import TwinbeamError
from twinbeam.live.derived_run import DerivedRun
from twinbeam.live.intake import Intake
from twinbeam.live.run_job import RunJob, mark_done
from twinbeam.live.second_job import SecondJob
from twinbeam.live.update import Update
from twinbeam.pipeline import Recipe, Result

__all__ = ["Listener", "LiveService"]

_log = logging.getLogger(__name__)

_STEP_BYTES = 1 << 22  # read at a time; bounds how long anything else waits
_IDLE_S = 0.05
_PUBLISH_S = 0.25
_SUMMARY_S = 1.0
_ASIDE_S = 2.0  # a run of which nothing comes for so long lets others go first
_MOST_ASIDE = 2  # each holds its maps in memory


class Listener(Protocol):
    """Who is told of results."""

    def update(self, update: Update, result: Result) -> None:
        """A new result; called about four times a second while there is something new."""

    def document(self, name: str, doc: dict[str, Any]) -> None:
        """A document of the derived run."""


@dataclass
class _Turn:
    """The work on one run.

    Attributes
    ----------
    job
        The analysis.
    taken
        Documents it was given.
    derived
        The derived run that tells of it, once there is something to tell.
    new
        Whether there is something that was not published.
    moved_s
        When something was done last.
    """

    job: RunJob
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    derived: DerivedRun | None = None
    new: bool = False
    moved_s: float = field(default_factory=time.monotonic)


class LiveService:
    """Works off runs one after the other and publishes what comes out.

    Everything happens in the thread that calls `step` or `run`; `change_recipe` and `stop` may be
    called from any.

    Parameters
    ----------
    intake
        Where documents come from.
    state
        Folder of the checkpoints.
    recipe
        Recipe to use instead of those of the runs.
    listeners
        Told of every result.
    checkpoint_s
        Time between two checkpoints, in seconds.
    stores
        Whether somebody else calls `mark_done`, once a final result is stored.

    Attributes
    ----------
    n_left_out
        Documents of runs whose start was not seen, or which were set aside for too many others.
    """

    def __init__(
        self,
        intake: Intake,
        state: Path,
        *,
        recipe: Recipe | None = None,
        listeners: list[Listener] | None = None,
        checkpoint_s: float = 30.0,
        stores: bool = False,
    ) -> None:
        self._stores = stores
        self._intake = intake
        self._state = state
        self._recipe = recipe
        self._listeners = listeners or []
        self._checkpoint_s = checkpoint_s
        self._waiting: dict[str, deque[tuple[str, dict[str, Any]]]] = {}
        self._turn: _Turn | None = None
        self._aside: dict[str, _Turn] = {}
        self._second: SecondJob | None = None
        self.n_left_out = 0
        self._published_s = self._summed_s = 0.0
        self._latest: Update | None = None
        self._stopping = threading.Event()
        self._asked: deque[Recipe | None] = deque()

    @property
    def latest(self) -> Update | None:
        """The newest update of any run."""
        return self._latest

    def change_recipe(self, values: Mapping[str, Any] | None) -> str:
        """Use another recipe from now on, for the present run from its first byte; its hash.

        The result with the old one goes on being published until the new one has caught up.

        Parameters
        ----------
        values
            The recipe; None for that of each run.

        Raises
        ------
        RecipeError
            If it is none.
        """
        recipe = None if values is None else Recipe.from_mapping(values, where="asked for")
        self._asked.append(recipe)
        return recipe.hash if recipe is not None else ""

    def stop(self) -> None:
        """Let `run` end soon."""
        self._stopping.set()

    def run(self) -> None:
        """Work until `stop` is called; what is unfinished then is kept in a checkpoint."""
        try:
            while not self._stopping.is_set():
                if not self.step():
                    self._intake.wait(_IDLE_S)
        finally:
            self.close()

    def close(self) -> None:
        """Keep what is unfinished."""
        if self._second is not None:
            self._second.close()
        for turn in (self._turn, *self._aside.values()):
            if turn is not None:
                turn.job.checkpoint(now=True)

    def step(self) -> bool:
        """Do a little of whatever there is to do; whether there was anything."""
        busy = False
        for run, name, doc in self._intake.new_documents():
            self._waiting.setdefault(run, deque()).append((name, doc))
            busy = True
        if self._asked:
            self._take_recipe(self._asked.popleft())
        self._look_at_second()
        self._next_run()
        if self._turn is None:
            return busy
        busy |= self._advance(self._turn)
        try:
            self._publish(self._turn)
        except Exception:
            # a result that cannot be told must not stop what is measured next
            _log.exception("run %s: a result was not published", self._turn.job.run)
        self._turn.job.checkpoint()
        return busy

    # --- runs -------------------------------------------------------------------------------

    def _next_run(self) -> None:
        """Take up the run that waits longest, when the present one is over or nothing comes."""
        turn = self._turn
        if turn is not None and not self._lets_go(turn):
            return
        for run in [run for run, documents in self._waiting.items() if documents]:
            if turn is not None and not turn.job.over:
                turn.job.checkpoint(now=True)
                self._aside[turn.job.run] = turn
                if len(self._aside) > _MOST_ASIDE:
                    self._aside.pop(next(iter(self._aside)))
            back = self._aside.pop(run, None)
            if back is None:
                name, start = self._waiting[run].popleft()
                if name != "start":
                    left_out = self._waiting.pop(run)
                    self.n_left_out += 1 + len(left_out)
                    _log.warning("run %s: documents left out, their start was not seen", run)
                    continue
                every_s = self._checkpoint_s
                back = _Turn(RunJob(start, self._recipe, self._state, checkpoint_s=every_s))
            self._turn = back
            return

    def _lets_go(self, turn: _Turn) -> bool:
        """Whether another run may have its turn."""
        if self._waiting.get(turn.job.run) or self._second is not None:
            return False
        self._waiting.pop(turn.job.run, None)
        return turn.job.over or time.monotonic() - turn.moved_s > _ASIDE_S

    def _advance(self, turn: _Turn) -> bool:
        documents = self._waiting.get(turn.job.run)
        if documents:
            name, doc = documents.popleft()
            turn.taken.append((name, doc))
            turn.new |= self._give(turn.job, name, doc)
        elif turn.job.over or not turn.job.grow(_STEP_BYTES):
            return False
        else:
            turn.new = True
        turn.moved_s = time.monotonic()
        return True

    def _give(self, job: RunJob, name: str, doc: dict[str, Any]) -> bool:
        """Give a document to a job; whether there may be a new result."""
        try:
            job.take(name, doc)
        except Exception as error:
            # one run that cannot be analysed must not stop those that follow
            _log.exception("run %s: a %s document failed", job.run, name)
            job.reduction.note(f"{type(error).__name__}: {error}")
        return job.reduction.has_raw_data and name != "descriptor"

    # --- another recipe ---------------------------------------------------------------------

    def _take_recipe(self, recipe: Recipe | None) -> None:
        self._recipe = recipe
        turn = self._turn
        if self._second is not None:
            self._second.close()
            self._second = None
        if turn is None:
            return
        job = turn.job
        try:
            second = RunJob(job.start, recipe, self._state, checkpoint_s=self._checkpoint_s)
        except TwinbeamError as error:
            job.reduction.note(f"the other recipe cannot be used: {error}")
            return
        if second.recipe.hash != job.recipe.hash:
            self._second = SecondJob(second, turn.taken)

    def _look_at_second(self) -> None:
        """Let the job with the other recipe take over once it has caught up."""
        second, turn = self._second, self._turn
        if second is None or turn is None or not second.ready:
            return
        self._second = None
        if turn.derived is not None and not turn.job.over:
            turn.derived.finish(None, "another recipe is used")
        self._turn = _Turn(second.job, taken=turn.taken, new=True)
        for name, doc in turn.taken[second.n_taken :]:
            self._give(second.job, name, doc)

    # --- results ----------------------------------------------------------------------------

    def _publish(self, turn: _Turn) -> None:
        now_s = time.monotonic()
        job = turn.job
        if not turn.new or (not job.over and now_s - self._published_s < _PUBLISH_S):
            return
        turn.new = False
        update = job.refresh()
        self._latest = update
        self._published_s = time.monotonic()
        result = job.reduction.result
        for listener in self._listeners:
            listener.update(update, result)
        if turn.derived is None:
            recipe = (job.recipe.as_dict(), job.recipe.hash)
            turn.derived = DerivedRun(job.start, recipe, self._tell)
            self._summed_s = 0.0
        if update.final or now_s - self._summed_s >= _SUMMARY_S:
            self._summed_s = now_s
            turn.derived.add(update)
        if update.final:
            turn.derived.finish(result, "; ".join(job.reduction.health.problems))
            if not self._stores:
                mark_done(self._state, job.run, job.recipe.hash, result.digest())

    def _tell(self, name: str, doc: dict[str, Any]) -> None:
        for listener in self._listeners:
            listener.document(name, doc)

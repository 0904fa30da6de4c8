"""The live service: documents in, results out, whatever happens to the processes around it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from twinbeam.errors import TwinbeamError
from twinbeam.live.asked_recipe import AskedRecipe
from twinbeam.live.derived_run import DerivedRun
from twinbeam.live.done import mark_done
from twinbeam.live.give_back import give_back
from twinbeam.live.intake import Intake
from twinbeam.live.raw_stream import RawStream
from twinbeam.live.run_job import RunJob
from twinbeam.live.second_job import SecondJob
from twinbeam.live.turns import Turn, Turns
from twinbeam.live.update import Update
from twinbeam.pipeline import Recipe, Result

__all__ = ["Listener", "LiveService"]

_log = logging.getLogger(__name__)

_STEP_BYTES = 1 << 24  # read at a time; bounds how long anything else waits
_AT_ONCE = 32  # documents of a run that are looked at together
_IDLE_S = 0.05
_PUBLISH_S = 0.25
_STREAM_IDLE_S, _STREAM_PUBLISH_S = 0.01, 0.1  # who wants the stream wants it soon
_SUMMARY_S = 1.0
_PAUSE = 1.0  # so many times as long as publishing took, nothing is published


class Listener(Protocol):
    """Who is told of results."""

    def update(self, update: Update, result: Result) -> None:
        """A new result; called about four times a second while there is something new."""

    def document(self, name: str, doc: dict[str, Any]) -> None:
        """A document of the derived run."""


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
    silence_s
        How long nothing may come of a run before it is closed as interrupted, in seconds; a tenth
        when a later run has begun.
    stream
        The detector's raw stream, if it is listened to.
    stores
        Whether somebody else calls `mark_done`, once a final result is stored.
    """

    def __init__(
        self,
        intake: Intake,
        state: Path,
        *,
        recipe: Recipe | None = None,
        listeners: list[Listener] | None = None,
        checkpoint_s: float = 30.0,
        silence_s: float = 600.0,
        stream: RawStream | None = None,
        stores: bool = False,
    ) -> None:
        self._stores = stores
        self._intake = intake
        self._state = state
        self._asked_before = AskedRecipe(state)
        self._recipe = recipe or self._asked_before.read()
        self._listeners = listeners or []
        self._checkpoint_s = checkpoint_s
        self._stream = stream
        self._turns = Turns(self._job, silence_s)
        self._second: SecondJob | None = None
        self._published_s = self._summed_s = self._took_s = 0.0
        self._latest: Update | None = None
        self._stopping = threading.Event()
        self._asked: deque[Recipe | None] = deque()

    @property
    def latest(self) -> Update | None:
        """The newest update of any run."""
        return self._latest

    @property
    def n_left_out(self) -> int:
        """Documents of runs whose start was not seen, or that cannot be analysed."""
        return self._turns.n_left_out

    @property
    def n_open(self) -> int:
        """Runs that wait for their turn or were set aside."""
        return self._turns.n_open

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
        idle_s = _IDLE_S if self._stream is None else _STREAM_IDLE_S
        try:
            while not self._stopping.is_set():
                if not self.step():
                    self._intake.wait(idle_s)
            self._asked_before.keep(None)
        except KeyboardInterrupt:
            self._asked_before.keep(None)
            raise
        finally:
            self.close()

    def close(self) -> None:
        """Keep what is unfinished."""
        if self._second is not None:
            self._second.close()
        for job in self._turns.jobs():
            job.checkpoint(now=True)

    def step(self) -> bool:
        """Do a little of whatever there is to do; whether there was anything."""
        busy = False
        looked_s = time.time()
        for run, name, doc in self._intake.new_documents(lines=not self._turns.waiting.full):
            self._turns.add(run, name, doc)
            busy = True
        if self._asked:
            self._take_recipe(self._asked.popleft())
        self._look_at_second()
        if self._second is None:
            self._turns.next()
        turn = self._turns.present
        if turn is None or turn.job is None:
            return busy
        busy |= self._advance(turn, turn.job, looked_s)
        try:
            self._publish(turn, turn.job)
        except Exception:
            # a result that cannot be told must not stop what is measured next
            _log.exception("run %s: a result was not published", turn.run)
        turn.job.checkpoint()
        return busy

    def _advance(self, turn: Turn, job: RunJob, looked_s: float) -> bool:
        """Work off the next documents of a run, or else its next bytes."""
        waiting = self._turns.waiting
        if job.over:
            return False
        documents = waiting.first(turn.run, _AT_ONCE)
        if documents:
            before = len(turn.taken)
            turn.take(documents)
            waiting.remove(turn.run, len(turn.taken) - before)
        elif job.grow(_STEP_BYTES, looked_s):
            turn.new = True
            turn.moved_s = time.monotonic()
        else:
            return False
        return True

    def _job(self, start: Mapping[str, Any], begins: bool) -> RunJob:
        """The job of a run; the stream is of use for one that is followed from its beginning."""
        stream = self._stream if begins else None
        every_s = self._checkpoint_s
        return RunJob(start, self._recipe, self._state, checkpoint_s=every_s, stream=stream)

    # --- another recipe ---------------------------------------------------------------------

    def _take_recipe(self, recipe: Recipe | None) -> None:
        self._recipe = recipe
        self._asked_before.keep(recipe)
        turn = self._turns.present
        if self._second is not None:
            self._second.close()
            self._second = None
        if turn is None or turn.job is None:
            return
        job = turn.job
        if job.has_data and not job.reduction.has_raw_data:
            job.reduction.note("the run is in the stream only: its recipe cannot be changed")
            return
        try:
            second = RunJob(job.start, recipe, self._state, checkpoint_s=self._checkpoint_s)
        except TwinbeamError as error:
            job.reduction.note(f"the other recipe cannot be used: {error}")
            return
        if second.recipe.hash != job.recipe.hash:
            self._second = SecondJob(second, turn.taken)

    def _look_at_second(self) -> None:
        """Let the job with the other recipe take over once it has caught up."""
        second, turn = self._second, self._turns.present
        if second is None or turn is None or turn.job is None or not second.ready:
            return
        self._second = None
        if turn.derived is not None and not turn.job.over:
            turn.derived.finish(None, "another recipe is used")
        n = second.n_taken
        other = Turn(turn.start, second.job, turn.order, turn.taken[:n], new=True)
        while len(other.taken) < len(turn.taken):
            other.take(turn.taken[len(other.taken) :])
        if turn.interrupted:
            other.interrupt()
        self._turns.present = other

    # --- results ----------------------------------------------------------------------------

    def _publish(self, turn: Turn, job: RunJob) -> None:
        now_s = time.monotonic()
        every_s = max(_STREAM_PUBLISH_S if job.streams else _PUBLISH_S, _PAUSE * self._took_s)
        if not turn.new or (not job.over and now_s - self._published_s < every_s):
            return
        turn.new = False
        update = job.refresh()
        self._latest = update
        self._published_s = time.monotonic()
        result = job.reduction.result
        for listener in self._listeners:
            listener.update(update, result)
        self._took_s = time.monotonic() - now_s
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
                mark_done(
                    self._state,
                    job.run,
                    job.recipe.hash,
                    result.digest(),
                    interrupted=update.health.state == "interrupted",
                )
            give_back()

    def _tell(self, name: str, doc: dict[str, Any]) -> None:
        for listener in self._listeners:
            listener.document(name, doc)

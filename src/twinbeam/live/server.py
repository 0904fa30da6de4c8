"""The live service with its sockets around it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from twinbeam.errors import BeamlineError
from twinbeam.live.control import ControlSocket
from twinbeam.live.inlet import ZmqInlet
from twinbeam.live.intake import Intake
from twinbeam.live.outlet import ZmqOutlet
from twinbeam.live.recorder import Recorder
from twinbeam.live.run_job import is_done, mark_done
from twinbeam.live.service import Listener, LiveService
from twinbeam.live.update import Update
from twinbeam.parameters import Parameters
from twinbeam.pipeline import Recipe, Result
from twinbeam.store import Catalog

__all__ = ["LiveServer", "LiveSettings"]

# One whose parent has died may still be ending, while the parent's successor starts another.
_LOCK_S = 30.0


class LiveSettings(Parameters):
    """Where the live service listens and what it keeps."""

    documents: str = Field(
        default="tcp://127.0.0.1:5577",
        description="Endpoint at which documents arrive by ZMQ; * as port takes a free one.",
    )
    results: str = Field(
        default="tcp://127.0.0.1:5578",
        description="Endpoint at which results are published; * as port takes a free one.",
    )
    control: str = Field(
        default="tcp://127.0.0.1:5579",
        description="Endpoint at which requests are answered; * as port takes a free one.",
    )
    checkpoint_s: float = Field(
        default=30.0,
        ge=0.1,
        le=3600.0,
        description="Time between two checkpoints, in s; so much is read again after a crash.",
    )
    since_h: float = Field(
        default=24.0,
        ge=0.0,
        le=1e5,
        description="At start, runs are caught up whose documents changed in the last so many h.",
    )


class LiveServer:
    """Opens everything the service needs; a context manager.

    Parameters
    ----------
    settings
        Where it listens.
    token
        Documents and requests without it are refused.
    state
        Folder of the checkpoints; made if need be, for this user only.
    lines
        Folder of the JSON lines of runs, if it can be read from here.
    catalog
        Where results are stored, if anywhere.
    recipe
        Recipe to use instead of those of the runs.

    Raises
    ------
    BeamlineError
        If a socket cannot be opened, or another service uses the same state.
    """

    def __init__(
        self,
        settings: LiveSettings,
        token: str,
        state: Path,
        *,
        lines: Path | None = None,
        catalog: Catalog | None = None,
        recipe: Recipe | None = None,
    ) -> None:
        self._began_s = time.time()
        self._state = state
        self._since_s = self._began_s - 3600.0 * settings.since_h
        self._warm_up = threading.Thread(target=_warm_up, name="twinbeam-compile", daemon=True)
        self._warm_up.start()
        with ExitStack() as closing:
            closing.callback(self._warm_up.join)
            closing.enter_context(_locked(state))
            self.inlet = ZmqInlet(settings.documents, token)
            closing.callback(self.inlet.close)
            self.recorder: Recorder | None = None
            self.outlet = ZmqOutlet(settings.results, self._alive)
            closing.callback(self.outlet.close)
            if catalog is not None:
                self.recorder = Recorder(catalog, self._tell_stored)
                closing.callback(self.recorder.close)
            listeners: list[Listener] = [_Publisher(self.outlet)]
            if self.recorder is not None:
                listeners.append(self.recorder)
            self._intake = Intake(self.inlet, lines, self._wanted)
            self.service = LiveService(
                self._intake,
                state,
                recipe=recipe,
                listeners=listeners,
                checkpoint_s=settings.checkpoint_s,
                stores=self.recorder is not None,
            )
            requests = {"status": self._status, "recipe": self._recipe, "stop": self._stop}
            self.control = ControlSocket(settings.control, token, requests)
            closing.callback(self.control.close)
            self._closing = closing.pop_all()

    def run(self) -> None:
        """Work until somebody stops it."""
        self.service.run()

    @property
    def endpoints(self) -> dict[str, str]:
        """Where it listens and publishes."""
        return {
            "documents": self.inlet.endpoint,
            "results": self.outlet.endpoint,
            "control": self.control.endpoint,
        }

    def _wanted(self, path: Path, start: Mapping[str, Any]) -> bool:
        """Whether a run that was there before is to be caught up; derived runs are our own."""
        try:
            if "raw_run" in start or path.stat().st_mtime < self._since_s:
                return False
            return not is_done(self._state, path.stem)
        except OSError:
            return False

    def _alive(self) -> dict[str, Any]:
        """The sign of life."""
        return self._status({})

    def _tell_stored(self, run: str, recipe_hash: str, digest: str) -> None:
        mark_done(self._state, run, recipe_hash, digest)
        stored = {"run": run, "recipe_hash": recipe_hash, "digest": digest}
        self.outlet.send("stored", stored)

    def _status(self, _: dict[str, Any]) -> dict[str, Any]:
        service = getattr(self, "service", None)
        update: Update | None = service.latest if service is not None else None
        recorder = self.recorder
        return {
            "pid": os.getpid(),
            "warm": not self._warm_up.is_alive(),
            "since": self._began_s,
            "run": update.run if update else "",
            "version": update.version if update else 0,
            "state": update.health.state if update else "waiting",
            "lag_s": update.lag_s if update else 0.0,
            "refused": self.inlet.refused,
            "left_out": 0 if service is None else service.n_left_out + self._intake.unknown,
            "problems": [] if recorder is None else list(recorder.problems),
        }

    def _recipe(self, content: dict[str, Any]) -> dict[str, Any]:
        return {"recipe_hash": self.service.change_recipe(content.get("recipe"))}

    def _stop(self, _: dict[str, Any]) -> dict[str, Any]:
        self.service.stop()
        return {"stopping": True}

    def close(self) -> None:
        """Close everything; may be called again."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _warm_up() -> None:
    """Compile and import what the first result needs, on a moment of simulated data."""
    from twinbeam.pipeline import Pipeline, summary
    from twinbeam.simulate import Experiment

    experiment = Experiment(seed=0)
    pipeline = Pipeline()
    pipeline.feed(experiment.start() + experiment.advance(0.2) + experiment.stop())
    summary(pipeline.finish())


class _Publisher:
    """Listener that publishes."""

    def __init__(self, outlet: ZmqOutlet) -> None:
        self._outlet = outlet

    def update(self, update: Update, result: Result) -> None:
        self._outlet.send("update", update.as_dict())

    def document(self, name: str, doc: dict[str, Any]) -> None:
        self._outlet.send(name, doc)


def _locked(state: Path) -> Any:
    """The state folder, locked until the returned file is closed."""
    from twinbeam.errors import StorageError
    from twinbeam.store._lock import lock_folder

    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise BeamlineError(
            f"the folder of the checkpoints cannot be made: {error.strerror}", where=str(state)
        ) from error
    deadline_s = time.monotonic() + _LOCK_S
    while True:
        try:
            return lock_folder(state)
        except StorageError as error:
            if time.monotonic() < deadline_s:
                time.sleep(0.1)
                continue
            raise BeamlineError(
                "another live service uses these checkpoints",
                where=str(state),
                hint="stop it, or give this one a folder of its own with --state",
            ) from error

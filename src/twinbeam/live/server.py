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
from twinbeam.live.done import is_done, mark_done
from twinbeam.live.inlet import ZmqInlet
from twinbeam.live.intake import Intake
from twinbeam.live.kafka_inlet import KafkaInlet
from twinbeam.live.outlet import ZmqOutlet
from twinbeam.live.raw_stream import RawStream
from twinbeam.live.recorder import Recorder
from twinbeam.live.service import Listener, LiveService
from twinbeam.live.update import Update
from twinbeam.parameter_file import read_parameter_file
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
    kafka: str = Field(
        default="",
        description="Kafka brokers from which documents come instead, host:port with commas.",
    )
    topic: str = Field(default="", description="Kafka topic of the documents.")
    kafka_config: str = Field(
        default="",
        description="YAML file with further settings of librdkafka, such as those of SASL.",
    )
    silence_s: float = Field(
        default=600.0,
        ge=1.0,
        le=1e6,
        description="A run without a stop document of which nothing came for so long, in s, is"
        " closed as interrupted; after a tenth of it when a later run has begun.",
    )
    stream: str = Field(
        default="",
        description="The detector's raw TCP stream, tcp://connect@host:port or"
        " tcp://listen@host:port; files that grow are read when empty.",
    )
    stream_buffer_mb: float = Field(
        default=256.0,
        ge=1.0,
        le=1e5,
        description="Bytes of the stream that wait at most, in MB; the oldest are dropped then.",
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
        Documents and requests without it are refused, and results cannot be read.
    state
        Folder of the checkpoints; made if need be, for this user only.
    lines
        Folder of the JSON lines of runs, if it can be read from here.
    catalog
        Where results are stored, if anywhere.
    recipe
        Recipe to use instead of those of the runs.
    showcase
        Keeps the newest result for those who look at it in this process.

    Attributes
    ----------
    about
        What else its status tells, as the address of a page.

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
        showcase: Listener | None = None,
    ) -> None:
        self.about: dict[str, str] = {}
        self._began_s = time.time()
        self._state = state
        self._since_s = self._began_s - 3600.0 * settings.since_h
        self._warm_up = threading.Thread(target=_warm_up, name="twinbeam-compile", daemon=True)
        self._warm_up.start()
        with ExitStack() as closing:
            closing.callback(self._warm_up.join)
            closing.enter_context(_locked(state))
            self.stream: RawStream | None = None
            if settings.stream:
                n_bytes = int(settings.stream_buffer_mb * 1e6)
                self.stream = RawStream(settings.stream, most_bytes=n_bytes)
                closing.callback(self.stream.close)
            self.inlet = self._opened_inlet(settings, token)
            closing.callback(self.inlet.close)
            self.recorder: Recorder | None = None
            self.outlet = ZmqOutlet(settings.results, token, self._alive)
            closing.callback(self.outlet.close)
            if catalog is not None:
                self.recorder = Recorder(catalog, self._tell_stored)
                closing.callback(self.recorder.close)
            listeners: list[Listener] = [_Publisher(self.outlet)]
            if self.recorder is not None:
                listeners.append(self.recorder)
            if showcase is not None:
                listeners.append(showcase)
            self._intake = Intake(self.inlet, lines, self._wanted)
            self.service = LiveService(
                self._intake,
                state,
                recipe=recipe,
                listeners=listeners,
                checkpoint_s=settings.checkpoint_s,
                silence_s=settings.silence_s,
                stream=self.stream,
                stores=self.recorder is not None,
            )
            requests = {"status": self._answer, "recipe": self._recipe, "stop": self._stop}
            self.control = ControlSocket(settings.control, token, requests)
            closing.callback(self.control.close)
            self._closing = closing.pop_all()

    def _opened_inlet(self, settings: LiveSettings, token: str) -> ZmqInlet | KafkaInlet:
        """Where documents arrive."""
        if not settings.kafka:
            return ZmqInlet(settings.documents, token)
        values = {}
        if settings.kafka_config:
            values = read_parameter_file(settings.kafka_config, "settings are a mapping of names")
        return KafkaInlet(settings.kafka, settings.topic, since_s=self._since_s, options=values)

    def run(self) -> None:
        """Work until somebody stops it."""
        self.service.run()

    @property
    def endpoints(self) -> dict[str, str]:
        """Where it listens and publishes."""
        ends = {
            "documents": self.inlet.endpoint,
            "results": self.outlet.endpoint,
            "control": self.control.endpoint,
        }
        return ends if self.stream is None else {**ends, "stream": self.stream.endpoint}

    def _wanted(self, start: Mapping[str, Any], path: Path | None) -> bool:
        """Whether a run is to be worked off; derived runs are our own."""
        try:
            if "raw_run" in start or (path and path.stat().st_mtime < self._since_s):
                return False
            run = path.stem if path else str(start["uid"])
            return not is_done(self._state, run, path)
        except (OSError, KeyError):
            return False

    def _alive(self) -> dict[str, Any]:
        """The sign of life."""
        return self._status({})

    def _tell_stored(self, update: Update, digest: str) -> None:
        run, recipe_hash = update.run, update.recipe_hash
        interrupted = update.health.state == "interrupted"
        mark_done(self._state, run, recipe_hash, digest, interrupted=interrupted)
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
            "open": 0 if service is None else service.n_open,
            "stream": {} if self.stream is None else self.stream.as_dict(),
            "left_out": 0 if service is None else service.n_left_out + self._intake.unknown,
            "problems": [] if recorder is None else list(recorder.problems),
        }

    def _answer(self, content: dict[str, Any]) -> dict[str, Any]:
        """The status, for who has the token: everybody hears the sign of life."""
        return {**self._status(content), **self.about}

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

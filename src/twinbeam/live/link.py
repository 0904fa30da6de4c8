"""The RunEngine's end of the live service."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from twinbeam.errors import BeamlineError
from twinbeam.live.control import ask
from twinbeam.live.curve import with_token
from twinbeam.live.outlet import HEARTBEAT_S
from twinbeam.live.update import Update
from twinbeam.live.wire import PUBLIC, decode, encode
from twinbeam.pipeline import Recipe

__all__ = ["LiveLink"]

_log = logging.getLogger(__name__)

_SILENT_S = 10 * HEARTBEAT_S
_MOST_WAITING = 100_000  # documents kept while there is no connection


class LiveLink:
    """Subscribe it to a RunEngine: it hands documents to the live service and hears its results.

    A call takes microseconds and never raises, whether the service is there, slow or dead; nothing
    is lost, since the service reads what it missed from the JSON lines and the raw files. Somebody
    is told once when it is silent and once when it is back.

    Parameters
    ----------
    documents, results, control
        Where the service listens, publishes and answers; no documents are handed over when the
        first is None, as when they go by Kafka.
    token
        The service's secret.
    tell
        Called with a sentence when the service falls silent or comes back; logs it by default.
    """

    def __init__(
        self,
        documents: str | None,
        results: str,
        control: str,
        token: str,
        *,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        import zmq

        self._again = zmq.Again
        self._flags = zmq.NOBLOCK
        self._token = token
        self._control = control
        self._tell = tell or _log.warning
        self._context = zmq.Context()
        self._publisher = self._context.socket(zmq.PUB)
        self._publisher.setsockopt(zmq.LINGER, 200)
        self._publisher.setsockopt(zmq.SNDHWM, _MOST_WAITING)
        self._hands_over = documents is not None
        if documents is not None:
            self._publisher.connect(documents)
        self._subscriber = self._context.socket(zmq.SUB)
        self._subscriber.setsockopt(zmq.LINGER, 0)
        self._subscriber.setsockopt(zmq.SUBSCRIBE, b"")
        with_token(token, self._subscriber)
        self._subscriber.connect(results)
        self._sending = threading.Lock()
        self._changed = threading.Condition()
        self._updates: dict[str, Update] = {}
        self._stored: dict[tuple[str, str], str] = {}
        self._latest: Update | None = None
        self._callbacks: list[Callable[[str, dict[str, Any]], object]] = []
        self._on_update: list[Callable[[Update], object]] = []
        self._looked_s = time.monotonic()
        self._silent_s = 0.0
        self._alive: Mapping[str, Any] | None = None
        self._silent = False
        self._problems: list[str] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="twinbeam-link", daemon=True)
        self._thread.start()

    def __call__(self, name: str, doc: Mapping[str, Any]) -> None:
        """Hand over one document."""
        try:
            message = encode(self._token, name, doc)
            with self._sending:
                if self._hands_over and not self._publisher.closed:
                    self._publisher.send(message, self._flags)
        except Exception as error:  # the run goes on, and the service reads the JSON lines
            self._problem(f"a {name} document was not handed over: {error}")

    # --- what the service says --------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether the service gave a sign of life lately."""
        return self._alive is not None and not self._silent

    @property
    def latest(self) -> Update | None:
        """The newest result; None before there is one."""
        return self._latest

    @property
    def problems(self) -> list[str]:
        """What went wrong at this end, each said once."""
        return list(self._problems)

    def of(self, run: str) -> Update | None:
        """The newest result of a run."""
        return self._updates.get(run)

    def subscribe(self, callback: Callable[[str, dict[str, Any]], object]) -> None:
        """Call something with every document of derived runs, in the link's thread."""
        self._callbacks.append(callback)

    def on_update(self, callback: Callable[[Update], object]) -> None:
        """Call something with every update, in the link's thread."""
        self._on_update.append(callback)

    def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until a condition holds that an update or sign of life can make true."""
        with self._changed:
            return self._changed.wait_for(condition, timeout_s)

    def wait_final(self, run: str, timeout_s: float) -> Update | None:
        """Wait for the final result of a run; the newest one there is when the time is up."""

        def is_final() -> bool:
            update = self._updates.get(run)
            return update is not None and update.final

        self.wait_for(is_final, timeout_s)
        return self._updates.get(run)

    def wait_stored(self, run: str, recipe_hash: str, timeout_s: float) -> str | None:
        """Wait until a run's final result is in the catalogue; its digest, if that is in time."""
        self.wait_for(lambda: (run, recipe_hash) in self._stored, timeout_s)
        return self._stored.get((run, recipe_hash))

    # --- requests ---------------------------------------------------------------------------

    def status(self, timeout_s: float = 5.0) -> dict[str, Any]:
        """What the service is doing; raises BeamlineError when it does not answer."""
        return ask(self._control, self._token, "status", timeout_s=timeout_s)

    def change_recipe(self, recipe: Recipe | None, timeout_s: float = 5.0) -> None:
        """Have another recipe used from now on, and for the present run from its first byte.

        Raises
        ------
        BeamlineError
            If the service does not answer or refuses.
        """
        values = None if recipe is None else recipe.as_dict()
        ask(self._control, self._token, "recipe", {"recipe": values}, timeout_s=timeout_s)

    def close(self) -> None:
        """Hand over what is waiting, if it can be, and end the thread; may be called again."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join()
        with self._sending:
            self._publisher.close()
        self._subscriber.close()
        self._context.term()

    # --- the thread -------------------------------------------------------------------------

    def _listen(self) -> None:
        while not self._closing.is_set():
            if self._subscriber.poll(int(HEARTBEAT_S * 500)):
                try:
                    name, doc = decode(PUBLIC, self._subscriber.recv(self._flags))
                except (BeamlineError, self._again):
                    continue
                self._hear(name, doc)
            self._watch()

    def _hear(self, name: str, doc: dict[str, Any]) -> None:
        self._silent_s = 0.0
        update: Update | None = None
        if name == "alive":
            self._alive = doc
        elif name == "update":
            try:
                update = Update.from_dict(doc)
            except (TypeError, KeyError) as error:
                self._problem(f"an update cannot be read: {error!r}")
        elif name == "stored":
            key = str(doc.get("run")), str(doc.get("recipe_hash"))
            self._stored[key] = str(doc.get("digest"))
        elif name != "goodbye":
            for callback in self._callbacks:
                self._guarded(callback, name, doc)
        with self._changed:
            if update is not None:
                self._updates[update.run] = self._latest = update
            self._changed.notify_all()
        if update is not None:
            for on_update in self._on_update:
                self._guarded(on_update, update)

    def _guarded(self, callback: Callable[..., object], *values: Any) -> None:
        try:
            callback(*values)
        except Exception as error:
            self._problem(f"{callback!r} failed: {type(error).__name__}: {error}")

    def _watch(self) -> None:
        now_s = time.monotonic()
        # time in which this process did not run, as on a machine that slept, is no silence
        self._silent_s += min(now_s - self._looked_s, HEARTBEAT_S)
        self._looked_s = now_s
        silent = self._silent_s > _SILENT_S
        if silent and not self._silent:
            self._tell(
                "the live service is silent; the run goes on, nothing is lost, and results are"
                " caught up when it is back ('twinbeam live' starts it)"
            )
        elif self._silent and not silent:
            self._tell("the live service is back")
        self._silent = silent

    def _problem(self, problem: str) -> None:
        if problem not in self._problems:
            self._problems.append(problem)
            _log.warning("%s", problem)

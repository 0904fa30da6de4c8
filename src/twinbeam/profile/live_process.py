"""The live service as a child process that is started again when it dies."""

from __future__ import annotations

import json
import logging
import os
import secrets
import selectors
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from twinbeam.errors import BeamlineError

__all__ = ["LiveProcess"]

_log = logging.getLogger(__name__)

_READY_S = 60.0
_STOP_S = 20.0
_MOST_RESTARTS = 4  # in a minute; a service that dies at once is not started for ever


class LiveProcess:
    """Runs `twinbeam live`; a context manager.

    The endpoints are chosen at the first start and stay, so whoever is connected finds the service
    again after it was started anew.

    Parameters
    ----------
    lines
        Folder of the JSON lines of runs.
    state
        Folder of its checkpoints and of its log, `live.log`.
    catalog
        URI of the tiled server in which it stores results, if any.
    token
        The secret it shares with its clients.
    api_key
        Of the tiled server.
    options
        Further options of the command.
    page
        Whether it also serves the page people watch, under an address that stays.
    restarts
        How often in a minute it is started again when it dies; 0 leaves it dead.
    tell
        Called with a sentence when it died and was started again, or is given up.

    Attributes
    ----------
    endpoints
        Where it listens (`documents`, `control`, and `stream` when that option is given) and
        publishes (`results`).
    page
        Address of the page, with its secret; empty without one.

    Raises
    ------
    BeamlineError
        If it does not start.
    """

    def __init__(
        self,
        lines: Path,
        state: Path,
        *,
        token: str,
        catalog: str | None = None,
        api_key: str | None = None,
        options: Mapping[str, str] | None = None,
        page: bool = False,
        restarts: int = _MOST_RESTARTS,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._tell = tell or _log.warning
        self._arguments = [f"--lines={lines}", f"--state={state}", f"--parent-pid={os.getpid()}"]
        given = dict(options or {})
        stream = {"stream": given.pop("stream")} if "stream" in given else {}
        self._arguments += [f"--{name}={value}" for name, value in given.items()]
        self._environment = {**os.environ, "TWINBEAM_LIVE_TOKEN": token}
        if catalog is not None:
            self._arguments.append(f"--catalog={catalog}")
        if api_key is not None:
            self._environment["TWINBEAM_TILED_API_KEY"] = api_key
        self._page_port = 0 if page else None
        self._environment.setdefault("TWINBEAM_PAGE_TOKEN", secrets.token_urlsafe(24))
        self.page = ""
        self.log = state / "live.log"
        self.endpoints = dict.fromkeys(("documents", "results", "control"), "tcp://127.0.0.1:*")
        self.endpoints |= stream
        self._restarts = restarts
        self._starts: deque[float] = deque(maxlen=restarts + 1)
        self._closing = threading.Event()
        self._process = self._start()
        self._thread = threading.Thread(target=self._watch, name="twinbeam-live-watch", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def _start(self) -> subprocess.Popen[str]:
        where = [f"--{name}={endpoint}" for name, endpoint in self.endpoints.items()]
        if self._page_port is not None:
            where.append(f"--page={self._page_port}")
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "twinbeam",
                    "live",
                    "--json",
                    *self._arguments,
                    *where,
                ],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C at the prompt is meant for the plan
            )
        self._starts.append(time.monotonic())
        try:
            said = self._greeting(process)
        except BaseException:
            process.kill()
            self._reap(process)
            raise
        self.endpoints = {name: str(said[name]) for name in self.endpoints}
        self.page = str(said.get("page", ""))
        self._page_port = urlsplit(self.page).port if self.page else self._page_port
        return process

    def _greeting(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            line = process.stdout.readline() if selector.select(_READY_S) else ""
        try:
            return dict(json.loads(line))
        except ValueError:
            raise BeamlineError(
                "the live service did not start",
                where=str(self.log),
                hint="the reason stands at the end of that file",
            ) from None

    def _watch(self) -> None:
        while not self._closing.is_set():
            try:
                status = self._process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
            if self._closing.is_set():
                return
            self._reap(self._process)
            if not self._restarts:
                self._tell(f"the live service ended with status {status}")
                return
            full = len(self._starts) > self._restarts
            if full and time.monotonic() - self._starts[0] < 60.0:
                self._tell(f"the live service keeps dying and is given up; see {self.log}")
                return
            self._tell(f"the live service ended with status {status}; it is started again")
            try:
                self._process = self._start()
            except BeamlineError as error:
                self._tell(f"{error}; it is given up")
                return

    @staticmethod
    def _reap(process: subprocess.Popen[str]) -> None:
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def close(self) -> None:
        """End it, orderly if it can, so that it keeps what is unfinished; may be called again."""
        self._closing.set()
        if self._thread is not threading.current_thread():
            self._thread.join(_READY_S)
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._reap(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

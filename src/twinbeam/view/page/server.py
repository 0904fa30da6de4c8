"""The server of the page, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Self
from urllib.parse import quote

from bokeh.application import Application
from bokeh.application.handlers.function import FunctionHandler
from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from pydantic import Field
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop, PeriodicCallback

from twinbeam.errors import BeamlineError
from twinbeam.parameters import Parameters
from twinbeam.view.page.document import fill_document
from twinbeam.view.page.downloads import Download
from twinbeam.view.page.gate import Gate
from twinbeam.view.page.viewer import Stage
from twinbeam.view.sources import FrameCache, Library, Source

__all__ = ["PageServer", "PageSettings"]

_LOOPBACK = ("127.0.0.1", "localhost")
_EVERYWHERE = ("0.0.0.0", "")
_START_S = 30.0
_STOP_S = 10.0
_UNUSED_MS = 3000
_MOST_SAID_BYTES = 1 << 20  # a page says little; more is refused
_PING_S = 20.0  # a browser that does not answer within so long has gone without a word
_LOOK_MS = 250


class PageSettings(Parameters):
    """Where the page is served and who may see it."""

    host: str = Field("127.0.0.1", description="Address to listen on; loopback by default.")
    port: int = Field(0, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    origins: tuple[str, ...] = Field(
        (),
        description="Further host:port under which browsers may reach the page, as behind a proxy.",
    )


class PageServer:
    """Serves the page until it is closed; a context manager.

    It only reads: nothing a browser does changes a run, a result or a recipe.

    Parameters
    ----------
    source
        What is shown.
    library
        Stored results to choose from.
    settings
        Where it listens.
    token
        The secret without which nothing is shown; a new one when left out.

    Attributes
    ----------
    url
        Address of the page, with the token.
    port
        Port it listens on.

    Raises
    ------
    BeamlineError
        If it cannot listen there.
    """

    def __init__(
        self,
        source: Source,
        *,
        library: Library | None = None,
        settings: PageSettings | None = None,
        token: str | None = None,
    ) -> None:
        self._settings = settings or PageSettings()
        token = token or secrets.token_urlsafe(24)
        self._gate = Gate(token)
        self._workers = ThreadPoolExecutor(2, thread_name_prefix="twinbeam-page-work")
        self._stage = Stage(source, library, FrameCache(), self._workers)
        self._started = threading.Event()
        self._failed: Exception | None = None
        self.port = 0
        self._server: BaseServer | None = None
        self._loop: IOLoop | None = None
        self._thread = threading.Thread(target=self._serve, name="twinbeam-page", daemon=True)
        self._thread.start()
        self._started.wait(_START_S)
        if self._failed is not None or self._server is None:
            self._workers.shutdown()
            raise BeamlineError(
                f"the page cannot be served: {self._failed}",
                where=f"{self._settings.host}:{self._settings.port}",
                hint="choose another port; 0 takes a free one",
            ) from self._failed
        shown_host = "127.0.0.1" if self._settings.host in _EVERYWHERE else self._settings.host
        self.url: str = f"http://{shown_host}:{self.port}/?token={quote(token, safe='')}"

    @property
    def n_viewers(self) -> int:
        """Browsers that are connected, and some that have just left."""
        return len(self._server.get_sessions("/")) if self._server is not None else 0

    def _serve(self) -> None:
        """The thread."""
        asyncio.set_event_loop(asyncio.new_event_loop())
        loop = IOLoop.current()
        try:
            self._server = self._make(loop)
            self._server.start()
            self._loop = loop
        except Exception as error:
            self._failed = error
            loop.close(all_fds=True)
            self._started.set()
            return
        loop.add_callback(self._started.set)
        loop.start()
        loop.close(all_fds=True)

    def _make(self, loop: IOLoop) -> BaseServer:
        fill = partial(fill_document, stage=self._stage)
        host = self._settings.host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, self._settings.port), family=family)
        listening.setblocking(False)
        port = int(listening.getsockname()[1])
        # a page that is open under another name is not ours: its script must not get in
        names = {*_LOOPBACK, *(() if host in _EVERYWHERE else (host,))}
        origins = {f"{name}:{port}" for name in names} | set(self._settings.origins)
        application = BokehTornado(
            {"/": Application(FunctionHandler(fill))},
            extra_websocket_origins=sorted(origins),
            auth_provider=self._gate,
            sign_sessions=True,
            secret_key=secrets.token_bytes(32),
            generate_session_ids=True,
            include_headers=[],
            include_cookies=[],
            extra_patterns=[
                (r"/download/([a-z0-9_.]+)", Download, {"gate": self._gate, "stage": self._stage})
            ],
            check_unused_sessions_milliseconds=_UNUSED_MS // 3,
            unused_session_lifetime_milliseconds=_UNUSED_MS,
            websocket_max_message_size_bytes=_MOST_SAID_BYTES,
            websocket_ping_interval=_PING_S,
            websocket_ping_timeout=_PING_S,
        )
        http = HTTPServer(application)
        http.add_socket(listening)
        self.port = port
        self._looking = PeriodicCallback(self._look, _LOOK_MS)
        self._looking.start()
        return BaseServer(loop, application, http)

    async def _look(self) -> None:
        """Let the source look for what is new, in a thread: disks can be slow."""
        with contextlib.suppress(RuntimeError):  # the workers were closed meanwhile
            await IOLoop.current().run_in_executor(self._workers, self._stage.source.look)

    def close(self) -> None:
        """End all connections and the thread; may be called again."""
        loop, server = self._loop, self._server
        if loop is None or server is None:
            return
        self._loop = None

        async def stop() -> None:
            self._looking.stop()
            server.stop(wait=False)
            await server._http.close_all_connections()
            for session in server.get_sessions("/"):
                session.destroy()
            await asyncio.sleep(0.05)  # closed sockets are noticed in the next turns of the loop
            loop.stop()

        loop.add_callback(stop)
        self._thread.join(_STOP_S)
        self._workers.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

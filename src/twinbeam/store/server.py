"""A catalogue that this process has open, for other processes and machines."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from twinbeam.errors import StorageError
from twinbeam.store._gate import Gate
from twinbeam.store.catalog import Catalog, open_catalog

__all__ = ["CatalogServer", "serve_catalog"]

_START_S = 60.0
_END_S = 5.0  # for answers that are on their way


def serve_catalog(
    catalog: Catalog | str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    api_key: str | None = None,
    public: bool = False,
    readable: Iterable[str | Path] = (),
) -> CatalogServer:
    """Serve a catalogue that is open in this process, or open a folder and serve it.

    The same tiled application answers this process and the others, in the thread it has anyway,
    so all read and write one catalogue at the same time.

    Parameters
    ----------
    catalog
        An open, embedded catalogue, or a folder, which is closed with the server.
    host, port
        Where to listen; by default this machine only, and a free port.
    api_key
        Of a folder: the key clients need, a random one by default. An open catalogue has its key.
    public
        Whether everybody may read without a key; to write always takes it.
    readable
        Of a folder: folders from which raw files may be registered.

    Raises
    ------
    StorageError
        If the folder cannot be opened, the catalogue is on a server itself, or the port is taken.
    """
    with ExitStack() as closing:
        if isinstance(catalog, Catalog):
            opened = catalog
            if api_key is not None and api_key != opened.client.context.api_key:
                raise StorageError(
                    "the catalogue is open under another key",
                    where=opened.where,
                    hint="give the key to open_catalog",
                )
        else:
            opened = closing.enter_context(
                open_catalog(catalog, readable=readable, api_key=api_key)
            )
        server = CatalogServer(opened, host, port, public)
        server._closing.push(closing.pop_all())
    return server


class CatalogServer:
    """A running server; a context manager. It ends before its catalogue is closed.

    Attributes
    ----------
    uri
        Address for clients, without the key.
    port
        The port it listens on.
    api_key
        What a client needs to write, and unless the server is public to read.
    """

    def __init__(self, catalog: Catalog, host: str, port: int, public: bool) -> None:
        import uvicorn
        from tiled.server.settings import get_settings

        if not catalog.embedded:
            raise StorageError(
                "a catalogue that is on a server cannot be served again", where=catalog.where
            )
        http = catalog.client.context.http_client
        self.catalog = catalog
        self.api_key: str = catalog.client.context.api_key
        self._closing = ExitStack()
        self._settings = http.app.dependency_overrides[get_settings]()
        listener = _listen(host, port)
        self.port: int = listener.getsockname()[1]
        shown = socket.gethostname() if host in ("0.0.0.0", "::", "") else host
        self.uri = f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}"
        config = uvicorn.Config(
            Gate(http.app, self.api_key, public),
            lifespan="off",  # the application has been started by the client in this process
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=int(_END_S),
        )
        self._server = uvicorn.Server(config)
        self._settings.allow_anonymous_access = public
        self._task = http.portal.start_task_soon(self._server.serve, [listener])
        catalog.on_close(self.close)
        self._wait_for_start()

    @property
    def running(self) -> bool:
        """Whether it answers."""
        return self._server.started and not self._task.done()

    def close(self) -> None:
        """Let the answers on their way end, then free the port; may be called again."""
        if not self._server.should_exit:
            self._server.should_exit = True
            self._settings.allow_anonymous_access = False
            self._task.result(timeout=2 * _END_S + _START_S)
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _wait_for_start(self) -> None:
        deadline = time.monotonic() + _START_S
        while not self._server.started:
            if self._task.done() or time.monotonic() > deadline:
                reason = self._task.exception() if self._task.done() else "the time is up"
                self.close()
                raise StorageError(f"the server does not start: {reason}", where=self.uri)
            time.sleep(0.005)


def _listen(host: str, port: int) -> socket.socket:
    """A socket bound to a place; it is bound here, so that a port that is taken is told as such."""
    try:
        family, *_, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise StorageError(f"cannot listen: {error.strerror}", where=f"{host}:{port}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise StorageError(
            f"cannot listen: {error.strerror}",
            where=f"{host}:{port}",
            hint="choose another port, or 0 for a free one",
        ) from error
    return listener

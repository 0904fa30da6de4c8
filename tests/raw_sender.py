"""The detector's end of a raw TCP stream."""

from __future__ import annotations

import socket
import time
from types import TracebackType
from typing import Self


class RawSender:
    """Sends bytes as Serval does: it waits to be connected to, or connects.

    Parameters
    ----------
    to
        Endpoint of one that listens; when left out this end listens at `endpoint`.
    """

    def __init__(self, to: str | None = None) -> None:
        self._to = None if to is None else ("127.0.0.1", int(to.rpartition(":")[2]))
        self._listener: socket.socket | None = None
        self._connection: socket.socket | None = None
        if self._to is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self._listener.settimeout(60.0)
            self.endpoint = f"tcp://connect@127.0.0.1:{self._listener.getsockname()[1]}"

    def open(self) -> None:
        """Wait for a connection."""
        if self._listener is not None:
            self._connection = self._listener.accept()[0]
            self._connection.settimeout(60.0)
        else:
            self._connection = socket.create_connection(self._to, 60.0)

    def send(self, data: bytes, *, steps: int = 1, wait_s: float = 0.0) -> None:
        """Send bytes, in steps."""
        if self._connection is None:
            self.open()
        assert self._connection is not None
        for i in range(steps):
            self._connection.sendall(data[len(data) * i // steps : len(data) * (i + 1) // steps])
            time.sleep(wait_s)

    def drop(self) -> None:
        """End the connection as a process that dies does."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        self.drop()
        if self._listener is not None:
            self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

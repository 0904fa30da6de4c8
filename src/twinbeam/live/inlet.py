"""Documents that arrive by ZMQ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinbeam.errors import BeamlineError
from twinbeam.live.wire import MOST_BYTES, decode

__all__ = ["ZmqInlet"]

_MOST_WAITING = 100_000  # documents the socket keeps while the service is busy


class ZmqInlet:
    """A socket to which RunEngine processes publish their documents.

    Parameters
    ----------
    endpoint
        Where to listen, such as ``tcp://127.0.0.1:5577``; ``*`` as port takes a free one.
    token
        Messages without it are refused.

    Attributes
    ----------
    endpoint
        Where it listens.
    refused
        Messages that were not taken: a wrong token, or no document.
    """

    def __init__(self, endpoint: str, token: str) -> None:
        import zmq

        self._token = token
        self._again = zmq.Again
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, _MOST_WAITING)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MOST_BYTES)
        self._socket.setsockopt(zmq.SUBSCRIBE, b"")
        self._flags = zmq.NOBLOCK
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise BeamlineError(
                f"cannot listen there: {error.strerror}",
                where=endpoint,
                hint="is another live service running? choose another port",
            ) from error
        self.endpoint: str = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self.refused = 0

    def wait(self, timeout_s: float) -> bool:
        """Wait for a message; whether there is one."""
        return bool(self._socket.poll(max(0, int(timeout_s * 1e3))))

    def new_documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and document of every message that is there."""
        while True:
            try:
                message = self._socket.recv(self._flags)
            except self._again:
                return
            try:
                yield decode(self._token, message)
            except BeamlineError:
                self.refused += 1

    def close(self) -> None:
        """Close the socket; may be called again."""
        self._socket.close()
        self._context.term()

"""Requests to the live service: what it does, another recipe, the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from twinbeam.errors import BeamlineError, TwinbeamError
from twinbeam.live.wire import MOST_BYTES, PUBLIC, decode, encode

__all__ = ["ControlSocket", "ask"]

_log = logging.getLogger(__name__)

_LOOK_MS = 200

Answer = Mapping[str, Any]


class ControlSocket:
    """Answers requests in a thread of its own.

    Parameters
    ----------
    endpoint
        Where to listen; ``*`` as port takes a free one.
    token
        Requests without it are refused, and counted.
    requests
        What can be asked: a name and what makes the answer of the request's content. A
        `TwinbeamError` becomes the answer's `error`.

    Attributes
    ----------
    endpoint
        Where it listens.
    refused
        Requests that were not answered.
    """

    def __init__(
        self, endpoint: str, token: str, requests: Mapping[str, Callable[[dict[str, Any]], Answer]]
    ) -> None:
        import zmq

        self._zmq = zmq
        self._token = token
        self._requests = requests
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.REP)
        self._socket.setsockopt(zmq.LINGER, 200)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MOST_BYTES)
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:
            self._socket.close()
            self._context.term()
            raise BeamlineError(f"cannot listen there: {error.strerror}", where=endpoint) from error
        self.endpoint: str = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self.refused = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="twinbeam-control", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._closing.is_set():
            if self._socket.poll(_LOOK_MS):
                try:
                    answer = self._answer(self._socket.recv_multipart())
                    self._socket.send(encode(PUBLIC, "answer", answer))
                except Exception:  # one request must not end the thread that serves all others
                    _log.exception("a request to the live service was not answered")

    def _answer(self, parts: list[bytes]) -> Answer:
        try:
            # all parts have to be read before an answer can be sent; ours have one
            name, content = decode(self._token, parts[0] if len(parts) == 1 else b"")
            if name not in self._requests:
                raise BeamlineError(f"cannot be asked '{name}'", hint=", ".join(self._requests))
        except BeamlineError as error:
            self.refused += 1
            return {"error": str(error)}
        try:
            return dict(self._requests[name](content))
        except TwinbeamError as error:
            return {"error": str(error)}
        except Exception as error:
            # without an answer the socket would take no further request from anybody
            _log.exception("a request '%s' failed", name)
            return {"error": f"'{name}' failed: {type(error).__name__}: {error}"}

    def close(self) -> None:
        """End the thread and close the socket; may be called again."""
        if not self._closing.is_set():
            self._closing.set()
            self._thread.join()
            self._socket.close()
            self._context.term()


def ask(
    endpoint: str,
    token: str,
    name: str,
    content: Mapping[str, Any] | None = None,
    *,
    timeout_s: float = 5.0,
) -> dict[str, Any]:
    """Ask a live service something and return its answer.

    Raises
    ------
    BeamlineError
        If there is no answer in time, or it is an error.
    """
    import zmq

    context = zmq.Context()
    socket = context.socket(zmq.REQ)
    try:
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(endpoint)
        socket.send(encode(token, name, content or {}))
        if not socket.poll(int(timeout_s * 1e3)):
            raise BeamlineError(
                f"the live service did not answer within {timeout_s:g} s",
                where=endpoint,
                hint="is it running? 'twinbeam live' starts it",
            )
        _, answer = decode(PUBLIC, socket.recv())
    finally:
        socket.close()
        context.term()
    if "error" in answer:
        raise BeamlineError(str(answer["error"]), where=endpoint)
    return answer

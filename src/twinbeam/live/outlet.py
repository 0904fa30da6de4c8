"""What the live service tells everybody who listens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from twinbeam.errors import BeamlineError
from twinbeam.live.curve import only_with
from twinbeam.live.wire import PUBLIC, encode

__all__ = ["HEARTBEAT_S", "ZmqOutlet"]

HEARTBEAT_S = 0.5
_MOST_WAITING = 1000  # messages kept for a listener that is slow; more are dropped


class ZmqOutlet:
    """A socket that publishes updates and documents, and a sign of life from a thread of its own.

    A listener that is slow or gone does not hold the service up: messages for it are dropped.

    Parameters
    ----------
    endpoint
        Where to publish, such as ``tcp://127.0.0.1:5578``; ``*`` as port takes a free one.
    token
        Who does not know it cannot read.
    alive
        Makes the content of the sign of life; called in the thread.

    Attributes
    ----------
    endpoint
        Where it publishes.
    """

    def __init__(self, endpoint: str, token: str, alive: Callable[[], Mapping[str, Any]]) -> None:
        import zmq

        self._alive = alive
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUB)
        self._socket.setsockopt(zmq.LINGER, 200)
        self._socket.setsockopt(zmq.SNDHWM, _MOST_WAITING)
        try:
            only_with(token, self._socket)
            self._socket.bind(endpoint)
        except (zmq.ZMQError, BeamlineError) as error:
            self._socket.close()
            self._context.term()
            if isinstance(error, BeamlineError):
                raise
            raise BeamlineError(
                f"cannot publish there: {error.strerror}",
                where=endpoint,
                hint="is another live service running? choose another port",
            ) from error
        self.endpoint: str = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="twinbeam-heartbeat", daemon=True)
        self._thread.start()

    def send(self, name: str, document: Mapping[str, Any]) -> None:
        """Publish a document under a name."""
        message = encode(PUBLIC, name, document)
        with self._lock:
            if not self._socket.closed:
                self._socket.send(message)

    def _beat(self) -> None:
        while not self._closing.wait(HEARTBEAT_S):
            self.send("alive", {**self._alive(), "time": time.time()})

    def close(self) -> None:
        """Say goodbye and close the socket; may be called again."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join()
        self.send("goodbye", {"time": time.time()})
        with self._lock:
            self._socket.close()
        self._context.term()

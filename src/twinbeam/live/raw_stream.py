"""The detector's raw TCP stream: received without pause, kept in a bounded queue."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass

from twinbeam.errors import BeamlineError
from twinbeam.live.stream_endpoint import StreamEndpoint

__all__ = ["RawStream", "StreamBlock"]

_log = logging.getLogger(__name__)
_LOOK_S = 0.1  # how often the thread looks whether it is to end
_AGAIN_S = 0.5  # between two tries to connect
_AT_ONCE_BYTES = 1 << 18
_KERNEL_BYTES = 1 << 23  # kept by the system while this process is busy
_BLOCK_BYTES = 1 << 19


@dataclass(frozen=True)
class StreamBlock:
    """Bytes that follow each other in the stream.

    Attributes
    ----------
    data
        The bytes.
    time_s
        When the last of them arrived, in seconds since the epoch.
    begins
        Whether they are the first of a connection.
    lost_bytes
        So many bytes before them were dropped.
    """

    data: bytes
    time_s: float
    begins: bool = False
    lost_bytes: int = 0

    @property
    def follows(self) -> bool:
        """Whether nothing is known to be missing between it and the block before."""
        return not self.begins and not self.lost_bytes


class RawStream:
    """Receives the stream in a thread of its own; policy `queue-drop-oldest`.

    The detector is never held up. When whoever takes the blocks is slower than the detector and
    the queue is full, its older half is dropped, and counted. A connection that ends or fails is
    opened again for ever.

    Parameters
    ----------
    endpoint
        ``tcp://connect@host:port`` or ``tcp://listen@host:port``.
    most_bytes
        Bytes that wait at most.

    Attributes
    ----------
    endpoint
        Where it listens, or connects to.
    since_s
        When it began to receive, in seconds since the epoch.
    received_bytes, taken_bytes, dropped_bytes, stray_bytes
        Bytes that came, those that were taken, those that were dropped for want of room, and those
        that came before the run that was asked for. What is left waits.
    connections
        How many connections there were.

    Raises
    ------
    BeamlineError
        If the endpoint makes no sense or cannot be listened at.
    """

    def __init__(self, endpoint: str, *, most_bytes: int = 1 << 28) -> None:
        where = StreamEndpoint.parse(endpoint)
        self._most_bytes = most_bytes
        self._queue: deque[StreamBlock] = deque()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._quiet_s = -1.0
        self._connected = False
        self.received_bytes = self.taken_bytes = self.dropped_bytes = self.stray_bytes = 0
        self.connections = 0
        self._listener: socket.socket | None = None
        if where.listens:
            self._listener = _listener(where)
            where = StreamEndpoint(True, where.host, self._listener.getsockname()[1])
        self._where = where
        self.endpoint = str(where)
        self.since_s = time.time()
        self._thread = threading.Thread(target=self._work, name="twinbeam-stream", daemon=True)
        self._thread.start()

    # --- for the one who takes --------------------------------------------------------------

    @property
    def waiting_bytes(self) -> int:
        """Bytes that can be taken."""
        return self.received_bytes - self.taken_bytes - self.dropped_bytes - self.stray_bytes

    def take(self, most_bytes: int, *, after_s: float, until_s: float) -> list[StreamBlock]:
        """The oldest blocks that wait, joined where they follow each other.

        Parameters
        ----------
        most_bytes
            No further block is taken once there are so many bytes.
        after_s, until_s
            Only what arrived in this time, in seconds since the epoch; what is older is given up.
        """
        taken: list[list[StreamBlock]] = []
        n = size = 0
        with self._lock:
            while self._queue and n < most_bytes and self._queue[0].time_s <= until_s:
                block = self._queue.popleft()
                if block.time_s < after_s:
                    self.stray_bytes += len(block.data)
                    continue
                n += len(block.data)
                if taken and block.follows and size + len(block.data) <= _BLOCK_BYTES:
                    taken[-1].append(block)
                    size += len(block.data)
                else:
                    taken.append([block])
                    size = len(block.data)
            self.taken_bytes += n
        return [_joined(blocks) for blocks in taken]

    def quiet_after(self, monotonic_s: float) -> bool:
        """Whether a look that began later than then, by the monotonic clock, found nothing."""
        return self._quiet_s > monotonic_s

    def as_dict(self) -> dict[str, int | bool | str]:
        """How it is doing, as plain values."""
        with self._lock:
            return {
                "endpoint": self.endpoint,
                "connected": self._connected,
                "connections": self.connections,
                "received_bytes": self.received_bytes,
                "waiting_bytes": self.waiting_bytes,
                "dropped_bytes": self.dropped_bytes,
                "stray_bytes": self.stray_bytes,
            }

    def close(self) -> None:
        """End the thread and close the sockets; may be called again."""
        self._closing.set()
        self._thread.join()
        if self._listener is not None:
            self._listener.close()

    # --- the thread -------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._closing.is_set():
            began_s = time.monotonic()
            connection = self._connection()
            if connection is None:
                self._quiet_s = began_s
                continue
            with connection:
                self.connections += 1
                self._connected = True
                _log.info("%s: connection %d", self.endpoint, self.connections)
                self._receive(connection)
                self._connected = False

    def _connection(self) -> socket.socket | None:
        """The next connection; None when there is none now."""
        try:
            if self._listener is not None:
                connection = self._listener.accept()[0]
            else:
                connection = socket.socket(_family(self._where))
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _KERNEL_BYTES)
                connection.settimeout(2.0)
                try:
                    connection.connect((self._where.host, self._where.port))
                    if connection.getsockname() == connection.getpeername():
                        raise OSError("connected to itself, as TCP can when nobody listens")
                except BaseException:
                    connection.close()
                    raise
        except TimeoutError:
            return None
        except OSError:
            self._closing.wait(_AGAIN_S)
            return None
        connection.settimeout(_LOOK_S)
        return connection

    def _receive(self, connection: socket.socket) -> None:
        view = memoryview(bytearray(_AT_ONCE_BYTES))
        begins = True
        while not self._closing.is_set():
            began_s = time.monotonic()
            try:
                n = connection.recv_into(view)
            except TimeoutError:
                self._quiet_s = began_s
                continue
            except OSError as error:
                _log.warning("%s: the connection broke: %s", self.endpoint, error.strerror)
                return
            if not n:
                return
            self._put(StreamBlock(bytes(view[:n]), time.time(), begins))
            begins = False

    def _put(self, block: StreamBlock) -> None:
        with self._lock:
            self.received_bytes += len(block.data)
            self._queue.append(block)
            if self.waiting_bytes > self._most_bytes:
                self._drop()

    def _drop(self) -> None:
        """Drop the older half at once, so that there are few gaps and not one at every block."""
        lost, begins = 0, False
        while len(self._queue) > 1 and self.waiting_bytes > self._most_bytes // 2:
            block = self._queue.popleft()
            lost += len(block.data) + block.lost_bytes
            begins = begins or block.begins
            self.dropped_bytes += len(block.data)
        first = self._queue.popleft()
        lost += first.lost_bytes
        self._queue.appendleft(StreamBlock(first.data, first.time_s, first.begins or begins, lost))


def _joined(blocks: list[StreamBlock]) -> StreamBlock:
    first, last = blocks[0], blocks[-1]
    data = first.data if first is last else b"".join(block.data for block in blocks)
    return StreamBlock(data, last.time_s, first.begins, first.lost_bytes)


def _family(where: StreamEndpoint) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in where.host else socket.AF_INET


def _listener(where: StreamEndpoint) -> socket.socket:
    listener = socket.socket(_family(where))
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _KERNEL_BYTES)
        listener.bind((where.host, where.port))
        listener.listen(1)
        listener.settimeout(_LOOK_S)
    except OSError as error:
        listener.close()
        raise BeamlineError(
            f"cannot listen there: {error.strerror}",
            where=str(where),
            hint="is another live service running? choose another port",
        ) from error
    return listener

"""One TCP stream out of Serval: a port with one reader, or a connection to a program."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections import deque
from collections.abc import Iterable

from sim_iocs.serval.destination import Address

__all__ = ["Stream"]

_RETRY_S = 0.2
_BATCH = 64
_SEND_BUFFER_BYTES = 1 << 18
_PORTS_TRIED = 200


class Stream:
    """Sends items in order through a queue that drops the oldest when it is full.

    Parameters
    ----------
    address
        Where it goes.
    queue_size
        How many items wait at most for a reader.
    """

    def __init__(self, address: Address, queue_size: int) -> None:
        self.address = address
        self.n_sent = 0
        self.n_dropped = 0
        self._queue: deque[bytes] = deque()
        self._size = queue_size
        self._lock = threading.Lock()
        self._filled = asyncio.Event()
        self._connected = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def has_reader(self) -> bool:
        """Whether somebody reads."""
        return self._writer is not None

    async def open(self, bind_host: str, *, moves: bool = False) -> None:
        """Listen, or connect.

        Parameters
        ----------
        bind_host
            Interface to listen on, whatever host the address names.
        moves
            Whether the next free port is taken when the port is in use.

        Raises
        ------
        OSError
            If the port is in use, or nobody listens at the other end.
        """
        self._loop = asyncio.get_running_loop()
        if self.address.listens:
            await self._listen(bind_host, moves)
        else:
            self._take(*await self._connect())
            self._tasks.append(asyncio.create_task(self._stay_connected(), name="stream connect"))
        self._tasks.append(asyncio.create_task(self._pump(), name="stream"))

    def put(self, items: Iterable[bytes]) -> None:
        """Queue items, from any thread."""
        with self._lock:
            self._queue.extend(items)
            while len(self._queue) > self._size:
                self._queue.popleft()
                self.n_dropped += 1
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._filled.set)

    async def close(self, timeout_s: float = 0.0) -> None:
        """Send what waits, if there is a reader, for at most so long; then hang up."""
        if self._writer is not None and timeout_s > 0.0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._drained(), timeout_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.n_dropped += len(self._queue)
        self._queue.clear()
        if self._server is not None:
            self._server.close()
        writer = self._writer
        self._drop_reader()
        if writer is not None:
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 1.0)
                return
            writer.transport.abort()

    async def _listen(self, host: str, moves: bool) -> None:
        last = self.address.port + (_PORTS_TRIED if moves else 0)
        for port in range(self.address.port, last + 1):
            try:
                self._server = await asyncio.start_server(self._accept, host, port)
            except OSError:
                if port == last:
                    raise
            else:
                self.address = Address(True, self.address.host, port)
                return

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.wait_for(
            asyncio.open_connection(self.address.host, self.address.port), 5.0
        )

    async def _stay_connected(self) -> None:
        while True:
            while self._writer is not None:
                await asyncio.sleep(_RETRY_S)
            with contextlib.suppress(OSError, TimeoutError):
                self._take(*await self._connect())
            await asyncio.sleep(_RETRY_S)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._writer is not None:  # one reader only
            writer.close()
        else:
            self._take(reader, writer)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        self._writer = writer
        self._connected.set()
        watching = asyncio.create_task(self._watch(reader, writer), name="stream reader")
        self._tasks = [*(task for task in self._tasks if not task.done()), watching]

    async def _watch(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Notice that a reader has gone; what it says is of no interest."""
        with contextlib.suppress(OSError):
            while await reader.read(4096):
                pass
        if self._writer is writer:
            self._drop_reader()

    def _drop_reader(self) -> None:
        writer, self._writer = self._writer, None
        self._connected.clear()
        if writer is not None:
            writer.close()

    async def _pump(self) -> None:
        while True:
            await self._filled.wait()
            await self._connected.wait()
            writer = self._writer
            with self._lock:
                n = min(len(self._queue), _BATCH)
                batch = [self._queue.popleft() for _ in range(n)]
                if not self._queue:
                    self._filled.clear()
            if writer is None or not batch:
                self.n_dropped += n
                continue
            try:
                writer.write(b"".join(batch))
                await writer.drain()
            except OSError:
                self.n_dropped += n
                self._drop_reader()
            else:
                self.n_sent += n

    async def _drained(self) -> None:
        writer = self._writer
        while self._queue and self._writer is writer:
            await asyncio.sleep(0.005)
        # the last batch may be on its way
        while writer is not None and writer is self._writer:
            await writer.drain()
            if not writer.transport.get_write_buffer_size():
                return
            await asyncio.sleep(0.005)

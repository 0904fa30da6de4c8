"""Serval's HTTP interface: one request after the other on each connection, JSON or plain text."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

from sim_iocs.serval.info import SERVAL_VERSION
from sim_iocs.serval.reply import Reply
from sim_iocs.serval.rest import Rest

__all__ = ["HttpServer"]

_MOST_HEADER_BYTES = 32768
_MOST_BODY_BYTES = 1 << 22
_PATIENCE_S = 60.0
_WATCH_S = 0.05


@dataclass(frozen=True)
class _Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def keeps_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"


class _Bad(Exception):
    """A request that cannot be read."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


class HttpServer:
    """Serves a model until it is closed; while Serval is down nobody listens.

    Parameters
    ----------
    rest
        What answers.
    host, port
        Where to listen.
    """

    def __init__(self, rest: Rest, host: str, port: int) -> None:
        self._rest = rest
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def open(self) -> None:
        """Begin to listen.

        Raises
        ------
        OSError
            If the port is in use.
        """
        self._server = await asyncio.start_server(
            self._serve, self._host, self._port, limit=_MOST_HEADER_BYTES
        )
        self._port = self._server.sockets[0].getsockname()[1]

    @property
    def port(self) -> int:
        """Port that is listened on."""
        return self._port

    async def run(self) -> None:
        """Come and go with the fault `serval_down`, for ever."""
        while True:
            down = self._rest.serval.faults.serval_down
            if down and self._server is not None:
                await self.close()
            elif not down and self._server is None:
                with contextlib.suppress(OSError):  # tried again
                    await self.open()
            await asyncio.sleep(_WATCH_S)

    async def close(self) -> None:
        """Stop to listen and hang up."""
        if self._server is not None:
            self._server.close()
            self._server = None
        connections = list(self._connections.items())
        for task, writer in connections:
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*(task for task, _ in connections), return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            # a closed connection or a cancelled server: nobody is left to tell
            with contextlib.suppress(OSError, TimeoutError, asyncio.CancelledError):
                while await self._serve_one(reader, writer):
                    pass
        finally:
            del self._connections[task]
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether another may follow."""
        try:
            request = await asyncio.wait_for(_read(reader), _PATIENCE_S)
        except _Bad as bad:
            writer.write(_encoded(bad.reply, keeps_alive=False))
            await writer.drain()
            return False
        if request is None:
            return False
        url = urlsplit(request.target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        method = "GET" if request.method == "HEAD" else request.method
        reply = await self._rest.request(method, unquote(url.path), query, request.body)
        if reply.code == 0:
            return False
        with_body = request.method != "HEAD"
        writer.write(_encoded(reply, keeps_alive=request.keeps_alive, with_body=with_body))
        await writer.drain()
        return request.keeps_alive


async def _read(reader: asyncio.StreamReader) -> _Request | None:
    """The next request, or None when the client has hung up."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise _Bad(Reply(400, "Bad request: it ends in the header.")) from error
        return None
    except asyncio.LimitOverrunError as error:
        raise _Bad(Reply(431, "Bad request: the header is too long.")) from error
    first, *lines = head.decode("latin-1").strip("\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
        raise _Bad(Reply(400, "Bad request: not a line of HTTP/1.1."))
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise _Bad(Reply(400, "Bad request: a header without a colon."))
        headers[name.strip().lower()] = value.strip()
    if "transfer-encoding" in headers:
        raise _Bad(Reply(411, "Length required: chunked bodies are not read."))
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        raise _Bad(Reply(400, "Bad request: Content-Length is no number."))
    if int(length) > _MOST_BODY_BYTES:
        raise _Bad(Reply(413, f"Body is longer than {_MOST_BODY_BYTES} bytes."))
    try:
        body = await reader.readexactly(int(length))
    except asyncio.IncompleteReadError as error:
        raise _Bad(Reply(400, "Bad request: the body is shorter than announced.")) from error
    return _Request(words[0], words[1], headers, body)


def _encoded(reply: Reply, *, keeps_alive: bool, with_body: bool = True) -> bytes:
    is_json = reply.body is not None
    content = json.dumps(reply.body) if is_json else reply.text
    body = content.encode()
    kind = "application/json" if is_json else "text/plain"
    try:
        phrase = HTTPStatus(reply.code).phrase
    except ValueError:
        phrase = "Unknown"
    head = (
        f"HTTP/1.1 {reply.code} {phrase}\r\n"
        f"Server: Serval/{SERVAL_VERSION} (simulated)\r\n"
        f"Content-Type: {kind};charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Connection: {'keep-alive' if keeps_alive else 'close'}\r\n\r\n"
    )
    return head.encode() + (body if with_body else b"")

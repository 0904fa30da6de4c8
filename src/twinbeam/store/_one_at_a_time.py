"""Rows are appended to tables by one request at a time.

Tiled's connections to DuckDB are shared by its threads. Two appends at once end in each other's
transactions: one of them is answered by an error although its rows are stored, and whoever tries
again stores them twice.
"""

from __future__ import annotations

from typing import Any

import anyio

__all__ = ["OneAtATime"]

_CHANGES = {
    "PUT": ("/api/v1/table/",),
    "PATCH": ("/api/v1/table/",),
    "POST": ("/api/v1/metadata/", "/api/v1/register/"),
    "DELETE": ("/api/v1/metadata/",),
}


class OneAtATime:
    """Middleware that lets a request which changes a table wait for the one before it.

    Parameters
    ----------
    app
        The application behind it.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._lock: anyio.Lock | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        below = _CHANGES.get(scope["method"]) if scope["type"] == "http" else None
        if below is None or not str(scope["path"]).startswith(below):
            await self._app(scope, receive, send)
            return
        if self._lock is None:
            self._lock = anyio.Lock()
        async with self._lock:
            await self._app(scope, receive, send)

"""Who may come in over the network: the key is asked for before tiled sees a request.

Tiled asks for it itself, but not everywhere: its zarr and graph routes answer to anybody.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from twinbeam.store._embedded import SERVED

__all__ = ["Gate", "admits"]

# without data: what the server is, and the files of its web page
_OPEN = ("/", "/healthz", "/favicon.ico", "/tiled-ui-settings", "/api/v1", "/api/v1/")
_OPEN_BELOW = ("/ui/", "/static/")
_PUBLIC_BELOW = ("/api/v1/", "/zarr/")
_PUBLIC_POST_BELOW = ("/api/v1/table/", "/api/v1/container/", "/api/v1/awkward/")  # long questions
_READING = ("GET", "HEAD", "OPTIONS")


def admits(scope: Mapping[str, Any], key: str, public: bool) -> bool:
    """Whether a request may be passed on to tiled, which may still refuse it.

    Parameters
    ----------
    scope
        The request, as ASGI describes it.
    key
        The key of the server.
    public
        Whether everybody may read.
    """
    path, method = str(scope["path"]), str(scope.get("method", "GET"))
    if any(secrets.compare_digest(given, key.encode()) for given in _keys_given(scope)):
        return True
    if method in _READING and (path in _OPEN or path.startswith(_OPEN_BELOW)):
        return True
    below = _PUBLIC_BELOW if method in _READING else _PUBLIC_POST_BELOW
    return public and method in (*_READING, "POST") and path.startswith(below)


def _keys_given(scope: Mapping[str, Any]) -> list[bytes]:
    """Keys in the places where tiled looks for one."""
    given = []
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, rest = value.partition(b" ")
            if kind.lower() == b"apikey":
                given.append(rest.strip())
        elif name == b"cookie":
            given += _keys_in_cookies(value.decode("latin-1"))
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return given + [key.encode() for key in query.get("api_key", [])]


def _keys_in_cookies(text: str) -> list[bytes]:
    try:
        cookies = SimpleCookie(text)
    except CookieError:
        return []
    return [cookies["tiled_api_key"].value.encode()] if "tiled_api_key" in cookies else []


class Gate:
    """The application as the network sees it.

    Parameters
    ----------
    app
        Tiled's application.
    key
        What a request must carry.
    public
        Whether everybody may read.
    """

    def __init__(self, app: Any, key: str, public: bool) -> None:
        self._app, self._key, self._public = app, key, public

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] in ("http", "websocket") and not admits(scope, self._key, self._public):
            await _refuse(scope, receive, send)
            return
        await self._app({**scope, SERVED: True}, receive, send)


async def _refuse(scope: Any, receive: Any, send: Any) -> None:
    from starlette.responses import JSONResponse
    from starlette.websockets import WebSocketClose

    if scope["type"] == "websocket":
        await WebSocketClose(code=1008)(scope, receive, send)
        return
    answer = JSONResponse({"detail": "An API key is needed."}, status_code=401)
    await answer(scope, receive, send)

"""Who may see the page: whoever has the token."""

from __future__ import annotations

import hmac
from typing import Any
from urllib.parse import quote, unquote

from bokeh.server.auth_provider import NullAuth
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler

__all__ = ["Gate"]


class Gate(NullAuth):
    """Lets in who brings the token in the address; a cookie remembers it for the browser's session.

    Parameters
    ----------
    token
        The secret.
    """

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        super().__init__()

    @property
    def get_user_async(self) -> Any:
        """What the handlers ask before anything else."""
        return self._let_in

    @property
    def login_url(self) -> str:
        """Bokeh wants one; nobody is ever sent there."""
        return "/"

    async def _let_in(self, handler: Any) -> str:
        return self.check(handler)

    def check(self, handler: Any) -> str:
        """Let a request pass.

        Raises
        ------
        HTTPError
            With status 403 if it has not the token.
        """
        # cookies do not know ports, and several pages may be open
        name = f"twinbeam-{handler.request.host.rpartition(':')[2]}"
        given = handler.get_argument("token", None)
        if given is not None and self._fits(given):
            if not isinstance(handler, WebSocketHandler):
                kept = quote(given, safe="")  # cookies cannot hold every letter
                handler.set_cookie(name, kept, httponly=True, samesite="Strict")
            return "viewer"
        if given is None and self._fits(unquote(handler.get_cookie(name, ""))):
            return "viewer"
        raise HTTPError(403, "the token is missing or wrong: open the address that was printed")

    def _fits(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token)

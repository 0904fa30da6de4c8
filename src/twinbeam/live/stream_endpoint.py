"""Where the detector's raw stream is, and who opens the connection."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from twinbeam.errors import BeamlineError

__all__ = ["StreamEndpoint"]

_HINT = "write tcp://connect@HOST:PORT or tcp://listen@HOST:PORT"


@dataclass(frozen=True)
class StreamEndpoint:
    """One end of a TCP connection, as Serval writes it for its raw channel.

    Attributes
    ----------
    listens
        Whether this end waits for the detector; otherwise the detector waits for this end.
    host
        Name or address.
    port
        Of the connection; 0 takes a free one when this end listens.
    """

    listens: bool
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> StreamEndpoint:
        """Read ``tcp://connect@host:port`` or ``tcp://listen@host:port``.

        Raises
        ------
        BeamlineError
            If it is neither.
        """
        try:
            parts = urlsplit(text.replace(":*", ":0"))
            port = parts.port
        except ValueError as error:
            raise BeamlineError(f"not a raw stream: {error}", where=text, hint=_HINT) from error
        role = parts.username
        known = parts.scheme == "tcp" and role in ("connect", "listen") and bool(parts.hostname)
        if not known or port is None or parts.path or (not port and role == "connect"):
            raise BeamlineError("not a raw stream", where=text, hint=_HINT)
        return cls(role == "listen", str(parts.hostname), port)

    def __str__(self) -> str:
        role = "listen" if self.listens else "connect"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{role}@{host}:{self.port}"

"""Results only for those who know the service's secret: CURVE with keys made from it.

A client needs the server's public key for the first message of the handshake, and that key is
never sent. It is made from the secret, so that only who knows the secret can connect and read.
"""

from __future__ import annotations

import hashlib
from typing import Any

from twinbeam.errors import BeamlineError

__all__ = ["only_with", "with_token"]


def only_with(token: str, socket: Any) -> None:
    """Let a socket that will be bound accept only clients that know the token.

    Raises
    ------
    BeamlineError
        If the ZMQ library was built without CURVE.
    """
    public, secret = _server_keys(token)
    socket.curve_secretkey, socket.curve_publickey = secret, public
    socket.curve_server = True


def with_token(token: str, socket: Any) -> None:
    """Let a socket that will be connected show that it knows the token.

    Raises
    ------
    BeamlineError
        If the ZMQ library was built without CURVE.
    """
    import zmq

    socket.curve_serverkey, _ = _server_keys(token)
    socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()


def _server_keys(token: str) -> tuple[bytes, bytes]:
    import zmq
    from zmq.utils import z85

    if not zmq.has("curve"):
        raise BeamlineError(
            "this ZMQ library cannot keep results secret: it was built without CURVE",
            hint="install pyzmq from its wheel or from conda-forge",
        )
    secret = z85.encode(hashlib.sha256(b"twinbeam results " + token.encode()).digest())
    return zmq.curve_public(secret), secret

"""Messages between the RunEngine's process and the live service.

One frame: a secret, a name and JSON, with a space between, which is what
`bluesky.callbacks.zmq.Publisher` sends with the secret as its prefix and `to_json` as its
serializer. Nothing is ever unpickled. What the service publishes has a fixed word in the secret's
place, and is encrypted on its way.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any

from twinbeam.errors import BeamlineError
from twinbeam.store.documents import encode_line

__all__ = ["MOST_BYTES", "PUBLIC", "decode", "encode", "new_token", "to_json"]

PUBLIC = "twinbeam"  # in the place of the secret, in what the service says to everybody
MOST_BYTES = 1 << 28  # of a message; the maps of a run take a few million


def new_token() -> str:
    """A secret nobody can guess."""
    return secrets.token_urlsafe(24)


def encode(token: str, name: str, document: Mapping[str, Any]) -> bytes:
    """The message of a document.

    Raises
    ------
    StorageError
        If the document holds something JSON cannot say.
    """
    return b"%b %b %b" % (token.encode(), name.encode(), encode_line(name, document))


def to_json(document: Mapping[str, Any]) -> bytes:
    """A serializer for `bluesky.callbacks.zmq.Publisher`."""
    return encode_line("", document)


def decode(token: str, message: bytes) -> tuple[str, dict[str, Any]]:
    """Name and document of a message.

    Raises
    ------
    BeamlineError
        If the secret is wrong or it is no message of ours.
    """
    given, _, rest = message.partition(b" ")
    if not hmac.compare_digest(given, token.encode()):
        raise BeamlineError("a message without the right token", hint="use the service's token")
    name, _, body = rest.partition(b" ")
    try:
        item = json.loads(body)
        return name.decode(), dict(item["doc"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BeamlineError(f"not a message of this service: {error!r:.80}") from error

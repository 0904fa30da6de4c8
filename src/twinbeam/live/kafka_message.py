"""Documents in Kafka messages, as `bluesky_kafka.Publisher` writes them.

A message is msgpack of a name and a document, with numpy values in the form of `msgpack_numpy`.
That form may hold pickles; those are refused, since unpickling runs what a stranger wrote.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twinbeam.errors import BeamlineError

__all__ = ["document_of"]

_KINDS = "biufcSUmM"


def document_of(message: bytes) -> tuple[str, dict[str, Any]]:
    """Name and document.

    Raises
    ------
    BeamlineError
        If it is no document.
    """
    import msgpack

    try:
        name, doc = msgpack.unpackb(
            message, raw=False, strict_map_key=False, object_hook=_numpy_value
        )
        if not isinstance(name, str) or not isinstance(doc, dict):
            raise ValueError("not a name and a document")
        return name, doc
    except (ValueError, TypeError, LookupError, msgpack.UnpackException) as error:
        raise BeamlineError(f"not a document: {error!r:.80}") from error


def _numpy_value(values: dict[Any, Any]) -> Any:
    """The numpy array or number that a map stands for, or the map itself."""
    if b"complex" in values:
        return complex(values[b"data"])
    if b"nd" not in values:
        return values
    dtype = np.dtype(values[b"type"]) if isinstance(values[b"type"], str) else None
    if dtype is None or dtype.kind not in _KINDS or values.get(b"kind", b"") != b"":
        raise ValueError("only plain arrays and numbers are read")
    array = np.frombuffer(values[b"data"], dtype)
    return array.reshape(values[b"shape"]).copy() if values[b"nd"] is True else array[0].item()

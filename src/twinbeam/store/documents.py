"""Documents as JSON lines: `{"name": ..., "doc": ...}`, one a line, in the order they came."""

from __future__ import annotations

import base64
import datetime
import enum
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from twinbeam.errors import StorageError

__all__ = ["Document", "decode_line", "encode_line", "read_documents"]

Document = tuple[str, dict[str, Any]]

_log = logging.getLogger(__name__)


def encode_line(name: str, document: Mapping[str, Any]) -> bytes:
    """One line of a document, with its newline.

    Numbers come back bit for bit, NaN and infinities included. Numpy scalars become Python
    scalars, arrays and tuples become lists, bytes become a base64 data URI.

    Raises
    ------
    StorageError
        If the document holds something JSON cannot say.
    """
    try:
        text = json.dumps({"name": name, "doc": document}, default=_plain)
    except (TypeError, ValueError) as error:
        raise StorageError(
            f"the {name} document cannot be written as JSON: {error}",
            where=f"document {document.get('uid', 'without uid')}",
            hint="keep metadata and readings to numbers, text, lists and dictionaries",
        ) from error
    return text.encode() + b"\n"


def decode_line(line: bytes) -> Document:
    """The inverse of `encode_line`.

    Raises
    ------
    ValueError
        If the line is not a document.
    """
    try:
        item = json.loads(line)
        return str(item["name"]), dict(item["doc"])
    except (TypeError, KeyError) as error:
        raise ValueError("not a document") from error


def read_documents(path: str | Path) -> Iterator[Document]:
    """Documents of a JSON-lines file, one by one.

    A last line without its newline is what a process that died while writing leaves; it is
    skipped with a warning in the log.

    Raises
    ------
    StorageError
        If the file is missing or unreadable, or a line of it is not a document.
    """
    try:
        with Path(path).open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    document = decode_line(line)
                except ValueError:
                    if not line.endswith(b"\n"):
                        _log.warning("%s: the last line, %d, is torn; left out", path, number)
                        return
                    raise StorageError(
                        "not a document",
                        where=f"{path}, line {number}",
                        hint="the file is damaged; restore it from a copy",
                    ) from None
                yield document
    except OSError as error:
        raise StorageError(
            f"documents cannot be read: {error.strerror}",
            where=str(path),
            hint="name a file of the catalogue's folder 'documents'",
        ) from error


def _plain(value: Any) -> Any:
    """The JSON-able equal of a value that `json` does not know."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return f"data:application/octet-stream;base64,{base64.b64encode(value).decode()}"
    raise TypeError(f"a value of type {type(value).__name__} ({value!r:.60})")

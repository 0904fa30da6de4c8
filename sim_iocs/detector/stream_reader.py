"""Reader of a TCP stream of Serval: a line of JSON, then big-endian numbers, again and again."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_iocs.serval.destination import Address

__all__ = ["read_stream"]

Take = Callable[[Mapping[str, Any], NDArray[Any]], Awaitable[None]]

_LONGEST_LINE = 32_768
_RETRY_S = 1.0


async def read_stream(address: Address, take: Take) -> None:
    """Read until Serval hangs up; try again while it does not listen.

    Parameters
    ----------
    address
        Where Serval listens.
    take
        Awaited with the header and the numbers of each image or histogram.
    """
    while True:
        try:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", address.port, limit=_LONGEST_LINE
            )
        except OSError:
            await asyncio.sleep(_RETRY_S)
            continue
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await _read(reader, take)
            return
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader, take: Take) -> None:
    while True:
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            await reader.readexactly(error.consumed)  # no header is so long
            continue
        header = _header(line)
        if header is None:
            continue
        if "binSize" in header:
            kind, count = np.dtype(">u4"), header["binSize"]
        else:
            kind = np.dtype(">u4" if header.get("pixelFormat") == "uint32" else ">u2")
            count = header["width"] * header["height"]
        data = await reader.readexactly(kind.itemsize * count)
        await take(header, np.frombuffer(data, kind).astype(kind.newbyteorder("=")))


def _header(line: bytes) -> dict[str, Any] | None:
    """The header in a line, or None if it is none."""
    try:
        made = json.loads(line)
    except ValueError:
        return None
    if not isinstance(made, dict) or not {"frameNumber", "timeAtFrame"} <= made.keys():
        return None
    return made if {"width", "height"} <= made.keys() or "binSize" in made else None

"""The driver's requests to Serval, and where the answers are shown."""

from __future__ import annotations

import json
from typing import Any

from sim_iocs.channels import Channels
from sim_iocs.serval import Reply, Rest

__all__ = ["Requests"]


class Requests:
    """Asks Serval as the driver does over HTTP; faults apply.

    Parameters
    ----------
    channels
        Records of the driver.
    rest
        Serval's requests.
    """

    def __init__(self, channels: Channels, rest: Rest) -> None:
        self._channels = channels
        self._rest = rest

    async def get(self, path: str, **query: str) -> Reply:
        """Send a GET."""
        return await self._rest.request("GET", path, query)

    async def put(self, path: str, values: Any) -> Reply:
        """Send a PUT with values as JSON."""
        return await self._rest.request("PUT", path, None, json.dumps(values, default=_number))

    async def shown(self, reply: Reply) -> Reply:
        """Publish status and text of an answer, and pass it on."""
        await self._channels.post("HttpCode_RBV", reply.code)
        await self._channels.post("WriteFileMessage", reply.text)
        return reply


def _number(value: Any) -> Any:
    """A client's value as Python sees it; what came over the network is numpy's."""
    return value.item()

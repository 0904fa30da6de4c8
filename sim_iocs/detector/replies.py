"""Where an answer of Serval is shown."""

from __future__ import annotations

from sim_iocs.channels import Channels
from sim_iocs.detector.serval import Reply

__all__ = ["show_reply"]


async def show_reply(channels: Channels, reply: Reply) -> None:
    """Publish status and text of an answer."""
    await channels.post("HttpCode_RBV", reply.code)
    await channels.post("WriteFileMessage", reply.text)

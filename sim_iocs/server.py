"""One Channel Access server on the loopback interface, silent on every other network."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Awaitable, Callable

from caproto import ChannelData
from caproto.asyncio.server import Context

from sim_iocs.processes import watch_parent

__all__ = ["serve"]

_PARENT_POLL_S = 0.5
_SEARCH_BYTES = 1 << 22


class _LoopbackServer(Context):
    """caproto's server without beacons, which it would broadcast on all networks."""

    async def broadcast_beacon_loop(self) -> None:
        """Send nothing: clients of a loopback server have no use for beacons."""
        await asyncio.Event().wait()

    async def _create_broadcaster_transport(self, interface: str) -> None:
        """Make room for the searches of a client of all records, which come at once."""
        await super()._create_broadcaster_transport(interface)
        held = self.udp_socks[interface].transport.get_extra_info("socket")
        # the system grants what it allows, which may be less
        held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SEARCH_BYTES)


def serve(
    pvdb: dict[str, ChannelData],
    tasks: list[Callable[[], Awaitable[None]]],
    *,
    ready: Callable[[], Awaitable[None]] | None = None,
    parent_pid: int | None = None,
    verbose: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM, or until the parent process is gone.

    Prints `READY` on standard output once clients can connect.

    Parameters
    ----------
    pvdb
        Channels by full name.
    tasks
        Coroutine functions that run beside the server; the end of one with an error ends all.
    ready
        Awaited before `READY` is printed.
    parent_pid
        Process whose end ends this one.
    verbose
        Whether caproto's warnings are shown.
    """
    logging.getLogger("caproto").setLevel(logging.WARNING if verbose else logging.CRITICAL)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(pvdb, tasks, ready, parent_pid))


async def _serve(
    pvdb: dict[str, ChannelData],
    tasks: list[Callable[[], Awaitable[None]]],
    ready: Callable[[], Awaitable[None]] | None,
    parent_pid: int | None,
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    async def announce(_: object) -> None:
        if ready is not None:
            await ready()
        print("READY", flush=True)

    running = [asyncio.ensure_future(task()) for task in tasks]
    server = asyncio.create_task(
        _LoopbackServer(pvdb, ["127.0.0.1"]).run(startup_hook=announce), name="server"
    )
    if parent_pid is not None:
        running.append(asyncio.create_task(watch_parent(parent_pid, _PARENT_POLL_S)))
    waiting = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait(
            {waiting, server, *running}, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()
    finally:
        for pending in (*running, waiting, server):
            pending.cancel()
        await asyncio.gather(*running, waiting, server, return_exceptions=True)
        # the process is ending: a signal that comes while the loop is closed would find half of it
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)

"""A motor that is sent on while its last move ends, and the ports of servers, without a network."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from sim_iocs.beamline.description import MotorDescription
from sim_iocs.beamline.motor import Motor
from sim_iocs.beamline.motor_fields import motor_records
from sim_iocs.channels import Channels
from sim_iocs.network import reserve


def test_a_move_that_begins_while_another_ends_is_not_told_as_over():
    """Whoever waits for DMOV would go on with the motor on its way."""

    async def test() -> None:
        description = MotorDescription(pv="m", low=-10.0, high=10.0, units="deg")
        channels = Channels("x:", motor_records(description))
        at_the_end, go_on = asyncio.Event(), asyncio.Event()

        async def moved() -> None:
            if channels.get("m.RBV") == 1.0:
                at_the_end.set()
                await go_on.wait()

        motor = Motor(channels, description, longest_s=0.01, tick_s=0.001, moved=moved)
        first = asyncio.create_task(channels.pvdb["x:m"].write(1.0))
        await at_the_end.wait()
        motor.slowness = 1e5
        second = asyncio.create_task(channels.pvdb["x:m"].write(5.0))
        while channels.get("m") != 5.0:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        go_on.set()
        await first
        assert (channels.get("m.DMOV"), channels.get("m.MOVN")) == (0, 1)
        assert not second.done()
        await channels.pvdb["x:m.STOP"].write(1)
        await second
        assert (channels.get("m.DMOV"), channels.get("m.MOVN")) == (1, 0)

    asyncio.run(asyncio.wait_for(test(), 60))


def test_nobody_gets_by_chance_a_port_that_was_reserved():
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if not given.exists() or int(given.read_text().split()[0]) < 20_001:
        pytest.skip("no port is beyond the choices of the system")
    first, last = map(int, given.read_text().split())
    ports, held = reserve(5)
    try:
        assert len(set(ports)) == 5
        assert not any(first <= port <= last for port in ports)
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", ports[0]))
    finally:
        for each in held:
            each.close()

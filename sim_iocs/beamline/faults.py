"""Faults of motors on command, by process variables `SIM:<motor>:Stuck` and `SIM:<motor>:Slow`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from sim_iocs.beamline.motor import Motor, Stuck
from sim_iocs.channels import Channels
from sim_iocs.records import Record

__all__ = ["fault_records", "obey_faults"]


def fault_records(motors: Iterable[str]) -> list[Record]:
    """Rows of the faults of motors, by what they move."""
    return [
        row
        for motor in motors
        for row in (
            Record(
                f"SIM:{motor}:Stuck",
                "mbbo",
                0,
                "Stuck: the controller stalls, or hangs",
                ("No", "Stalls", "Hangs"),
            ),
            Record(f"SIM:{motor}:Slow", "ao", 1.0, "How many times slower it moves"),
        )
    ]


def obey_faults(channels: Channels, motors: Mapping[str, Motor]) -> None:
    """Let the records of `fault_records` work on the motors."""
    for name, motor in motors.items():
        channels.on_put(f"SIM:{name}:Stuck", _stick(motor))
        channels.on_put(f"SIM:{name}:Slow", _slow(motor))


def _stick(motor: Motor) -> Callable[[int], Awaitable[None]]:
    async def stick(value: int) -> None:
        motor.stuck = Stuck(value)

    return stick


def _slow(motor: Motor) -> Callable[[float], Awaitable[None]]:
    async def slow(value: float) -> None:
        motor.slowness = max(value, 1e-3)

    return slow

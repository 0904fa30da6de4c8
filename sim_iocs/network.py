"""Ports and environment of Channel Access on the loopback interface."""

from __future__ import annotations

import os
import secrets
import shlex
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from twinbeam.errors import BeamlineError

__all__ = [
    "Ports",
    "apply",
    "check_free",
    "client_environment",
    "export_lines",
    "reserve",
    "server_environment",
]

_HOST = "127.0.0.1"
_MAX_ARRAY_BYTES = 16_777_216
_LEAST_PORT = 10_000
_GIVEN_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")  # on Linux


@dataclass(frozen=True)
class Ports:
    """Port of each server, and that of the repeater, which nothing listens on."""

    beamline: int = 5264
    detector: int = 5265
    repeater: int = 5266

    @classmethod
    def free(cls) -> Ports:
        """Three ports that nothing uses now."""
        ports, held = reserve(3)
        for each in held:
            each.close()
        return cls(*ports)

    @classmethod
    def parse(cls, text: str) -> Ports:
        """Read `free`, or three numbers with commas between them.

        Raises
        ------
        ValueError
            If `text` is neither.
        """
        if text == "free":
            return cls.free()
        numbers = [int(part) for part in text.split(",")]
        if len(numbers) != 3 or len(set(numbers)) != 3 or not all(0 < n < 65536 for n in numbers):
            raise ValueError(f"'{text}' is neither 'free' nor three different port numbers")
        return cls(*numbers)


def reserve(count: int) -> tuple[list[int], list[socket.socket]]:
    """Find ports that nothing uses, neither for TCP nor for UDP, and hold them.

    They are none of those that the system gives to whoever asks for any port: between their release
    and the start of a server, which takes seconds, nobody gets one by chance.

    Returns
    -------
    tuple
        The port numbers, and the sockets that hold them until they are closed.
    """
    held: list[socket.socket] = []
    ports: list[int] = []
    while len(ports) < count:
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        held += [tcp, udp]
        try:
            tcp.bind((_HOST, _any_port()))
            port = tcp.getsockname()[1]
            udp.bind((_HOST, port))
        except OSError:
            continue
        ports.append(port)
    return ports, held


def _any_port() -> int:
    """A port to try; 0, which lets the system choose, where no range is free of its choices."""
    try:
        first_given = int(_GIVEN_PORTS.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0
    return secrets.choice(range(_LEAST_PORT, first_given)) if first_given > 2 * _LEAST_PORT else 0


def check_free(port: int) -> None:
    """Make sure that nobody else serves on a port; caproto would share it silently.

    Raises
    ------
    BeamlineError
        If the port is taken for TCP or UDP.
    """
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                # A port that is only waiting out its last connections is free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError as error:
                raise BeamlineError(
                    f"port {port} cannot be used: {error.strerror}",
                    where="sim_iocs",
                    hint="another simulated beamline may be running; choose others with --ports",
                ) from None


def client_environment(ports: Ports) -> dict[str, str]:
    """Variables with which any Channel Access client finds both servers, and nothing else."""
    return {
        "EPICS_CA_ADDR_LIST": f"{_HOST}:{ports.beamline} {_HOST}:{ports.detector}",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_REPEATER_PORT": str(ports.repeater),
        "EPICS_CA_MAX_ARRAY_BYTES": str(_MAX_ARRAY_BYTES),
    }


def server_environment(port: int) -> dict[str, str]:
    """Variables that caproto's server reads: its port, and loopback only."""
    return {
        "EPICS_CA_SERVER_PORT": str(port),
        "EPICS_CAS_SERVER_PORT": str(port),
        "EPICS_CAS_INTF_ADDR_LIST": _HOST,
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CAS_BEACON_ADDR_LIST": _HOST,
        "EPICS_CA_MAX_ARRAY_BYTES": str(_MAX_ARRAY_BYTES),
    }


def export_lines(variables: Mapping[str, str]) -> list[str]:
    """Shell lines `export NAME=value`, with the value quoted where the shell needs it."""
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]


def apply(variables: Mapping[str, str]) -> None:
    """Set the variables in this process, before it makes its first Channel Access context."""
    os.environ.update(variables)

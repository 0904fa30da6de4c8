"""Checks of Channel Access: where it looks, and which instruments of the site answer."""

from __future__ import annotations

import selectors
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from typing import Any

from twinbeam.cli.doctor_finding import FAULT, OK, WARNING, Finding
from twinbeam.errors import TwinbeamError

__all__ = ["channel_access", "found_channels"]

_SEARCH_S = 2.0
_READ_S = 1.0
_MOST_BYTES = 1400  # of one datagram
_MOST_NAMES = 6
_FRESH_S = 10.0
_AHEAD_S = 0.5
_HEADER = struct.Struct(">HHHHII")
_VERSION, _SEARCH, _MINOR = 0, 6, 13
_NO_REPLY = 5


def channel_access(site_name: str | None, *, simulated: bool) -> Iterator[Finding]:
    """Where Channel Access looks, what of the site answers, and how its clocks stand.

    Parameters
    ----------
    site_name
        File or name of the site; None for the simulated beamline.
    simulated
        Whether addresses are those of the simulated beamline, for want of others.
    """
    import caproto

    import twinbeam.devices  # noqa: F401  chooses ophyd's client of Channel Access
    from twinbeam.cli.doctor_site import site_channels

    try:
        addresses = [(str(host), int(port)) for host, port in caproto.get_client_address_list()]
    except Exception as error:
        yield Finding("Channel Access", FAULT, str(error), "correct EPICS_CA_ADDR_LIST")
        return
    shown = ", ".join(f"{host}:{port}" for host, port in addresses)
    of = "; of the simulated beamline, for EPICS_CA_ADDR_LIST is not set" if simulated else ""
    yield Finding("Channel Access", OK, f"asks {shown}{of}")
    try:
        site, devices = site_channels(site_name)
    except TwinbeamError as error:
        yield Finding("site", FAULT, str(error), "'twinbeam settings set site FILE' names one")
        return
    names = [name for each in devices.values() for name in each]
    found = found_channels(names, addresses, timeout_s=_SEARCH_S)
    yield from _answers(site, devices, found, simulated)
    if first := devices["detector"][0] in found:
        yield from _detector(devices["detector"])
    if first and devices.get("ring"):
        yield from _clock([*devices["detector"][:1], *devices["ring"][:1]])


def _answers(
    site: str, devices: dict[str, list[str]], found: set[str], simulated: bool
) -> Iterator[Finding]:
    missing = {d: [n for n in names if n not in found] for d, names in devices.items()}
    total = sum(map(len, devices.values()))
    text = f"{len(found)} of {total} process variables answer"
    start = (
        "start it with 'twinbeam iocs', or set EPICS_CA_ADDR_LIST and TWINBEAM_SITE for yours"
        if simulated
        else "check that the IOC runs, the prefixes of the site, and EPICS_CA_ADDR_LIST"
    )
    if not found:
        yield Finding(f"site {site}", FAULT, text, start)
        return
    gone = [f"{d} ({_some(names)})" for d, names in missing.items() if names]
    if gone:
        yield Finding(f"site {site}", FAULT, f"{text}; missing: {'; '.join(gone)}", start)
    else:
        yield Finding(f"site {site}", OK, text)


def _some(names: Sequence[str]) -> str:
    more = f", and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _detector(names: list[str]) -> Iterator[Finding]:
    """What the detector's IOC says of Serval and of the detector."""
    ends = ("ServalConnected_RBV", "DetConnected_RBV")
    wrong = []
    for end in ends:
        name = next((n for n in names if n.endswith(end)), None)
        if name is None:
            continue
        try:
            value = int(_read(name, force_int_enums=True).data[0])
        except Exception as error:
            yield Finding("detector", FAULT, f"{name}: {_brief(error)}", "restart its IOC?")
            return
        if not value:
            wrong.append(end.removesuffix("_RBV"))
    if wrong:
        advice = "start Serval and look at the detector's cable and power; the IOC itself runs"
        yield Finding("detector", FAULT, f"{', '.join(wrong)} is 0", advice)
    else:
        yield Finding("detector", OK, "its IOC answers; Serval and detector are connected")


def _clock(names: list[str]) -> Iterator[Finding]:
    """How the time stamps of the IOCs stand against the clock here."""
    late = []
    for name in names:
        try:
            late.append(time.time() - float(_read(name, data_type="time").metadata.timestamp))
        except Exception as error:
            yield Finding("clock of the IOC", WARNING, f"{name}: {_brief(error)}", "")
            return
    newest = min(late)
    if newest < -_AHEAD_S:
        advice = "one of the two clocks is wrong: start chrony or ntpd on both"
        yield Finding("clock of the IOC", WARNING, f"{-newest:.1f} s ahead of here", advice)
    elif newest > _FRESH_S:
        text = f"its newest time stamp is {newest:,.0f} s old; nothing may have changed since"
        yield Finding("clock of the IOC", OK, text)
    else:
        yield Finding("clock of the IOC", OK, f"newest time stamp {max(newest, 0):.1f} s ago")


def _read(name: str, **options: Any) -> Any:
    from caproto.sync.client import read

    return read(name, timeout=_READ_S, repeater=False, **options)


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:100]}"


def found_channels(
    names: Sequence[str], addresses: Sequence[tuple[str, int]], *, timeout_s: float
) -> set[str]:
    """The names that some server says it has; they are asked for together, and twice.

    Parameters
    ----------
    addresses
        Hosts and ports that are asked.
    timeout_s
        Longest time that answers are waited for, in s.
    """
    found: set[int] = set()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking,
        selectors.DefaultSelector() as selector,
    ):
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        asking.setblocking(False)
        selector.register(asking, selectors.EVENT_READ)
        began = time.monotonic()
        for half in (1, 2):
            missing = [i for i in range(len(names)) if i not in found]
            for datagram in _requests(names, missing):
                for address in addresses:
                    try:
                        asking.sendto(datagram, address)
                    except OSError:
                        continue  # no way there: it counts as no answer
                _hear(asking, selector, found, 0.002)
            end = began + half * timeout_s / 2
            while len(found) < len(names) and (left := end - time.monotonic()) > 0:
                _hear(asking, selector, found, left)
            if len(found) == len(names):
                break
    return {names[i] for i in found if i < len(names)}


def _requests(names: Sequence[str], wanted: list[int]) -> Iterator[bytes]:
    first = _HEADER.pack(_VERSION, 0, 0, _MINOR, 0, 0)
    datagram = first
    for i in wanted:
        text = names[i].encode() + b"\0"
        text += b"\0" * (-len(text) % 8)
        request = _HEADER.pack(_SEARCH, len(text), _NO_REPLY, _MINOR, i, i) + text
        if len(datagram) + len(request) > _MOST_BYTES:
            yield datagram
            datagram = first
        datagram += request
    if len(datagram) > len(first):
        yield datagram


def _hear(
    asking: socket.socket, selector: selectors.BaseSelector, found: set[int], timeout_s: float
) -> None:
    if not selector.select(timeout_s):
        return
    while True:
        try:
            answer = asking.recv(65536)
        except OSError:
            return
        place = 0
        while place + _HEADER.size <= len(answer):
            command, size, _, _, _, number = _HEADER.unpack_from(answer, place)
            if command == _SEARCH:
                found.add(number)
            place += _HEADER.size + size

"""Connection of many process variables at once, with one readable list of those that fail."""

from __future__ import annotations

import time
from collections.abc import Iterator

import ophyd
from ophyd import Device
from ophyd.ophydobj import OphydObject
from ophyd.signal import EpicsSignalBase

from twinbeam.errors import BeamlineError

__all__ = ["connect"]

_POLL_S = 0.01
_GRACE_S = 5.0
_MOST_NAMES = 40


def connect(*devices: OphydObject, timeout_s: float = 10.0, lazy_too: bool = False) -> None:
    """Wait until every process variable of the devices is connected.

    Searches for all of them run in parallel, so this takes about as long as the slowest one.

    Parameters
    ----------
    devices
        ophyd devices or signals.
    timeout_s
        Longest time for all of them together to be found, in seconds. Those that are found get up
        to 5 s more, for ophyd handles new connections one after the other.
    lazy_too
        Whether signals that would connect on first use, such as images, are connected as well.

    Raises
    ------
    BeamlineError
        Naming every process variable that does not answer.
    """
    if ophyd.get_cl().name == "dummy":
        raise BeamlineError(
            "ophyd was imported without Channel Access",
            where="OPHYD_CONTROL_LAYER",
            hint="import twinbeam.devices before ophyd, or set OPHYD_CONTROL_LAYER=caproto",
        )
    signals = [signal for device in devices for signal in _signals(device, lazy_too)]
    deadline = time.monotonic() + timeout_s
    waiting = [signal for signal in signals if not signal.connected]
    while waiting and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        waiting = [signal for signal in waiting if not signal.connected]
    # ophyd handles one new connection after the other; those that are found may take longer.
    deadline += _GRACE_S
    waiting = [signal for signal in waiting if not _described(signal, deadline)]
    if not waiting:
        return
    missing = list(
        dict.fromkeys(pv for s in waiting for pv in _unreachable(s) or s._connection_states)
    )
    shown = ", ".join(missing[:_MOST_NAMES])
    if len(missing) > _MOST_NAMES:
        shown += f" and {len(missing) - _MOST_NAMES} more"
    n_pvs = len({pv for signal in signals for pv in signal._connection_states})
    raise BeamlineError(
        f"{len(missing)} of {n_pvs} process variables did not answer within {timeout_s:g} s:"
        f" {shown}",
        where=", ".join(device.name for device in devices),
        hint="check that the IOC runs, that the prefix is right, and EPICS_CA_ADDR_LIST",
    )


def _signals(device: OphydObject, lazy_too: bool) -> Iterator[EpicsSignalBase]:
    if isinstance(device, EpicsSignalBase):
        yield device
        return
    if not isinstance(device, Device):
        return
    parts = [device, *(part for _, part in device.walk_subdevices(include_lazy=lazy_too))]
    for part in parts:
        # Otherwise each lazy signal is waited for in turn when it is first touched.
        part.lazy_wait_for_connection = False
    try:
        for walk in device.walk_signals(include_lazy=lazy_too):
            if isinstance(walk.item, EpicsSignalBase):
                yield walk.item
    finally:
        for part in parts:
            del part.lazy_wait_for_connection


def _described(signal: EpicsSignalBase, deadline: float) -> bool:
    """Whether a signal that is found, but whose limits and units are still queued, gives them."""
    if _unreachable(signal):
        return False
    try:
        signal.wait_for_connection(timeout=max(deadline - time.monotonic(), _POLL_S))
    except TimeoutError:
        return False
    return True


def _unreachable(signal: EpicsSignalBase) -> list[str]:
    """Process variables of a signal that no server has."""
    pvs = signal._read_pv, getattr(signal, "_write_pv", None)
    return [pv.pvname for pv in pvs if pv is not None and not pv.connected]

"""How long a process variable that is connected may take to answer."""

from __future__ import annotations

import contextlib

from ophyd.signal import EpicsSignalBase

__all__ = ["READ_S", "read_patiently"]

#: Longest time for an answer, in seconds. ophyd's 2 s end a plan on a loaded machine or network.
READ_S = 10.0


def read_patiently() -> None:
    """Let every process variable take `READ_S` to answer, unless somebody has chosen otherwise.

    ophyd has one setting a process, which holds from the first signal on; where it was changed
    before, or a signal exists already, it stays.
    """
    for name, usual in EpicsSignalBase.set_defaults.__func__.__kwdefaults__.items():
        if getattr(EpicsSignalBase, f"_EpicsSignalBase__default_{name}", usual) != usual:
            return
    with contextlib.suppress(RuntimeError):  # there are signals already
        EpicsSignalBase.set_defaults(timeout=READ_S)

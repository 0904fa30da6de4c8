"""A monitored state in words."""

from __future__ import annotations

from typing import Any

from ophyd import EpicsSignalRO

__all__ = ["Words"]


class Words(EpicsSignalRO):
    """A readback whose states have names, which it gives to everybody, as text.

    The first value that a connection brings may come before the names of the states; caproto
    hands it on as None then, and who follows the signal, such as a suspender, takes that for a
    state. Here it is asked for again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, string=True, **kwargs)

    def _read_changed(self, value: Any = None, **kwargs: Any) -> None:
        if kwargs.get("char_value", "") is None:
            try:
                _, pv = kwargs["cb_info"]
                kwargs["char_value"] = pv.get(as_string=True)
            except Exception:  # lost just now; the value comes when it is back
                return
            if kwargs["char_value"] is None:
                return
        super()._read_changed(value=value, **kwargs)

    def _add_callback(self, pvname: str, pv: Any, cb: Any) -> None:
        super()._add_callback(pvname, pv, cb)
        # ophyd takes the first callback, whose number is 0, for none; it would ask the IOC and wait
        # for the answer once more when somebody subscribes.
        if self._monitors[pvname] == 0:
            self._monitors[pvname] = 1

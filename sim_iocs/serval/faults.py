"""Faults on command: one object that says what goes wrong, and that the model obeys."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from sim_iocs.serval.reply import NO_ANSWER, Reply

__all__ = ["FILE_FAULTS", "Faults"]

FILE_FAULTS = ("", "missing", "late", "truncated")


@dataclass
class Faults:
    """What goes wrong. Set a field to switch a fault on and set it back to switch it off.

    The model looks at the fields at every request and at every slice of a measurement (at most
    50 ms), so no call is needed after a change.

    Attributes
    ----------
    deaths
        How often `serval_down` was switched on.
    serval_down
        Serval is dead: no request is answered, a running measurement breaks off with files and
        streams as they are. When it is back it has forgotten configuration and destination.
    slow_s
        Every answer comes this many seconds late.
    detector_lost
        Serval answers, the detector does not: `Detector` is null in the dashboard, requests to it
        are refused, a running measurement ends.
    refuse
        Requests that are refused, by method and path, such as ``PUT /detector/config``; ``*`` is
        every request. The value is the status and the plain text of the answer.
    start_refused
        `/measurement/start` is refused with 409.
    stop_fails
        `/measurement/stop` is refused with 500, and the measurement goes on.
    lost_after_s
        When a measurement has run for so many seconds, `serval_down` is switched on.
    port_in_use
        Ports on which Serval cannot listen; -1 is every port.
    disk_limit
        The lower limit of free space is reached.
    drop_every
        Every frame with a number divisible by this is dropped; 0 drops none.
    wrong_readback
        Values that `GET /detector/config` gives in place of the true ones, by Serval's names.
    files
        What happens to raw files: nothing (empty), or one of "missing", "late", "truncated".
    file_late_s
        How long "late" files take to appear, in seconds after they are complete.
    clock_reset
        The detector's clock is set to zero in the next slice of a measurement; the model switches
        it off again.
    no_heartbeats
        Global-time and heartbeat words are missing.
    """

    deaths: ClassVar[int] = 0
    serval_down: bool = False
    slow_s: float = 0.0
    detector_lost: bool = False
    refuse: dict[str, tuple[int, str]] = field(default_factory=dict)
    start_refused: bool = False
    stop_fails: bool = False
    lost_after_s: float | None = None
    port_in_use: set[int] = field(default_factory=set)
    disk_limit: bool = False
    drop_every: int = 0
    wrong_readback: dict[str, Any] = field(default_factory=dict)
    files: str = ""
    file_late_s: float = 5.0
    clock_reset: bool = False
    no_heartbeats: bool = False

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "files" and value not in FILE_FAULTS:
            raise ValueError(f"files is one of {FILE_FAULTS}, not {value!r}")
        if name not in _names():
            raise AttributeError(f"there is no fault {name!r}")
        if name == "serval_down" and value and not getattr(self, name, False):
            object.__setattr__(self, "deaths", self.deaths + 1)
        object.__setattr__(self, name, value)

    def clear(self) -> None:
        """Switch everything off."""
        fresh = Faults()
        for each in fields(self):
            setattr(self, each.name, getattr(fresh, each.name))

    def answer(self, request: str) -> Reply | None:
        """The answer that a request such as ``PUT /detector/config`` gets in place of its own."""
        if self.serval_down:
            return NO_ANSWER
        for name in (request, "*"):
            if name in self.refuse:
                code, text = self.refuse[name]
                return Reply(code, text)
        if self.start_refused and request == "GET /measurement/start":
            return Reply(409, "Measurement cannot be started.")
        if self.stop_fails and request == "GET /measurement/stop":
            return Reply(500, "Measurement cannot be stopped.")
        path = request.partition(" ")[2]
        if self.detector_lost and (path in _NEED_DETECTOR or path.startswith("/detector")):
            return Reply(503, "Detector is not connected.")
        return None

    def holds_port(self, port: int) -> bool:
        """Whether a port cannot be listened on."""
        return port in self.port_in_use or -1 in self.port_in_use


_NEED_DETECTOR = frozenset({"/measurement/start", "/measurement/trigger/start"})


def _names() -> frozenset[str]:
    return frozenset(each.name for each in fields(Faults))

"""The newest result, for whoever looks at it: one writer, any number of readers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinbeam.live.update import Update
from twinbeam.pipeline import Result

__all__ = ["Moment", "Scene", "Showcase", "Step"]

_MOST_MOMENTS = 1200  # of one run; every other is left out when there are more


@dataclass(frozen=True)
class Moment:
    """What had been counted at one moment of a run.

    Attributes
    ----------
    seconds
        Measured time up to then.
    hits, photons
        Hits and photons so far.
    net, net_err
        Pairs without accidentals so far, and their standard error.
    """

    seconds: float
    hits: int
    photons: int
    net: float
    net_err: float


@dataclass(frozen=True)
class Step:
    """Where an earlier run of the same scan stood, and what it came to.

    Attributes
    ----------
    detuning_deg
        Detuning of the run's recipe.
    moment
        Its last counts.
    """

    detuning_deg: float
    moment: Moment


@dataclass(frozen=True, eq=False)
class Scene:
    """A result with its surroundings; nothing in it changes any more.

    Attributes
    ----------
    number
        Grows with every scene of the showcase, whatever the run.
    update, result
        Numbers and maps of one and the same moment.
    start
        Start document of the run, as far as it is known.
    moments
        How the run came to it.
    steps
        The runs before it in the same `scan_group`.
    """

    number: int
    update: Update
    result: Result
    start: Mapping[str, Any]
    moments: tuple[Moment, ...]
    steps: tuple[Step, ...] = ()


class Showcase:
    """Listener that keeps the newest scene.

    The service's thread puts a new scene in the place of the old one; readers compare numbers and
    take it whole. Nobody waits for anybody, and a reader that is slow skips scenes.

    Parameters
    ----------
    start_of
        Finds the start document of a run; called once a run.
    lines
        Folder of the JSON lines of runs, for those who look, if it can be read from here.
    """

    def __init__(
        self,
        start_of: Callable[[str], Mapping[str, Any]] | None = None,
        lines: Path | None = None,
    ) -> None:
        self.lines = lines
        self._start_of = start_of
        self._scene: Scene | None = None
        self._writing = threading.Lock()

    @property
    def number(self) -> int:
        """Number of the newest scene; 0 before the first."""
        scene = self._scene
        return scene.number if scene is not None else 0

    @property
    def latest(self) -> Scene | None:
        """The newest scene."""
        return self._scene

    def update(self, update: Update, result: Result) -> None:
        """Show a new result."""
        with self._writing:
            before = self._scene
            same_run = before is not None and before.update.run == update.run
            same = same_run and before is not None and before.update.version < update.version
            pairs = update.summary["pairs"]
            moment = Moment(
                float(update.summary["duration_s"]),
                int(update.summary["hits"]),
                int(update.summary["photons"]),
                float(pairs["net"]),
                float(pairs["net_err"]),
            )
            past = before.moments if same and before is not None else ()
            if len(past) >= _MOST_MOMENTS:
                past = past[::2]
            start = before.start if same_run and before is not None else self._start(update.run)
            number = before.number + 1 if before is not None else 1
            steps = _steps(before, start, same_run) if before is not None else ()
            self._scene = Scene(number, update, result, start, (*past, moment), steps)

    def document(self, name: str, doc: dict[str, Any]) -> None:
        """Documents of derived runs are not shown."""

    def _start(self, run: str) -> Mapping[str, Any]:
        try:
            return {} if self._start_of is None else dict(self._start_of(run))
        except Exception:  # a title is not worth a result
            return {}


def _steps(before: Scene, start: Mapping[str, Any], same_run: bool) -> tuple[Step, ...]:
    """The earlier runs of the scan a run belongs to."""
    if same_run:
        return before.steps
    group = start.get("scan_group")
    if group is None or before.start.get("scan_group") != group:
        return ()
    detuning_deg = float(before.result.recipe.geometry.detuning_deg)
    return (*before.steps, Step(detuning_deg, before.moments[-1]))

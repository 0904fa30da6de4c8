"""What a collection of pairs comes to."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twinbeam.plans.drift import Drift
from twinbeam.plans.earlier import Collected
from twinbeam.plans.live_results import LiveNumbers
from twinbeam.plans.report import report, with_error

__all__ = ["Acquired", "CollectResult", "pair_rows"]


@dataclass(frozen=True)
class Acquired:
    """Raw files of one acquisition: folder, python format of their names, how many, and bytes.

    Of frames that the detector has dropped there is no file; their numbers are left out.
    """

    raw_uri: str
    raw_template: str
    frames: int
    raw_bytes: int
    dropped: int = 0


@dataclass(frozen=True)
class CollectResult:
    """What a collection left on disk, and what the live analysis made of it.

    Attributes
    ----------
    run_uid
        Of the run's start document.
    raw_uri, raw_template
        Folder of the first acquisition's raw files, and python format of their names.
    frames
        Files of all acquisitions.
    raw_bytes
        Their size together.
    seconds
        Exposure of all frames together.
    acquisitions
        More than one if the Bragg angle was checked, the beam was away, or something was tried
        again.
    drifts
        Looks at the Bragg angle.
    bragg_deg
        Bragg angle in the end, in degrees.
    why
        What ended it.
    numbers
        Final live results; None without any.
    before
        What the runs had collected that this one continues; None when it continues none.
    together
        The numbers of all of them; None when it continues none, or there are no live results.
    """

    run_uid: str
    raw_uri: str
    raw_template: str
    frames: int
    raw_bytes: int
    seconds: float
    acquisitions: tuple[Acquired, ...] = ()
    drifts: tuple[Drift, ...] = ()
    bragg_deg: float = math.nan
    why: str = ""
    numbers: LiveNumbers | None = None
    before: Collected | None = None
    together: LiveNumbers | None = None

    @property
    def dropped(self) -> int:
        """Frames that the detector has lost, of all acquisitions."""
        return sum(each.dropped for each in self.acquisitions)

    def __str__(self) -> str:
        live = self.together or self.numbers
        drifted = sum(each.change_mdeg for each in self.drifts)
        failed = sum(bool(each.problem) for each in self.drifts)
        times = _counted(len(self.drifts), "time") + (f" ({failed} in vain)" if failed else "")
        acquisitions = _counted(len(self.acquisitions), "acquisition")
        rows = [
            ("run", self.run_uid[:8]),
            ("exposure", f"{self.seconds:.6g} s in {_counted(self.frames, 'frame')}"),
            ("with what was before", self._whole_exposure()),
            (
                "raw data",
                f"{_amount(self.raw_bytes)} in {acquisitions}",
            ),
            (
                "dropped",
                f"{_counted(self.dropped, 'frame')}; others were taken" if self.dropped else "",
            ),
            ("ended by", self.why),
            (
                "Bragg angle",
                f"checked {times}, moved by {drifted:+.2f} mdeg since the beginning"
                if self.drifts
                else "",
            ),
        ]
        return report("Collection of pairs is over; shutter closed.", rows + pair_rows(live))

    def _whole_exposure(self) -> str:
        if self.before is None:
            return ""
        n = len(self.before.runs) + 1
        return f"{self.before.seconds + self.seconds:.6g} s in {n} runs; the pairs are all of them"


def _amount(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e5 else f"{n_bytes / 1e3:.1f} kB"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def pair_rows(numbers: LiveNumbers | None) -> list[tuple[str, str]]:
    """Lines about pairs; none without numbers."""
    if numbers is None:
        return []
    hours = numbers.seconds / 3600.0 if numbers.seconds > 0.0 else math.nan
    ratio = numbers.s_over_b
    unfinished = () if numbers.final else ("the live analysis is not through",)
    return [
        ("pairs", f"{with_error(numbers.net, numbers.net_err)} net, {numbers.prompt} prompt"),
        ("accidentals", with_error(numbers.accidental, numbers.accidental_err)),
        ("signal/background", f"{ratio:.3g}" if ratio is not None else "no accidental seen"),
        ("significance", f"{numbers.significance:.1f} standard deviations"),
        ("rate", with_error(numbers.net / hours, numbers.net_err / hours, "pairs/h")),
        ("pair detuning", with_error(numbers.detuning_deg, numbers.detuning_whole_err_deg, "deg")),
        ("beware", "; ".join((*numbers.problems, *unfinished))),
    ]

"""What a collection of pairs comes to."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twinbeam.plans.drift import Drift
from twinbeam.plans.live_results import LiveNumbers
from twinbeam.plans.report import report, with_error

__all__ = ["Acquired", "CollectResult", "pair_rows"]


@dataclass(frozen=True)
class Acquired:
    """Raw files of one acquisition: folder, python format of their names, how many, and bytes."""

    raw_uri: str
    raw_template: str
    frames: int
    raw_bytes: int


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

    def __str__(self) -> str:
        live = self.numbers
        drifted = sum(abs(each.change_mdeg) for each in self.drifts)
        checked = f"checked {len(self.drifts)} times, moved by {drifted:.2f} mdeg in all"
        rows = [
            ("run", self.run_uid[:8]),
            ("exposure", f"{self.seconds:.6g} s in {self.frames} frames"),
            ("raw data", f"{self.raw_bytes / 1e6:.1f} MB, {len(self.acquisitions)} acquisitions"),
            ("ended by", self.why),
            ("Bragg angle", checked if self.drifts else ""),
        ]
        return report("Collection of pairs is over; shutter closed.", rows + pair_rows(live))


def pair_rows(numbers: LiveNumbers | None) -> list[tuple[str, str]]:
    """Lines about pairs; none without numbers."""
    if numbers is None:
        return []
    per_hour = 3600.0 * numbers.net / numbers.seconds if numbers.seconds > 0.0 else math.nan
    ratio = numbers.s_over_b
    return [
        ("pairs", f"{with_error(numbers.net, numbers.net_err)} net, {numbers.prompt} prompt"),
        ("accidentals", with_error(numbers.accidental, numbers.accidental_err)),
        ("signal/background", f"{ratio:.3g}" if ratio is not None else "no accidental seen"),
        ("significance", f"{numbers.significance:.1f} standard deviations"),
        ("rate", f"{per_hour:.4g} pairs/h"),
        ("pair detuning", with_error(numbers.detuning_deg, numbers.detuning_err_deg, "deg")),
        ("beware", "; ".join(numbers.problems) + ("" if numbers.final else " (not final)")),
    ]

"""When a collection has enough."""

from __future__ import annotations

import time
from dataclasses import dataclass

import bluesky.plan_stubs as bps
from bluesky.utils import MsgGenerator

from twinbeam.errors import BeamlineError
from twinbeam.plans._guards import check_number, check_whole
from twinbeam.plans.live_results import LiveNumbers, LiveResults

__all__ = ["StopRule", "wait_final"]

_LOOK_S = 0.1


@dataclass(frozen=True)
class StopRule:
    """What is enough; None of a quantity never is. The first that is reached ends the collection.

    Attributes
    ----------
    pairs
        Net pairs.
    significance
        Of the excess of pairs, in standard deviations.
    image_sn
        Mean signal to noise of one of `image_elements` resolution elements of the pair image.
    relative_error
        Standard error of the net pairs over the net pairs.
    """

    pairs: float | None = None
    significance: float | None = None
    image_sn: float | None = None
    image_elements: int = 1000
    relative_error: float | None = None

    def check(self, plan: str, results: LiveResults | None) -> None:
        """Make sure that the rule can be followed.

        Raises
        ------
        BeamlineError
            If a limit is no positive number, or there are no live results to judge by.
        """
        limits = {
            "stop_pairs": self.pairs,
            "stop_significance": self.significance,
            "stop_image_sn": self.image_sn,
            "stop_relative_error": self.relative_error,
        }
        given = {name: value for name, value in limits.items() if value is not None}
        for name, value in given.items():
            check_number(plan, name, value, 0.0, 1e12)
        check_whole(plan, "image_elements", self.image_elements, 1, 1_000_000)
        if given and results is None:
            raise BeamlineError(
                f"{', '.join(given)} without live results",
                where=plan,
                hint="pass results=live_results(live)",
            )

    def reached(self, numbers: LiveNumbers | None) -> str:
        """What is enough, in words; empty while nothing is."""
        if numbers is None or numbers.net <= 0.0:
            return ""
        image_sn = numbers.image_sn(self.image_elements)
        if self.pairs is not None and numbers.net >= self.pairs:
            return f"{numbers.net:.0f} net pairs"
        if self.significance is not None and numbers.significance >= self.significance:
            return f"{numbers.significance:.1f} standard deviations"
        if self.image_sn is not None and image_sn >= self.image_sn:
            return f"image signal to noise {image_sn:.2f}"
        error = numbers.relative_error
        if self.relative_error is not None and error <= self.relative_error:
            return f"net pairs known to {100.0 * error:.1f} %"
        return ""


def wait_final(
    results: LiveResults | None, run: str, timeout_s: float
) -> MsgGenerator[LiveNumbers | None]:
    """Wait for the final numbers of a run that is over; the newest there are when time is up."""
    if results is None or not run:
        return None
    deadline = time.monotonic() + timeout_s
    numbers = results(run)
    while (numbers is None or not numbers.final) and time.monotonic() < deadline:
        yield from bps.checkpoint()
        yield from bps.sleep(_LOOK_S)
        numbers = results(run)
    return numbers

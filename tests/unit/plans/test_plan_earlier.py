"""What an earlier collection has counts for the one that continues it."""

from __future__ import annotations

from typing import Any

import pytest
from every_plan import WholeBeamline, numbers, walk_through
from pure_beamline import BRAGG_DEG

from twinbeam import plans
from twinbeam.errors import BeamlineError
from twinbeam.pairs import Estimate
from twinbeam.plans import Collected, LiveNumbers
from twinbeam.plans.earlier import Earlier


def before(seconds: float = 6.0) -> Collected:
    """A run that was never closed; it has no files, so no pairs are found in it."""
    return Collected(("old",), 6, seconds, (), (), "", {})


def of(estimate: Estimate, detuning_deg: float | None = 0.04, error_deg: float = 1e-3) -> Any:
    return LiveNumbers(
        "run", True, 10.0, 1000, estimate.n_prompt, estimate.accidental, estimate.accidental_err,
        estimate.net, estimate.net_err, estimate.significance, estimate.s_over_b, detuning_deg,
        error_deg,
    )  # fmt: skip


def test_counts_of_both_runs_are_those_of_one() -> None:
    first, second = Estimate(60, 200, 20), Estimate(45, 150, 20)
    both = Earlier(before(), of(first), first).together(of(second, 0.043, 2e-3))
    one = first + second
    assert both is not None
    assert (both.prompt, both.accidental, both.net) == (105, one.accidental, one.net)
    assert both.significance == one.significance
    assert both.s_over_b == one.s_over_b
    assert both.net_err == pytest.approx(one.net_err)
    assert both.accidental_err == pytest.approx(one.accidental_err)
    assert both.seconds == 20.0
    assert both.detuning_deg == pytest.approx((0.04 * 4 + 0.043) / 5)
    assert both.detuning_err_deg < 1e-3


def test_either_may_have_nothing() -> None:
    estimate = Estimate(60, 200, 20)
    old = Earlier(before(), of(estimate), estimate).together(None)
    assert old is not None
    assert (old.net, old.final) == (estimate.net, False)
    live = of(estimate)
    assert Earlier(before(), None, None).together(live) is live


def collect(bench: WholeBeamline, **more: Any) -> Any:
    given = {"seconds": 10.0, "bragg_deg": BRAGG_DEG, "results": numbers, **more}
    return walk_through(plans.collect_pairs(bench.detector, bench.shutter, **given))


def test_what_is_left_is_collected_and_the_old_run_named() -> None:
    walked = collect(WholeBeamline(), continue_from="old", earlier=lambda run: before())
    assert walked.error is None
    result = walked.result
    assert result.frames == 4
    assert result.before.runs == ("old",)
    assert "10 s in 2 runs" in str(result)


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"continue_from": "old"}, "without a catalogue"),
        (
            {"continue_from": "old", "earlier": lambda run: before(10.0)},
            "enough already: 10 s",
        ),
    ],
)
def test_nothing_moves_when_nothing_is_left(more: dict[str, Any], complaint: str) -> None:
    walked = collect(WholeBeamline(), **more)
    assert isinstance(walked.error, BeamlineError)
    assert complaint in str(walked.error)
    assert walked.commands == []

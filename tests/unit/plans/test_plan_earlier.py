"""What an earlier collection has counts for the one that continues it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from every_plan import WholeBeamline, numbers, walk_through
from pure_beamline import BRAGG_DEG

from twinbeam import plans
from twinbeam.errors import BeamlineError
from twinbeam.pairs import Estimate
from twinbeam.plans import Collected, LiveNumbers
from twinbeam.plans.earlier import Earlier, _path_of
from twinbeam.store.documents import encode_line


def before(seconds: float = 6.0, **start: Any) -> Collected:
    """A run that was never closed; it has no files, so no pairs are found in it."""
    return Collected(("old",), 6, seconds, (), (), "", start)


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
        (
            {"continue_from": "old", "earlier": lambda run: before(del_theta=0.03)},
            "was made at a detuning of 0.03 deg, not 0.04",
        ),
    ],
)
def test_nothing_moves_when_nothing_is_left(more: dict[str, Any], complaint: str) -> None:
    walked = collect(WholeBeamline(), **more)
    assert isinstance(walked.error, BeamlineError)
    assert complaint in str(walked.error)
    assert walked.commands == []


def test_a_run_at_the_same_detuning_is_continued() -> None:
    walked = collect(
        WholeBeamline(), continue_from="old", earlier=lambda run: before(del_theta=0.0401)
    )
    assert walked.error is None


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A folder with one collection."""
    start = {"uid": "1234abcd", "plan_name": "collect_pairs", "time": 1.0}
    (tmp_path / "1234abcd.jsonl").write_bytes(encode_line("start", start))
    return tmp_path


def test_a_scan_id_is_not_taken_for_the_beginning_of_a_uid(documents: Path) -> None:
    assert _path_of(documents, "1234").stem == "1234abcd"
    with pytest.raises(BeamlineError, match="a scan id does not do"):
        _path_of(documents, 1234)


def test_a_file_that_a_power_failure_left_hides_no_other(
    documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (documents / "5678abcd.jsonl").write_bytes(bytes(100) + b"\n")
    assert _path_of(documents, -1).stem == "1234abcd"
    assert "5678abcd.jsonl" in capsys.readouterr().err

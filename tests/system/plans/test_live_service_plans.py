"""Plans that stop by what the live service finds, which is a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from twinbeam.devices import Beamline
from twinbeam.live import LiveLink
from twinbeam.plans import collect_pairs, detuning_scan, live_results
from twinbeam.profile import Session

BRAGG_DEG = 11.576
PATIENCE_S = 120.0


@pytest.fixture(scope="module")
def session(beamline: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session whose live analysis is `twinbeam live`."""
    folder = tmp_path_factory.mktemp("session")
    with Session(
        folder / "catalog", readable=[beamline.data_dir], service=True, context_managers=()
    ) as made:
        yield made


@pytest.mark.timeout(280)
def test_a_collection_ends_by_the_pairs_that_the_service_counts(
    bench: Beamline, session: Session, process_exists: Any
) -> None:
    assert isinstance(session.live, LiveLink)
    assert process_exists(session.analysis.process.pid)
    ended = session.RE(
        collect_pairs(
            bench.detector,
            bench.shutter,
            bench.goniometer.theta,
            seconds=600.0,
            frame_s=0.25,
            bragg_deg=BRAGG_DEG,
            recipe_md={},
            results=live_results(session.live),
            stop_pairs=60.0,
            flush_s=0.2,
            final_s=PATIENCE_S,
        )
    )
    result = ended.plan_result
    assert "net pairs" in result.why
    assert result.frames < 2400
    numbers = result.numbers
    assert numbers.final
    assert numbers.run == result.run_uid == ended.run_start_uids[0]
    assert numbers.net >= 50.0
    # these are the numbers that the service published
    stored = session.live.of(result.run_uid)
    assert stored.summary["pairs"]["prompt"] == numbers.prompt


@pytest.mark.timeout(280)
def test_steps_of_a_scan_end_by_the_error_that_the_service_gives(
    bench: Beamline, session: Session
) -> None:
    ended = session.RE(
        detuning_scan(
            bench.detector,
            bench.shutter,
            bench.goniometer.theta,
            results=live_results(session.live),
            bragg_deg=BRAGG_DEG,
            detunings_deg=[0.030, 0.040],
            seconds=300.0,
            relative_error=0.2,
            frame_s=0.5,
            flush_s=0.2,
            final_s=PATIENCE_S,
        )
    )
    result = ended.plan_result
    for step in result.steps:
        numbers = step.numbers
        assert numbers.final
        assert numbers.relative_error < 0.3
        assert numbers.seconds < 200.0, "the step ended early"
        measured, error = numbers.detuning_deg, numbers.detuning_err_deg
        assert measured == pytest.approx(step.detuning_deg, abs=6.0 * error)
        assert step.ring_radius_px > 0.0
    assert result.best_deg in (0.030, 0.040)
    assert not result.moved

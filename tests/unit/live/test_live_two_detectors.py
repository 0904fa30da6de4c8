"""A run with two Timepix3: one recipe describes one of them, and clocks are never shared."""

from __future__ import annotations

from pathlib import Path

from live_runs import Run, keys_of

from twinbeam.live import Reduction
from twinbeam.pipeline import acquisitions_of, process

TEMPLATE = "run_{:06d}.tpx3"


def copy_of(folder: Path, target: Path) -> Path:
    target.mkdir()
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


def test_the_first_is_analysed_and_the_other_counted(folder: Path, tmp_path: Path) -> None:
    first, other = copy_of(folder, tmp_path / "one"), copy_of(folder, tmp_path / "two")
    run = Run(detectors=("tpx_a", "tpx_b"), next_files=(first, TEMPLATE))
    reduction = Reduction(run.start)
    reduction.descriptor(run.descriptor)
    assert reduction.grow(50_000) > 0  # of the first one
    for n in range(4):
        keys = keys_of(first, n, 1, name="tpx_a") | keys_of(other, n, 1, name="tpx_b")
        reduction.event(run.descriptor["uid"], run.event(keys)["data"])
    reduction.stop()
    paths = [first / TEMPLATE.format(n) for n in range(4)]
    assert reduction.result.differences(process(paths)) == []
    health = reduction.health
    assert (health.files_read, health.files_left_out) == (4, 4)
    assert health.state == "damaged"
    (problem,) = health.problems
    assert "tpx_a and tpx_b" in problem


def test_a_second_stream_of_another_detector_changes_nothing(folder: Path, tmp_path: Path) -> None:
    first, other = copy_of(folder, tmp_path / "one"), copy_of(folder, tmp_path / "two")
    run, more = Run(detectors=("tpx_b",)), Run(detectors=("tpx_a",))
    reduction = Reduction(run.start)
    for doc in (run.descriptor, more.descriptor):
        reduction.descriptor(doc)
    for n in range(4):
        event = run.event(keys_of(first, n, 1, name="tpx_b"))
        reduction.event(run.descriptor["uid"], event["data"])
        event = more.event(keys_of(other, n, 1, name="tpx_a"))
        reduction.event(more.descriptor["uid"], event["data"])
    reduction.stop()
    paths = [first / TEMPLATE.format(n) for n in range(4)]
    assert reduction.result.differences(process(paths)) == []
    assert reduction.health.files_left_out == 4


def test_files_of_two_detectors_are_never_one_acquisition(folder: Path, tmp_path: Path) -> None:
    first, other = copy_of(folder, tmp_path / "one"), copy_of(folder, tmp_path / "two")
    alone = [first / TEMPLATE.format(n) for n in range(4)]
    both = [*alone, *(other / TEMPLATE.format(n) for n in range(4))]
    assert acquisitions_of(both) == [both[:4], both[4:]]
    result = process(both)
    once = process(alone)
    assert result.acquisitions == 2
    # each clock by itself: exactly twice the pairs of one, none between the two
    assert result.estimate.n_prompt == 2 * once.estimate.n_prompt
    assert result.duration_s == 2 * once.duration_s

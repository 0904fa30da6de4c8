"""A run's result is that of the files its events name, whenever and however they were read."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from live_runs import Run, keys_of

from twinbeam.live import Reduction
from twinbeam.live.fed_pipeline import FedPipeline
from twinbeam.pipeline import Result, process

TEMPLATE = "run_{:06d}.tpx3"


class Detector:
    """Writes the files of a folder into another one, a little at a time."""

    def __init__(self, source: Path, target: Path) -> None:
        self.data = [(source / TEMPLATE.format(i)).read_bytes() for i in range(4)]
        self.folder = target
        self.written = [0, 0, 0, 0]

    def write(self, n_bytes: int, index: int | None = None) -> None:
        """Append to the first file that is not whole, or to one of them."""
        if index is None:
            index = next((i for i in range(4) if self.written[i] < len(self.data[i])), 3)
        part = self.data[index][self.written[index] :][:n_bytes]
        with (self.folder / TEMPLATE.format(index)).open("ab") as file:
            file.write(part)
        self.written[index] += len(part)

    @property
    def n_whole(self) -> int:
        return sum(n == len(data) for n, data in zip(self.written, self.data, strict=True))


@pytest.fixture
def detector(folder: Path, tmp_path: Path) -> Detector:
    target = tmp_path / "grows"
    target.mkdir()
    return Detector(folder, target)


def begin(run: Run, checkpoint: Path | None = None) -> Reduction:
    reduction = Reduction(run.start)
    if checkpoint is not None:
        assert reduction.restore(checkpoint)
    reduction.descriptor(run.descriptor)
    return reduction


def name(reduction: Reduction, run: Run, folder: Path, first: int, count: int = 1) -> None:
    keys = keys_of(folder, first, count)
    reduction.event(run.descriptor["uid"], run.event(keys)["data"])


def of(folder: Path, n: int = 4) -> Result:
    return process([folder / TEMPLATE.format(i) for i in range(n)])


@pytest.mark.parametrize("seed", range(8))
def test_reading_ahead_changes_nothing(detector: Detector, seed: int) -> None:
    chance = random.Random(seed)
    run = Run(next_files=(detector.folder, TEMPLATE))
    reduction = begin(run)
    named = ahead = 0
    while named < 4:
        detector.write(chance.randrange(1, 9_000))
        ahead += reduction.grow(chance.choice([1 << 16, 1 << 30]))
        if chance.random() < 0.3 and named < detector.n_whole:
            count = chance.randint(1, detector.n_whole - named)
            name(reduction, run, detector.folder, named, count)
            named += count
    reduction.stop()
    assert ahead > 10_000
    assert reduction.result.differences(of(detector.folder)) == []
    assert reduction.health.problems == ()
    assert (reduction.health.files_read, reduction.health.bytes_read) == (
        4,
        reduction.result.census.n_bytes,
    )


def test_a_frame_that_was_cut_short_is_no_part_of_the_run(detector: Detector) -> None:
    run = Run(next_files=(detector.folder, TEMPLATE))
    reduction = begin(run)
    detector.write(10**9)
    detector.write(10**9)
    reduction.grow(1 << 30)
    name(reduction, run, detector.folder, 0, 2)
    detector.write(5_000)
    assert reduction.grow(1 << 30) == 5_000
    reduction.stop()
    assert reduction.result.differences(of(detector.folder, 2)) == []


def test_a_file_that_grows_after_the_next_one_began_is_read_whole(detector: Detector) -> None:
    run = Run(next_files=(detector.folder, TEMPLATE))
    reduction = begin(run)
    detector.write(10_000, 0)
    detector.write(3_000, 1)
    assert reduction.grow(1 << 30) == 13_000
    detector.write(10**9, 0)
    detector.write(10**9, 1)
    name(reduction, run, detector.folder, 0, 2)
    detector.write(4_000, 2)
    assert reduction.grow(1 << 30) == 4_000
    detector.write(10**9, 2)
    detector.write(10**9, 3)
    name(reduction, run, detector.folder, 2, 2)
    reduction.stop()
    assert reduction.result.differences(of(detector.folder)) == []


def test_events_of_other_files_than_expected_win(detector: Detector, folder: Path) -> None:
    run = Run(next_files=(detector.folder, TEMPLATE))
    reduction = begin(run)
    detector.write(10_000)
    reduction.grow(1 << 30)
    name(reduction, run, folder, 0, 4)
    reduction.stop()
    assert reduction.result.differences(of(folder)) == []


def kills(chance: random.Random) -> Iterator[bool]:
    while True:
        yield chance.random() < 0.25


@pytest.mark.parametrize("with_next", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_a_restart_from_a_checkpoint_changes_nothing(
    detector: Detector, tmp_path: Path, seed: int, with_next: bool
) -> None:
    chance = random.Random(seed)
    run = Run(next_files=(detector.folder, TEMPLATE) if with_next else None)
    reduction = begin(run)
    checkpoint, events, restarts, grown = tmp_path / "checkpoint", [], 0, 0
    while len(events) < 4 or restarts < 2:
        detector.write(chance.randrange(1, 12_000))
        grown += reduction.grow(1 << 30)
        if chance.random() < 0.5 and len(events) < detector.n_whole:
            events.append(run.event(keys_of(detector.folder, len(events), 1))["data"])
            reduction.event(run.descriptor["uid"], events[-1])
        if chance.random() < 0.4:
            reduction.save(checkpoint)
            if chance.random() < 0.3:
                detector.write(2_000)
                reduction.grow(1 << 30)  # forgotten by the restart
            reduction = begin(run, checkpoint)
            restarts += 1
            for data in events:
                reduction.event(run.descriptor["uid"], data)
    reduction.stop()
    assert (grown > 0) == with_next
    assert reduction.result.differences(of(detector.folder)) == []
    assert reduction.health.problems == ()


def test_a_run_that_ends_early_goes_back_to_a_checkpoint(
    detector: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(next_files=(detector.folder, TEMPLATE))
    reduction = begin(run)
    detector.write(10**9)
    detector.write(10**9)
    reduction.grow(1 << 30)
    reduction.save(tmp_path / "checkpoint")
    name(reduction, run, detector.folder, 0, 2)
    detector.write(5_000)
    reduction.grow(1 << 30)
    fed: list[Any] = []
    feed = FedPipeline.feed
    monkeypatch.setattr(FedPipeline, "feed", lambda s, b: (fed.append(len(b)), feed(s, b)))
    reduction.stop()
    assert fed == []  # nothing was read a second time
    assert reduction.result.differences(of(detector.folder, 2)) == []


@pytest.mark.parametrize("harm", ["other run", "shorter", "damaged", "recipe", "missing"])
def test_a_checkpoint_that_does_not_fit_is_not_used(
    detector: Detector, tmp_path: Path, harm: str
) -> None:
    run = Run(next_files=(detector.folder, TEMPLATE))
    reduction = begin(run)
    detector.write(10**9)
    detector.write(5_000)
    reduction.grow(1 << 30)
    checkpoint = tmp_path / "checkpoint"
    reduction.save(checkpoint)
    start: dict[str, Any] = dict(run.start)
    if harm == "other run":
        start["uid"] = "another"
    elif harm == "shorter":
        path = detector.folder / TEMPLATE.format(0)
        path.write_bytes(path.read_bytes()[:-8])
    elif harm == "damaged":
        data = bytearray(checkpoint.read_bytes())
        data[len(data) // 2] ^= 1
        checkpoint.write_bytes(data)
    elif harm == "recipe":
        start["recipe"] = {"pairing": {"window_ns": 90.0}}
    else:
        shutil.rmtree(tmp_path / "checkpoint", ignore_errors=True)
        checkpoint.unlink()
    again = Reduction(start)
    assert not again.restore(checkpoint)
    again.descriptor(run.descriptor)
    detector.write(10**9)
    detector.write(10**9)
    detector.write(10**9)
    if harm != "shorter":
        name(again, run, detector.folder, 0, 4)
        again.stop()
        assert again.result.pairs is not None
        if harm != "recipe":
            assert again.result.differences(of(detector.folder)) == []

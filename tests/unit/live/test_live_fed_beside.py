"""Catching up on several threads: the same result, whatever happens to the files."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from live_runs import Run, keys_of

from twinbeam.live import Reduction
from twinbeam.pipeline import Pipeline, process
from twinbeam.simulate import Experiment, SimulationParameters

TEMPLATE = "run_{:06d}.tpx3"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """So few bytes that a few files are many."""
    size = 3 << 16
    for module in ("reduction", "fed_pipeline"):
        monkeypatch.setattr(f"twinbeam.live.{module}.BESIDE_FROM_BYTES", size)
    return size


@pytest.fixture(scope="module")
def data() -> bytes:
    parameters = SimulationParameters(pair_rate_hz=2000.0, background_rate_hz=2e5, sample="none")
    experiment = Experiment(parameters, 5)
    parts = [experiment.start(), *(experiment.advance(0.2) for _ in range(5)), experiment.stop()]
    return b"".join(parts)


@pytest.fixture
def many(data: bytes, tmp_path: Path) -> list[Path]:
    """A stream in many files, as two acquisitions."""
    chance = random.Random(1)
    paths = []
    for acquisition in range(2):
        cuts = sorted(chance.randrange(len(data)) for _ in range(9))
        target = tmp_path / f"a{acquisition}"
        target.mkdir()
        for i, (at, end) in enumerate(zip([0, *cuts], [*cuts, len(data)], strict=True)):
            paths.append(target / TEMPLATE.format(i))
            paths[-1].write_bytes(data[at:end])
    return paths


def events_of(run: Run, paths: list[Path]) -> list[tuple[str, dict[str, object]]]:
    uid = run.descriptor["uid"]
    keys = [keys_of(path.parent, int(path.stem[-6:]), 1) for path in paths]
    return [(uid, run.event(values)["data"]) for values in keys]


@pytest.mark.parametrize("at_once", [1, 4, 20])
def test_many_events_at_once_give_the_same(
    small: int, many: list[Path], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    feed_all = Pipeline.feed_all

    def seen(pipeline: Pipeline, blocks: Iterable[memoryview], n: int, *more: Any) -> None:
        threads.append(n)
        feed_all(pipeline, blocks, n, *more)

    monkeypatch.setattr(Pipeline, "feed_all", seen)
    run = Run()
    reduction = Reduction(run.start, workers=2)
    reduction.descriptor(run.descriptor)
    rows = events_of(run, many)
    for at in range(0, len(rows), at_once):
        reduction.events(rows[at : at + at_once])
    reduction.stop()
    expected = process(many)
    assert 2 in threads or at_once == 1
    assert reduction.result.differences(expected) == []
    assert reduction.health.files_read == len(many)
    assert reduction.health.problems == ()


def test_it_goes_on_from_a_checkpoint(small: int, many: list[Path], tmp_path: Path) -> None:
    run = Run()
    rows = events_of(run, many)
    first = Reduction(run.start, workers=2)
    first.descriptor(run.descriptor)
    first.events(rows[:7])
    first.save(tmp_path / "checkpoint")
    again = Reduction(run.start, workers=2)
    assert again.restore(tmp_path / "checkpoint")
    again.descriptor(run.descriptor)
    again.events(rows)
    again.stop()
    assert again.result.differences(process(many)) == []


@pytest.mark.parametrize("harm", ["missing", "shorter"])
def test_a_file_that_fails_is_named_and_the_rest_is_read(
    small: int, many: list[Path], monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    run = Run()
    rows = events_of(run, many)
    feed_all = Pipeline.feed_all

    def harmed(pipeline: Pipeline, blocks: Iterable[memoryview], n: int, *more: Any) -> None:
        """Harm a file after it was named and before it is read."""
        if harm == "missing":
            many[5].unlink(missing_ok=True)
        else:
            many[5].write_bytes(many[5].read_bytes()[:100])
        feed_all(pipeline, blocks, n, *more)

    monkeypatch.setattr(Pipeline, "feed_all", harmed)
    reduction = Reduction(run.start, workers=2)
    reduction.descriptor(run.descriptor)
    reduction.events(rows)
    reduction.stop()
    left = [path for path in many if harm == "shorter" or path != many[5]]
    assert reduction.result.differences(process(left)) == []
    assert reduction.health.state == "damaged"
    assert many[5].name in reduction.health.problems[0]
    assert reduction.result.ledger.closes

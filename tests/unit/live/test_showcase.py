"""The newest result and how it came about, for those who look."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from twinbeam.live import Health, Showcase, Update
from twinbeam.pipeline import Pipeline, Result, summary
from twinbeam.simulate import Experiment


@pytest.fixture(scope="module")
def result() -> Result:
    experiment = Experiment(seed=3)
    pipeline = Pipeline()
    pipeline.feed(experiment.start() + experiment.advance(0.3) + experiment.stop())
    return pipeline.finish()


def update_of(result: Result, version: int, run: str = "run-a") -> Update:
    health = Health(run=run, state="running", version=version)
    return Update(run, result.recipe.hash, version, 1.0, 0.1, 0, summary(result), health)


def test_a_scene_is_replaced_whole_and_never_changed(result: Result) -> None:
    asked: list[str] = []

    def start_of(run: str) -> Mapping[str, Any]:
        asked.append(run)
        return {"uid": run, "scan_id": 7}

    showcase = Showcase(start_of)
    assert showcase.latest is None
    assert showcase.number == 0
    showcase.update(update_of(result, 1), result)
    first = showcase.latest
    assert first is not None
    showcase.update(update_of(result, 2), result)
    second = showcase.latest
    assert second is not None
    assert (first.number, second.number) == (1, 2)
    assert (len(first.moments), len(second.moments)) == (1, 2)
    assert first.result is result
    assert second.start == {"uid": "run-a", "scan_id": 7}
    assert asked == ["run-a"]


def test_another_run_or_a_result_made_anew_begins_a_new_history(result: Result) -> None:
    showcase = Showcase()
    for version in (1, 2, 3):
        showcase.update(update_of(result, version), result)
    showcase.update(update_of(result, 1), result)  # with another recipe, from the first byte
    assert showcase.latest is not None
    assert len(showcase.latest.moments) == 1
    showcase.update(update_of(result, 2, "run-b"), result)
    assert len(showcase.latest.moments) == 1
    assert showcase.number == 5


def test_a_long_history_is_thinned_and_keeps_its_ends(result: Result) -> None:
    showcase = Showcase()
    update = update_of(result, 1)
    for version in range(1, 3001):
        said = {**update.summary, "duration_s": float(version)}
        showcase.update(replace(update, version=version, summary=said), result)
    assert showcase.latest is not None
    seconds = [moment.seconds for moment in showcase.latest.moments]
    assert len(seconds) <= 1201
    assert seconds == sorted(seconds)
    assert (seconds[0], seconds[-1]) == (1.0, 3000.0)


def test_a_start_document_that_cannot_be_read_costs_no_result(result: Result) -> None:
    def start_of(run: str) -> Mapping[str, Any]:
        raise OSError("gone")

    showcase = Showcase(start_of)
    showcase.update(update_of(result, 1), result)
    assert showcase.latest is not None
    assert showcase.latest.start == {}


def test_readers_see_scenes_that_belong_together(result: Result) -> None:
    showcase = Showcase()
    update = update_of(result, 1)
    ended, torn = threading.Event(), []

    def read() -> None:
        while not ended.is_set():
            scene = showcase.latest
            if scene is not None and scene.moments[-1].seconds != scene.update.version:
                torn.append(scene.number)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for version in range(1, 500):
        said = {**update.summary, "duration_s": float(version)}
        showcase.update(replace(update, version=version, summary=said), result)
    ended.set()
    for reader in readers:
        reader.join()
    assert torn == []

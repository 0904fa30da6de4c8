"""The callback: equal to offline processing, quick, and never a danger to the run."""

from __future__ import annotations

import statistics
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from event_model import pack_event_page
from live_runs import Run, keys_of

from twinbeam.live import CoincidenceCallback, Health
from twinbeam.pipeline import Recipe, Result, process


def expected(folder: Path, recipe: Recipe | None = None, n: int = 4) -> Result:
    return process([folder / f"run_{i:06d}.tpx3" for i in range(n)], recipe)


def play(callback: CoincidenceCallback, run: Run, *data: dict[str, Any]) -> None:
    callback("start", run.start)
    callback("descriptor", run.descriptor)
    for values in data:
        callback("event", run.event(values))
    callback("stop", run.stop())
    assert callback.wait(200.0)


@pytest.mark.parametrize("counts", [(4,), (1, 1, 1, 1), (3, 0, 1)])
def test_events_give_what_offline_processing_gives(
    callback: CoincidenceCallback, folder: Path, counts: tuple[int, ...]
) -> None:
    firsts = [sum(counts[:i]) for i in range(len(counts))]
    run = Run()
    play(callback, run, *(keys_of(folder, f, n) for f, n in zip(firsts, counts, strict=True)))
    result, health = callback.latest
    assert result is not None
    assert result.differences(expected(folder)) == []
    assert result.estimate.n_prompt > 50
    assert callback.errors == []
    assert (health.run, health.state, health.problems) == (run.start["uid"], "complete", ())
    assert health.files_read == health.files_named == 4
    assert health.files_waiting == 0
    assert health.bytes_read == health.bytes_named == result.census.n_bytes


def test_event_pages_are_the_same(callback: CoincidenceCallback, folder: Path) -> None:
    run = Run()
    callback("start", run.start)
    callback("descriptor", run.descriptor)
    callback("event_page", pack_event_page(*(run.event(keys_of(folder, i, 1)) for i in range(3))))
    callback("event_page", pack_event_page(run.event(keys_of(folder, 3, 1))))
    callback("stop", run.stop())
    assert callback.wait(200.0)
    assert callback.result is not None
    assert callback.result.differences(expected(folder)) == []


def test_results_appear_while_the_run_goes_on(folder: Path) -> None:
    seen: list[tuple[Result, Health]] = []
    callback = CoincidenceCallback(on_result=lambda *both: seen.append(both))
    play(callback, Run(), *(keys_of(folder, i, 1) for i in range(4)))
    callback.close()
    assert [health.version for _, health in seen] == list(range(6))
    assert [health.state for _, health in seen] == ["running"] * 5 + ["complete"]
    hits = [result.n_hits for result, _ in seen]
    assert hits == sorted(hits)
    assert hits[0] == 0
    assert seen[-1] == callback.latest
    assert all(result.ledger.closes for result, _ in seen)


def test_an_exposure_that_is_read_twice_counts_once(
    callback: CoincidenceCallback, folder: Path
) -> None:
    play(callback, Run(), keys_of(folder, 0, 2), keys_of(folder, 0, 2), keys_of(folder, 2, 2))
    assert callback.result is not None
    assert callback.result.differences(expected(folder)) == []
    assert callback.health.problems == ()


def test_another_template_is_another_acquisition(
    callback: CoincidenceCallback, folder: Path, tmp_path: Path
) -> None:
    for name in ("a_000000.tpx3", "b_000000.tpx3"):
        (tmp_path / name).write_bytes((folder / "run_000000.tpx3").read_bytes())
    play(callback, Run(), *(keys_of(tmp_path, 0, 1, template=f"{n}_{{:06d}}.tpx3") for n in "ab"))
    one = expected(folder, n=1)
    assert callback.result is not None
    assert callback.result.acquisitions == 2
    assert callback.result.estimate.n_prompt == 2 * one.estimate.n_prompt


def test_the_recipe_of_the_start_document_is_used(
    callback: CoincidenceCallback, folder: Path
) -> None:
    recipe = Recipe.from_mapping({"pairing": {"window_ns": 90.0}})
    play(callback, Run(recipe=recipe.as_dict()), keys_of(folder, 0, 4))
    assert callback.result is not None
    assert callback.result.differences(expected(folder, recipe)) == []


def test_a_given_recipe_goes_before_that_of_the_run(folder: Path) -> None:
    recipe = Recipe.from_mapping({"pairing": {"window_ns": 90.0}})
    callback = CoincidenceCallback(recipe)
    play(callback, Run(recipe=Recipe().as_dict()), keys_of(folder, 0, 4))
    callback.close()
    assert callback.result is not None
    assert callback.result.recipe == recipe


@pytest.mark.parametrize("recipe", [{"geometri": {}}, "text", 7, {"pairing": {"window_ns": -1}}])
def test_a_wrong_recipe_is_noted_and_the_default_used(
    callback: CoincidenceCallback, folder: Path, recipe: object
) -> None:
    play(callback, Run(recipe=recipe), keys_of(folder, 0, 4))
    assert callback.result is not None
    assert callback.result.differences(expected(folder)) == []
    assert callback.health.state == "damaged"
    assert "default recipe" in callback.health.problems[0]
    assert callback.errors == []


def test_a_missing_file_is_noted_and_the_others_are_used(
    callback: CoincidenceCallback, folder: Path, tmp_path: Path
) -> None:
    for i in (0, 2):
        name = f"run_{i:06d}.tpx3"
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    play(callback, Run(), keys_of(tmp_path, 0, 3))
    health = callback.health
    assert health.state == "damaged"
    assert any("run_000001.tpx3" in text and "no such file" in text for text in health.problems)
    assert (health.files_named, health.files_read, health.files_failed) == (3, 2, 1)
    assert health.files_waiting == 0
    assert callback.result is not None
    assert callback.result.ledger.closes
    assert callback.errors == []


def test_many_missing_files_are_one_problem_that_says_what_to_do(
    callback: CoincidenceCallback, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "run_000000.tpx3").write_bytes((folder / "run_000000.tpx3").read_bytes())
    play(callback, Run(), *(keys_of(tmp_path, first, 1) for first in range(30)))
    health = callback.health
    (text,) = (text for text in health.problems if "no such file" in text)
    assert text.startswith(f"{tmp_path / 'run_000001.tpx3'} … {tmp_path / 'run_000029.tpx3'}: ")
    assert "29 times" in text
    assert "twinbeam relocate" in text
    assert (health.files_named, health.files_read, health.files_failed) == (30, 1, 29)


def test_a_file_of_another_size_is_noted(callback: CoincidenceCallback, folder: Path) -> None:
    keys = keys_of(folder, 0, 4)
    keys["tpx_raw_bytes"] += 1
    play(callback, Run(), keys)
    (text,) = callback.health.problems
    assert f"the run says {keys['tpx_raw_bytes']:,}" in text
    assert str(folder / "run_000000.tpx3") in text
    assert callback.health.state == "damaged"


@pytest.mark.parametrize(
    "wrong",
    [
        {"tpx_raw_uri": "http://somewhere/x"},
        {"tpx_raw_uri": "file://[bad"},
        {"tpx_raw_uri": None},
        {"tpx_raw_template": "../{:06d}.tpx3"},
        {"tpx_raw_template": "{0.nothing}"},
        {"tpx_raw_template": "{name}"},
        {"tpx_raw_template": "{1}"},
        {"tpx_raw_template": "{:q}"},
        {"tpx_raw_first": "three"},
        {"tpx_raw_first": None},
        {"tpx_raw_count": -1},
        {"tpx_raw_count": 10**12},
        {"tpx_raw_count": float("inf")},
        {"tpx_raw_bytes": float("nan")},
        {"tpx_raw_bytes": "many"},
    ],
)
def test_garbage_keys_are_noted(
    callback: CoincidenceCallback, folder: Path, wrong: dict[str, object]
) -> None:
    play(callback, Run(), keys_of(folder, 0, 4) | wrong, keys_of(folder, 0, 4))
    assert len(callback.health.problems) == 1
    assert callback.health.files_read == 4
    assert callback.errors == []


def test_a_missing_key_is_noted(callback: CoincidenceCallback, folder: Path) -> None:
    run = Run()
    event = run.event(keys_of(folder, 0, 1))
    del event["data"]["tpx_raw_first"]
    callback("start", run.start)
    callback("descriptor", run.descriptor)
    callback("event", event)
    callback("stop", run.stop())
    assert callback.wait(200.0)
    assert "tpx_raw_first" in callback.health.problems[0]


def test_nonsense_never_reaches_the_caller(callback: CoincidenceCallback, folder: Path) -> None:
    for name in ("start", "descriptor", "event", "event_page", "stop", "resource", "bogus"):
        for doc in ({}, {"uid": 5}, None, [], {"data_keys": 3, "uid": "u"}):
            callback(name, doc)  # type: ignore[arg-type]
    assert callback.wait(200.0)
    play(callback, Run(), keys_of(folder, 0, 4))
    assert callback.result is not None
    assert callback.result.differences(expected(folder)) == []


def test_a_listener_that_fails_harms_nothing_else(folder: Path) -> None:
    def fail(result: Result, health: Health) -> None:
        raise RuntimeError("the listener is broken")

    callback = CoincidenceCallback(on_result=fail)
    play(callback, Run(), *(keys_of(folder, i, 1) for i in range(4)))
    callback.close()
    assert callback.result is not None
    assert callback.result.differences(expected(folder)) == []
    assert callback.errors
    assert set(callback.errors) == {"RuntimeError: the listener is broken"}


def test_runs_without_raw_files_leave_the_result_alone(
    callback: CoincidenceCallback, folder: Path
) -> None:
    play(callback, Run(detectors=()), {})
    assert callback.latest == (None, Health())
    play(callback, Run(), keys_of(folder, 0, 4))
    before = callback.latest
    play(callback, Run(detectors=()), {})
    assert callback.latest == before


def test_a_run_that_never_stopped_does_not_spoil_the_next(
    callback: CoincidenceCallback, folder: Path
) -> None:
    broken = Run()
    callback("start", broken.start)
    callback("descriptor", broken.descriptor)
    callback("event", broken.event(keys_of(folder, 0, 1)))
    run = Run()
    play(callback, run, keys_of(folder, 0, 4))
    assert callback.result is not None
    assert callback.result.differences(expected(folder)) == []
    assert callback.health.run == run.start["uid"]


def test_a_call_takes_less_than_a_millisecond_while_the_analysis_works(folder: Path) -> None:
    busy = threading.Event()
    release = threading.Event()

    def block(result: Result, health: Health) -> None:
        busy.set()
        release.wait(30.0)

    callback = CoincidenceCallback(on_result=block)
    run = Run()
    callback("start", run.start)
    callback("descriptor", run.descriptor)
    assert busy.wait(200.0)
    event = run.event(keys_of(folder, 0, 1))
    took = []
    for _ in range(300):
        began = time.perf_counter()
        callback("event", event)
        took.append(time.perf_counter() - began)
    assert not callback.wait(0.01)
    release.set()
    callback.close()
    assert statistics.median(took) < 1e-3


def test_damage_inside_a_file_is_noted(callback: CoincidenceCallback, folder: Path) -> None:
    """The last file was never written: the stream ends inside a chunk."""
    play(callback, Run(), keys_of(folder, 0, 3))
    (text,) = callback.health.problems
    assert "damaged" in text
    assert callback.health.state == "damaged"


def test_a_run_that_cannot_be_analysed_hides_no_older_result(
    callback: CoincidenceCallback, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(callback, Run(), keys_of(folder, 0, 4))
    assert callback.health.state == "complete"

    def fails(*_: object, **__: object) -> None:
        raise MemoryError("too many bins")

    monkeypatch.setattr("twinbeam.live.fed_pipeline.Pipeline", fails)
    second = Run()
    play(callback, second, keys_of(folder, 0, 4))
    assert callback.result is None
    assert callback.health.run == second.start["uid"]
    assert callback.health.state == "failed"
    assert "too many bins" in callback.errors[0]

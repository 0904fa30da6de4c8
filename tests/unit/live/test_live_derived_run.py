"""The derived run is a sound run that tells what the result says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import event_model
import numpy as np
from live_runs import Run

from twinbeam.live import Health, Update
from twinbeam.live.derived_run import MAPS, DerivedRun
from twinbeam.pipeline import Result, process, summary


def update_of(result: Result, run: str, **health: Any) -> Update:
    return Update(
        run=run,
        recipe_hash=result.recipe.hash,
        version=3,
        time_s=1.0,
        lag_s=0.5,
        behind_bytes=16,
        summary=summary(result),
        health=Health(run=run, **health),
    )


def validated(documents: list[tuple[str, dict[str, Any]]]) -> None:
    router = event_model.SingleRunDocumentRouter()
    for name, doc in documents:
        event_model.schema_validators[event_model.DocumentNames[name]].validate(doc)
        router(name, doc)


def test_it_tells_the_numbers_and_the_maps(folder: Path) -> None:
    result = process([folder / f"run_{i:06d}.tpx3" for i in range(4)])
    raw = Run(scan_id=7)
    documents: list[tuple[str, dict[str, Any]]] = []
    derived = DerivedRun(
        raw.start, (result.recipe.as_dict(), result.recipe.hash), lambda *d: documents.append(d)
    )
    derived.add(update_of(result, raw.start["uid"], state="running"))
    derived.add(update_of(result, raw.start["uid"], state="complete"))
    derived.finish(result)
    validated(documents)
    start, stop = documents[0][1], documents[-1][1]
    assert start["raw_run"] == raw.start["uid"] != start["uid"]
    assert (start["raw_scan_id"], start["recipe_hash"]) == (7, result.recipe.hash)
    assert stop["exit_status"] == "success"
    assert stop["num_events"] == {"summary": 2, "maps": 1}
    events = [doc for name, doc in documents if name == "event"]
    assert events[0]["data"]["pairs_prompt"] == result.estimate.n_prompt > 0
    assert [e["data"]["state"] for e in events[:2]] == ["running", "complete"]
    assert set(events[-1]["data"]) == set(MAPS)
    for name in MAPS:
        assert np.array_equal(events[-1]["data"][name], result.arrays[name])


def test_one_that_is_given_up_says_why(folder: Path) -> None:
    result = process([folder / "run_000000.tpx3"])
    documents: list[tuple[str, dict[str, Any]]] = []
    derived = DerivedRun(Run().start, ({}, "h"), lambda *d: documents.append(d))
    derived.add(update_of(result, "r"))
    derived.finish(None, "another recipe is used")
    validated(documents)
    stop = documents[-1][1]
    assert (stop["exit_status"], stop["reason"]) == ("fail", "another recipe is used")


def test_an_update_comes_out_as_it_went_in(folder: Path) -> None:
    result = process([folder / "run_000000.tpx3"])
    update = update_of(result, "r", state="damaged", problems=("one", "two"))
    assert Update.from_dict(update.as_dict()) == update
    assert update.final
    assert not update_of(result, "r", state="running").final

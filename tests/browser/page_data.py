"""Results for the tests of the page."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from twinbeam.live import Health, Showcase, Update
from twinbeam.pipeline import Pipeline, Recipe, Result, summary
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.store.documents import encode_line

RUN = "3f4a8174-0000-4000-8000-000000000001"
START: dict[str, Any] = {
    "uid": RUN,
    "scan_id": 17,
    "plan_name": "collect_pairs",
    "time": 1.7e9,
    "plan_args": {"seconds": 8.0},
}


def simulated_results(seconds: int = 4) -> list[Result]:
    """Results of a run after each of some seconds, the last one finished."""
    parameters = SimulationParameters(pair_rate_hz=400.0, background_rate_hz=2e4)
    experiment = Experiment(parameters, 5)
    pipeline = Pipeline(Recipe())
    pipeline.feed(experiment.start())
    results = []
    for _ in range(seconds):
        pipeline.feed(experiment.advance(1.0))
        results.append(pipeline.snapshot())
    pipeline.feed(experiment.stop())
    results.append(pipeline.finish())
    return results


def update_of(result: Result, version: int, *, run: str = RUN, final: bool = False) -> Update:
    """An update as the live service gives it."""
    health = Health(run=run, state="running", version=version, files_named=3, files_read=2)
    if final:
        health = replace(health, state="complete", files_read=3)
    recipe_hash = result.recipe.hash
    return Update(run, recipe_hash, version, time.time(), 0.2, 1234, summary(result), health)


def new_showcase(lines: Path | None = None) -> Showcase:
    """A showcase that knows the start document of the run, and maybe its folder of documents."""
    return Showcase(lambda run: START, lines)


def scan_documents(n: int, *, stop: bool = False) -> list[tuple[str, dict[str, Any]]]:
    """A rocking curve of 21 points that began after the run of the results, after n of them."""
    start = {
        "uid": "5c0a8174-0000-4000-8000-000000000002",
        "time": START["time"] + 60.0,
        "scan_id": 18,
        "plan_name": "rocking_curve",
        "detectors": ["monitor"],
        "motors": ["theta"],
        "hints": {"dimensions": [[["theta"], "primary"]]},
        "num_points": 21,
        "sample": "<b>graphite</b>",
    }
    descriptor = {
        "uid": "d",
        "run_start": start["uid"],
        "name": "primary",
        "data_keys": {
            "counts": {"dtype": "number", "units": "cps"},
            "theta": {"dtype": "number", "units": "deg"},
        },
        "hints": {"monitor": {"fields": ["counts"]}, "theta": {"fields": ["theta"]}},
        "configuration": {},
    }
    documents = [("start", start), ("descriptor", descriptor)]
    for at in range(n):
        theta = 11.5 + 0.001 * at
        counts = 1e3 + 1e5 * math.exp(-0.5 * ((theta - 11.51) / 0.002) ** 2)
        time_s = start["time"] + at + 1.0
        event = {"descriptor": "d", "time": time_s, "data": {"counts": counts, "theta": theta}}
        documents.append(("event", event))
    if stop:
        end = {"run_start": start["uid"], "time": start["time"] + 30.0, "exit_status": "success"}
        documents.append(("stop", end))
    return documents


def write_scan(lines: Path, n: int, *, stop: bool = False) -> list[tuple[float, float]]:
    """Write these documents to a folder of JSON lines; the points in them."""
    documents = scan_documents(n, stop=stop)
    path = lines / f"{documents[0][1]['uid']}.jsonl"
    path.write_bytes(b"".join(encode_line(name, doc) for name, doc in documents))
    return [
        (doc["data"]["theta"], doc["data"]["counts"]) for name, doc in documents if name == "event"
    ]

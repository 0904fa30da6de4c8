"""Results for the tests of the page."""

from __future__ import annotations

import time
from dataclasses import replace

from twinbeam.live import Health, Showcase, Update
from twinbeam.pipeline import Pipeline, Recipe, Result, summary
from twinbeam.simulate import Experiment, SimulationParameters

RUN = "3f4a8174-0000-4000-8000-000000000001"
START = {
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


def new_showcase() -> Showcase:
    """A showcase that knows the start document of the run."""
    return Showcase(lambda run: START)

"""`live.plot()`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from twinbeam.errors import TwinbeamError
from twinbeam.live import CoincidenceCallback, Health, LiveLink, Update
from twinbeam.live.recorder import Recorder
from twinbeam.pipeline import Pipeline, Recipe, Result, summary
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.store import open_catalog
from twinbeam.view import plot


@pytest.fixture(scope="module")
def result() -> Result:
    experiment = Experiment(SimulationParameters(pair_rate_hz=300.0, background_rate_hz=2e3), 8)
    pipeline = Pipeline(Recipe())
    pipeline.feed(experiment.start() + experiment.advance(1.0) + experiment.stop())
    return pipeline.finish()


@pytest.fixture
def link() -> Iterator[LiveLink]:
    made = LiveLink(None, "tcp://127.0.0.1:1", "tcp://127.0.0.1:1", "00" * 32)
    yield made
    made.close()


def _total(figure: Any, panel: str) -> float:
    return float(next(a for a in figure.axes if a.get_label() == panel).images[0].get_array().sum())


def _title(figure: Any) -> str:
    return str(figure.get_suptitle())


def test_the_result_in_this_process_is_drawn(result: Result) -> None:
    live = CoincidenceCallback()
    try:
        with pytest.raises(TwinbeamError, match="no live result yet"):
            plot(live)
        live._latest = result, Health(run="0123456789", state="running")
        figure = plot(live)
    finally:
        live.close()
    assert f"{result.estimate.net:,.0f}" in _title(figure)
    assert _title(figure).startswith("01234567, running")
    assert _total(figure, "map") == result.arrays["coincidence"].sum()


def test_the_maps_the_live_service_has_stored_are_drawn(
    result: Result, link: LiveLink, tmp_path: Path
) -> None:
    run = "11111111-0000-4000-8000-000000000000"
    health = Health(run=run, state="running", version=1)
    update = Update(run, result.recipe.hash, 1, 1.0, 0.1, 0, summary(result), health)
    with pytest.raises(TwinbeamError, match="no live result yet"):
        plot(link)
    link._hear("update", update.as_dict())
    with pytest.raises(TwinbeamError, match="catalogue"):
        plot(link)
    with open_catalog(tmp_path / "catalog") as catalog:
        with pytest.raises(TwinbeamError, match="not stored the maps"):
            plot(link, catalog)
        recorder = Recorder(catalog)
        try:
            recorder._store_live(update, result)
            figure = plot(link, catalog)
            assert recorder.problems == []
        finally:
            recorder.close()
    assert _total(figure, "idler") == result.arrays["idler"].sum()
    assert f"{result.estimate.net:,.0f}" in _title(figure)


def test_nothing_of_qt_is_needed() -> None:
    assert "agg" in matplotlib.get_backend().lower()
    import twinbeam.view.page  # noqa: F401

    for name in ("PyQt5", "PyQt6", "PySide2", "PySide6", "qtpy"):
        assert name not in sys.modules

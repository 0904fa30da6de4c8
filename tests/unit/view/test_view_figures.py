from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import image as pictures

from twinbeam.pipeline import Pipeline, Recipe, Result
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.view import FIGURES, draw_overview, rebin, save_figures


@pytest.fixture(scope="module")
def result() -> Result:
    experiment = Experiment(SimulationParameters(pair_rate_hz=5000.0), 1)
    pipeline = Pipeline()
    for part in (experiment.start(), experiment.advance(0.3), experiment.stop()):
        pipeline.feed(part)
    return pipeline.finish()


def pixels(path: Path) -> np.ndarray:
    return pictures.imread(path)[..., :3]


def test_figures_are_written_and_not_blank(result: Result, tmp_path: Path) -> None:
    paths = save_figures(result, tmp_path / "new" / "folder", title="A run")
    assert [path.name for path in paths] == list(FIGURES)
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == sorted(FIGURES)
    for path in paths:
        picture = pixels(path)
        assert picture.shape[0] > 400
        assert picture.var() > 0.01
        assert np.unique(picture.reshape(-1, 3), axis=0).shape[0] > 100


def test_figures_show_their_result(result: Result, tmp_path: Path) -> None:
    empty = Pipeline().finish()
    for name, other in (("full", result), ("empty", empty)):
        save_figures(other, tmp_path / name)
    for figure in FIGURES:
        full, empty_picture = (pixels(tmp_path / name / figure) for name in ("full", "empty"))
        assert not np.array_equal(full, empty_picture)


def test_the_overview_tells_the_numbers(result: Result) -> None:
    figure = draw_overview(result, title="Run 7")
    said = figure.get_suptitle()
    assert "Run 7" in said
    assert f"{result.estimate.net:,.0f}" in said
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert {"Time difference", "Coincidence map"} <= set(titles)


@pytest.mark.parametrize("half", ["top", "bottom", "left", "right"])
def test_the_images_show_their_halves(half: str) -> None:
    recipe = Recipe.from_mapping({"pairing": {"signal_half": half}})
    figure = draw_overview(Pipeline(recipe).finish())
    views = {
        axes.get_title(loc="left").split()[0]: (axes.get_xlim(), axes.get_ylim())
        for axes in figure.axes
        if axes.get_title(loc="left")  # the colour bars have none
    }
    middle = {"top": (257, 385.5), "bottom": (257, 129), "left": (129, 257), "right": (386, 257)}
    opposite = {"top": "bottom", "bottom": "top", "left": "right", "right": "left"}
    for name, side in (("Signal", half), ("Idler", opposite[half])):
        assert [np.mean(limits) for limits in views[name]] == pytest.approx(middle[side], abs=1.0)


@settings(max_examples=40, deadline=None, database=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9))
def test_rebinning_conserves_counts(rows: int, columns: int, size: int) -> None:
    image = np.random.default_rng(rows * columns).integers(0, 9, (rows, columns))
    small = rebin(image, size)
    assert small.shape == (-(-rows // size), -(-columns // size))
    assert small.sum() == image.sum()
    assert small[0, 0] == image[:size, :size].sum()

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import image as pictures
from matplotlib.axes import Axes

from twinbeam.errors import TwinbeamError
from twinbeam.pairs import OPPOSITE
from twinbeam.pipeline import Pipeline, Recipe, Result, summary
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.view import FIGURES, draw_overview, rebin, save_figures


@pytest.fixture(scope="module")
def result() -> Result:
    experiment = Experiment(SimulationParameters(pair_rate_hz=5000.0), 1)
    pipeline = Pipeline()
    for part in (experiment.start(), experiment.advance(0.3), experiment.stop()):
        pipeline.feed(part)
    return pipeline.finish()


@pytest.mark.parametrize("nothing", [None, "run"])
def test_what_is_no_result_is_told(nothing: Any, tmp_path: Path) -> None:
    for where, call in (
        ("summary", lambda: summary(nothing)),
        ("draw_overview", lambda: draw_overview(nothing)),
        ("save_figures", lambda: save_figures(nothing, tmp_path / "figures")),
    ):
        with pytest.raises(TwinbeamError, match=r"no result yet|not a str") as caught:
            call()
        assert caught.value.where == where
    assert not (tmp_path / "figures").exists()


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


def images_of(result: Result) -> dict[str, Axes]:
    """The parts of an overview by the first word of their titles."""
    parts = draw_overview(result).axes
    titles = [axes.get_title(loc="left") for axes in parts]
    # the colour bars have none
    return {title.split()[0]: axes for title, axes in zip(titles, parts, strict=True) if title}


MIDDLE = {
    "top": (257, 385.5),
    "bottom": (257, 129),
    "left": (129, 257),
    "right": (386, 257),
    "top_left": (129, 386),
    "top_right": (386, 386),
    "bottom_left": (129, 129),
    "bottom_right": (386, 129),
}


@pytest.mark.parametrize("region", MIDDLE)
def test_the_images_show_their_halves_or_quadrants(region: str) -> None:
    recipe = Recipe.from_mapping({"pairing": {"signal_half": region}})
    parts = images_of(Pipeline(recipe).finish())
    for name, side in (("Signal", region), ("Idler", OPPOSITE[region])):
        limits = (parts[name].get_xlim(), parts[name].get_ylim())
        assert [np.mean(limit) for limit in limits] == pytest.approx(MIDDLE[side], abs=1.0)


def test_images_of_masks_show_the_whole_detector(tmp_path: Path) -> None:
    signal = np.zeros((514, 514), bool)
    signal[100:200, 300:400] = True
    np.savez(tmp_path / "masks.npz", signal=signal, idler=signal[::-1])
    recipe = Recipe.from_mapping({"pairing": {"regions": str(tmp_path / "masks.npz")}})
    parts = images_of(Pipeline(recipe).finish())
    for name in ("Signal", "Idler"):
        assert parts[name].get_xlim() == parts[name].get_ylim() == (0.0, 514.0)


@pytest.mark.parametrize(("bin_px", "cell"), [(1, 6), (2, 6), (4, 8), (7, 7), (64, 64)])
def test_binned_images_are_at_their_places(bin_px: int, cell: int) -> None:
    """One bright square, wherever the bins are, is drawn where its photons were."""
    result = Pipeline(Recipe.from_mapping({"images": {"bin_px": bin_px}})).finish()
    place = np.array([130.0, 322.0])  # x, y
    x, y = ((place + 0.5) // bin_px).astype(int)
    result.arrays["coincidence"][y, x] = 1000
    part = images_of(result)["Coincidence"]
    (drawn,) = part.get_images()
    left, right, bottom, top = drawn.get_extent()
    assert (left, bottom) == (-0.5, -0.5)
    shown = np.asarray(drawn.get_array())
    rows, columns = shown.shape
    assert (right - left) / columns == (top - bottom) / rows == cell
    row, column = np.unravel_index(shown.argmax(), shown.shape)
    assert shown.sum() == 1000
    for index, where in ((column, place[0]), (row, place[1])):
        assert -0.5 + cell * index <= where < -0.5 + cell * (index + 1)
    labels = [axes.get_ylabel() for axes in part.figure.axes]
    assert f"photons per {cell} × {cell} px" in labels


@settings(max_examples=40, deadline=None, database=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9))
def test_rebinning_conserves_counts(rows: int, columns: int, size: int) -> None:
    image = np.random.default_rng(rows * columns).integers(0, 9, (rows, columns))
    small = rebin(image, size)
    assert small.shape == (-(-rows // size), -(-columns // size))
    assert small.sum() == image.sum()
    assert small[0, 0] == image[:size, :size].sum()

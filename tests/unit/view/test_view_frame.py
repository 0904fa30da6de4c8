"""What is drawn, as numbers: maps, charts, spectra, rates, words and tables."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twinbeam.errors import TwinbeamError
from twinbeam.images import net_array
from twinbeam.live import Health, Moment, Showcase, Update
from twinbeam.pipeline import Pipeline, Recipe, Result, summary, write_nexus
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.view.charts import charts
from twinbeam.view.frame import frame
from twinbeam.view.looking import Looking, Region, looking_from
from twinbeam.view.map_panels import map_image, twin_views
from twinbeam.view.rates import pair_rate, rates
from twinbeam.view.readable import metric
from twinbeam.view.shown import shown_file, shown_result
from twinbeam.view.sources import FrameCache, LiveSource
from twinbeam.view.spectra import pair_spectra, region_spectra
from twinbeam.view.tables import PANELS, panel_csv
from twinbeam.view.words import words


@pytest.fixture(scope="module")
def result() -> Result:
    parameters = SimulationParameters(pair_rate_hz=400.0, background_rate_hz=2e4)
    experiment = Experiment(parameters, 4)
    pipeline = Pipeline(Recipe.from_mapping({"images": {"g2": True}}, where="test"))
    pipeline.feed(experiment.start() + experiment.advance(3.0) + experiment.stop())
    return pipeline.finish()


def test_maps_keep_every_count_whatever_the_squares(result: Result) -> None:
    for kind, expected in (
        ("raw", result.arrays["idler"].sum()),
        ("net", net_array(result.arrays, "idler", result.estimate.replicas)[0].sum()),
        ("sharpened", net_array(result.arrays, "idler_sharpened", 20)[0].sum()),
    ):
        for cell in (1, 5, 6, 64):
            image, _ = map_image(result, "idler", Looking(kind=kind, cell_px=cell))
            assert image.sum(dtype=float) == pytest.approx(expected, rel=1e-5)
            assert image.shape[0] == -(-514 // cell)


def test_a_map_without_a_sharpened_form_says_that_it_is_as_measured(result: Result) -> None:
    looking = Looking(kind="sharpened")
    assert "signal_symmetric" not in result.arrays
    assert map_image(result, "signal", looking)[1] == ", as measured"
    assert map_image(result, "idler", looking)[1] == ", sharpened"


def test_each_twin_is_shown_where_it_can_be(result: Result) -> None:
    views = twin_views(result)
    assert views["signal"] == [-0.5, 513.5, 258.0, 513.5]  # the upper half holds the sample
    assert views["idler"] == [-0.5, 513.5, -0.5, 258.0]
    recipe = result.recipe.model_copy(
        update={"pairing": result.recipe.pairing.model_copy(update={"signal_half": "left"})}
    )
    assert twin_views(replace(result, recipe=recipe))["signal"] == [-0.5, 258.0, -0.5, 513.5]


def test_spectra_of_the_whole_detector_are_those_of_all_pairs(result: Result) -> None:
    edges = np.arange(0.0, 16.0)
    everywhere = Region(left=-1.0, right=600.0, bottom=-1.0, top=600.0)
    every = pair_spectra(result.pairs, edges, 20)
    both = region_spectra(result.pairs, edges, 20, everywhere)
    assert every.one.sum() == pytest.approx(result.estimate.net, abs=1e-6)
    np.testing.assert_allclose(both.one, every.one + every.two, atol=1e-9)
    np.testing.assert_allclose(both.two, every.one + every.two, atol=1e-9)


def test_the_regions_of_a_map_add_up(result: Result) -> None:
    edges = np.arange(0.0, 16.0)
    left = Region(left=-1.0, right=256.75, bottom=-1.0, top=600.0)
    right = Region(left=256.750001, right=600.0, bottom=-1.0, top=600.0)
    everywhere = Region(left=-1.0, right=600.0, bottom=-1.0, top=600.0)
    one, two, both = (
        region_spectra(result.pairs, edges, 20, part) for part in (left, right, everywhere)
    )
    np.testing.assert_allclose(one.one + two.one, both.one, atol=1e-9)
    assert one.n_one + two.n_one == both.n_one
    assert one.n_one > 0


def test_charts_hold_the_histograms_and_their_fits(result: Result) -> None:
    drawn = charts(shown_result(result, "made"), Looking())
    assert drawn["dt"]["prompt"]["top"].tolist() == result.arrays["dt"].tolist()
    peak = drawn["dt"]["fit"]
    assert abs(peak["x"][np.argmax(peak["y"])]) < 10.0
    edges = drawn["detuning"]["prompt"]
    assert edges["right"][-1] == pytest.approx(80.0)  # mdeg, twice the nominal detuning
    assert drawn["ring"]["predicted"]["x"][0] == pytest.approx(210.5, abs=0.5)
    assert drawn["ring"]["signal"]["top"].sum() == pytest.approx(result.estimate.net, abs=1e-6)
    assert drawn["g2"]["g2"]["x"].size == result.axes.g2_ns.size
    assert drawn["energy"]["one"]["right"][-1] == 15.0


def test_rates_follow_the_counts() -> None:
    moments = [Moment(0.25 * k, 1000 * k, 500 * k, 5.0 * k, 1.0) for k in range(41)]
    found = rates(moments)
    assert found["hits"]["y"].tolist() == [4000.0] * 10
    assert found["pairs"]["y"].tolist() == [20.0] * 10
    assert found["photons"]["x"].tolist() == [0.5 + k for k in range(10)]
    assert rates(moments[:2]) == {}
    assert rates([]) == {}


def test_the_rate_of_a_finished_run_comes_from_its_pairs(result: Result) -> None:
    found = pair_rate(result)["pairs"]
    assert np.nansum(found["y"]) * 1.0 == pytest.approx(result.estimate.net, rel=0.05) or (
        found["x"].size < 3
    )
    assert pair_rate(replace(result, acquisitions=2)) == {}


def test_wishes_that_make_no_sense_are_left_out() -> None:
    assert looking_from({}) == Looking()
    assert looking_from({"kind": "raw", "cell_px": 0, "more": 1}) == Looking(kind="raw")
    upside_down = {"left": 3.0, "right": 1.0, "bottom": 0.0, "top": 1.0}
    assert looking_from({"region": upside_down, "cell_px": 4}) == Looking(cell_px=4)
    for nonsense in ({"region": "x"}, {"kind": ["raw"]}, {"cell_px": float("nan")}):
        assert looking_from(nonsense) == Looking()


def test_words_say_limits_where_counts_are_few(result: Result) -> None:
    assert metric(1234567.0, "B") == "1.23 MB"
    assert metric(999.0, "") == "999"
    assert metric(None, "B") == "–"
    shown = shown_result(result, "made")
    said = words(shown)
    headline = {name: (value, more) for name, value, more in said["headline"]}
    assert headline["photon pairs"][0] == f"{result.estimate.net:,.0f}"
    assert result.estimate.n_replicas < 25
    assert headline["true per accidental"][0].startswith("> ")
    assert [row["stage"] for row in said["ledger"]] == list(result.ledger.stages)
    assert all(row["closes"] for row in said["ledger"])
    assert ["ledger", "closes", "ok"] in said["health"]


def test_every_panel_gives_a_table(result: Result) -> None:
    shown = shown_result(result, "made")
    for panel in (panel for panel in PANELS if panel != "scan"):
        first, *rest = panel_csv(shown, Looking(), panel).splitlines()
        assert result.recipe.hash in first
        assert len(list(csv.reader(rest))) > 2
    raw = panel_csv(shown, Looking(kind="raw", cell_px=1), "coincidence").splitlines()
    rows = list(csv.DictReader(raw[1:]))
    assert sum(float(row["photons"]) for row in rows) == result.arrays["coincidence"].sum()
    row = rows[0]
    place = result.arrays["coincidence"][int(float(row["y_px"])), int(float(row["x_px"]))]
    assert place == float(row["photons"])
    with pytest.raises(TwinbeamError, match="no such panel"):
        panel_csv(shown, Looking(), "../etc")


def test_a_result_file_is_seen_as_the_result_was(result: Result, tmp_path: Path) -> None:
    write_nexus(result, tmp_path / "result.h5")
    seen = shown_file(tmp_path / "result.h5")
    assert not seen.result.differences(result)
    assert seen.result.estimate == result.estimate
    assert seen.result.n_hits == result.n_hits
    assert seen.result.n_photons == result.n_photons
    now, then = (frame(s, Looking()) for s in (seen, shown_result(result, "result.h5")))
    for name, chart in then["charts"].items():
        for series, columns in chart.items():
            for column, values in columns.items():
                if name != "g2" or column == "x":
                    assert np.array_equal(now["charts"][name][series][column], values, True)


def test_all_who_look_at_the_same_share_one_frame(result: Result) -> None:
    showcase = Showcase()
    source, cache = LiveSource(showcase), FrameCache(2)
    assert source.shown() is None
    assert source.number == 0
    health = Health(run="a", state="running", version=1)
    update = Update("a", result.recipe.hash, 1, 1.0, 0.1, 0, summary(result), health)
    showcase.update(update, result)
    shown = source.shown()
    assert shown is not None
    assert shown is source.shown()
    one = cache.frame(shown, Looking())
    assert cache.frame(shown, Looking()) is one
    assert cache.frame(shown, Looking(kind="raw")) is not one
    showcase.update(replace(update, version=2), result)
    again = source.shown()
    assert again is not None
    assert cache.frame(again, Looking()) is not one

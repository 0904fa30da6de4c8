"""The table of a result tells each number with its error or limit."""

from __future__ import annotations

from typing import Any

import pytest

from twinbeam.cli.summary_rows import summary_rows
from twinbeam.pipeline import Pipeline, Recipe, Result, summary
from twinbeam.simulate import PRESETS, Experiment, SimulationParameters


def made(parameters: SimulationParameters, seconds: float, recipe: Any = None) -> Result:
    experiment = Experiment(parameters, 1)
    pipeline = Pipeline(Recipe.from_mapping(recipe or {}))
    for part in (experiment.start(), experiment.advance(seconds), experiment.stop()):
        pipeline.feed(part)
    return pipeline.finish()


def rows_of(result: Result) -> dict[str, str]:
    return dict(summary_rows(summary(result), result))


def test_a_floor_of_many_counts() -> None:
    result = made(PRESETS["benchmark"], 0.4)
    e, values, rows = result.estimate, summary(result), rows_of(result)
    assert e.n_replicas >= 25
    assert rows["accidentals"] == f"{e.accidental:.2f} ± {e.accidental_err:.2f}"
    assert f"significance {e.significance:.1f} σ" in rows["pairs, net"]
    fitted, _, counted = rows["peak over floor"].partition(" fitted, ")
    assert float(fitted.replace(",", "")) == float(f"{values['pairs']['peak_over_floor']:.2g}")
    height = e.peak_over_floor(60.0, values["estimates"]["dt_sigma_ns"])
    assert float(counted.removesuffix(" counted").replace(",", "")) == float(f"{height:.2g}")
    # two ways to the same height
    assert height == pytest.approx(values["pairs"]["peak_over_floor"], rel=0.35)
    assert rows["S/B"] == f"{e.s_over_b:,.1f}"
    assert "±" in rows["Δt, fitted"]
    assert "±" in rows["detuning from pairs"]


def test_no_count_in_the_floor() -> None:
    result = made(SimulationParameters(), 2.0)
    e, rows = result.estimate, rows_of(result)
    assert e.n_replicas == 0
    assert rows["accidentals"] == "0, below 0.15 at 95 %"
    assert rows["S/B"] == f"no accidental seen, above {e.s_over_b_lower():,.1f} at 95 %"
    assert rows["peak over floor"].startswith("no accidental seen yet, above ")


def test_few_counts_in_the_floor() -> None:
    result = made(SimulationParameters(pair_rate_hz=2000.0, background_rate_hz=1e6), 0.3)
    e, rows = result.estimate, rows_of(result)
    assert 0 < e.n_replicas < 25
    assert rows["S/B"] == f"{e.s_over_b:,.1f}, above {e.s_over_b_lower():,.1f} at 95 %"
    assert rows["peak over floor"].startswith("about ")
    assert "above " in rows["peak over floor"]
    assert "counted" not in rows["peak over floor"]


@pytest.mark.parametrize("cuts", [[], [{"quantity": "dt_ns", "low": 3.0, "high": 3.0}]])
def test_without_a_cut_on_the_time_there_is_no_counted_height(cuts: list[Any]) -> None:
    result = made(PRESETS["benchmark"], 0.05, {"selection": {"cuts": cuts}})
    assert "counted" not in rows_of(result)["peak over floor"]


def test_nothing_at_all() -> None:
    rows = rows_of(Pipeline().finish())
    assert rows["hits"].split() == ["0", "–"]
    assert rows["peak over floor"] == rows["S/B"] == "–"
    assert "Δt, fitted" not in rows
    assert all("None" not in text and "nan" not in text for text in rows.values())
    assert all(text.endswith("closes") for name, text in rows.items() if "ledger" in name)

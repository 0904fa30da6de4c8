"""Parameters: YAML and back, bounds, ready-made sets."""

from __future__ import annotations

from pathlib import Path

import pytest
from streams import acquire

from twinbeam.errors import RecipeError
from twinbeam.parameters import Parameters
from twinbeam.simulate import PRESETS, SimulationParameters, load_parameters, parameters_to_yaml


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_parameters_go_through_yaml(name: str, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(parameters_to_yaml(PRESETS[name]))
    assert load_parameters(path) == PRESETS[name]


def test_what_is_left_out_keeps_its_default(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("hot: {count: 7}\nlate_columns: [{chip: 2, first: 40, last: 41}]\n")
    parameters = load_parameters(path)
    assert parameters.hot.count == 7
    assert parameters.hot.rate_hz == 1000.0
    assert parameters.late_columns[0].ticks == 16
    path.write_text("")
    assert load_parameters(path) == SimulationParameters()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hot: {cuont: 7}", "did you mean 'count'"),
        ("serval: 5", "serval"),
        ("- 1", "mapping"),
        ("a: [", "no valid YAML"),
        ("dark_rate_hz: 2024-13-45", "no valid YAML"),
        ("hot: " + 5000 * "[", "nested too deeply"),
        (
            "dead_pixels: 1\nhot: {count: 7}\nhot: {count: 8}",
            "'hot' is there twice, in lines 2 and 3",
        ),
        ("hot: {count: 7, count: 8}", "'hot.count' is there twice"),
        ("late_columns: [{first: 9, last: 3}]", "before the first"),
        ("tdc: {rate_hz: 1000, width_us: 1000}", "longer than the period"),
        ("hot: {tot_ns: 30}", "multiple of 25"),
    ],
)
def test_wrong_parameters_are_named(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError) as caught:
        load_parameters(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be read"):
        load_parameters(tmp_path / "missing.yaml")


def test_a_masked_pixel_is_on_the_sensor() -> None:
    with pytest.raises(RecipeError, match=r"no pixel \(512, 3\)"):
        acquire(0.1, masked_pixels=((512, 3),))


def test_every_parameter_says_what_it_is() -> None:
    groups: list[type[Parameters]] = [SimulationParameters]
    for group in groups:
        for name, field in group.model_fields.items():
            assert field.description, name
            assert len(field.description) > 10, name
            if isinstance(field.default, Parameters):
                groups.append(type(field.default))
    assert len(groups) >= 3


def test_the_benchmark_has_its_rate() -> None:
    made = acquire(0.2, **PRESETS["benchmark"].model_dump())
    assert made.counts.hits / 0.2 == pytest.approx(3.75e6, rel=0.02)


def test_a_table_is_looked_for_beside_the_file_that_names_it(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "p.yaml", tmp_path / "elsewhere.npy"
    for name, expected in (("t.npy", tmp_path / "t.npy"), (str(elsewhere), elsewhere)):
        path.write_text(f"response_table: {name}\n")
        assert load_parameters(path).response_table == expected

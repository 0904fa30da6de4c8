"""Differences made by hand are found, each with its size."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbeam.errors import StorageError
from twinbeam.pipeline import Pipeline, Recipe, Result, write_nexus
from twinbeam.replay import ResultContent, compare, content_of_file, content_of_result
from twinbeam.replay.pair_comparison import compare_pairs
from twinbeam.simulate import Experiment, SimulationParameters


@pytest.fixture(scope="module")
def raw() -> bytes:
    given = {"pair_rate_hz": 3000.0, "background_rate_hz": 4e4, "sample": "none"}
    experiment = Experiment(SimulationParameters.from_mapping(given), 3)
    return experiment.start() + experiment.advance(0.2) + experiment.stop()


def result_of(raw: bytes, **recipe: Any) -> Result:
    pipeline = Pipeline(Recipe.from_mapping(recipe))
    pipeline.feed(raw)
    return pipeline.finish()


@pytest.fixture(scope="module")
def content(raw: bytes) -> ResultContent:
    return content_of_result(result_of(raw), "a")


def test_a_result_is_identical_to_itself(content: ResultContent) -> None:
    found = compare(content, replace(content, name="b"))
    assert found.identical
    assert (found.recipe, found.ledger, found.numbers, found.arrays) == ((), (), (), ())
    assert found.equal_arrays == len(content.arrays) > 10
    assert found.pairs.n_a == found.pairs.n_b > 300
    assert found.pairs.changed == 0
    assert json.loads(json.dumps(found.as_dict()))["identical"] is True


def test_one_count_in_one_bin(content: ResultContent) -> None:
    idler = content.arrays["idler"].copy()
    idler[100, 7] += 3
    idler[5, 5] -= 1
    found = compare(content, replace(content, arrays={**content.arrays, "idler": idler}))
    (one,) = found.arrays
    assert (one.name, one.bins, one.largest, one.at) == ("idler", 2, 3, (100, 7))
    assert one.sum_a is not None
    assert one.sum_b == one.sum_a + 2
    assert found.equal_arrays == len(content.arrays) - 1
    assert not found.identical
    assert found.pairs.identical


def test_arrays_of_other_shape_or_missing(content: ResultContent) -> None:
    arrays = {**content.arrays, "dt": content.arrays["dt"][:-1], "new": np.ones(3, np.int64)}
    del arrays["signal"]
    found = {d.name: d for d in compare(content, replace(content, arrays=arrays)).arrays}
    assert set(found) == {"dt", "new", "signal"}
    assert (found["new"].shape_a, found["new"].shape_b, found["new"].sum_b) == (None, (3,), 3)
    assert found["signal"].shape_b is None
    assert found["dt"].bins is None


def test_recipe_field_by_field_and_cuts_by_their_quantity(content: ResultContent) -> None:
    one = Recipe().as_dict()
    two = Recipe().as_dict()
    two["geometry"]["distance_m"] = 0.6
    two["geometry"]["centre_px"] = (250.0, 258.0)
    two["selection"]["cuts"] = [
        *two["selection"]["cuts"][1:],
        {"quantity": "tot1", "low": 1.0, "high": 2.0},
    ]
    gone = one["selection"]["cuts"][0]
    found = compare(replace(content, recipe=one), replace(content, recipe=two, recipe_hash="other"))
    values = {d.name: (d.a, d.b) for d in found.recipe}
    assert values["geometry.distance_m"] == (0.494, 0.6)
    assert values["geometry.centre_px"] == ([258.0, 258.0], [250.0, 258.0])
    assert values["selection.cuts[tot1].low"] == (None, 1.0)
    assert values[f"selection.cuts[{gone['quantity']}].quantity"] == (gone["quantity"], None)
    prefixes = ("geometry.", "selection.cuts[tot1]", f"selection.cuts[{gone['quantity']}]")
    assert all(name.startswith(prefixes) for name in values)
    assert not found.identical
    # only the path of a file is different: the hash is the same, and so is the recipe
    assert compare(content, replace(content, recipe=two)).recipe == ()


def test_ledger_and_numbers(content: ResultContent) -> None:
    ledger = json.loads(json.dumps(content.ledger))
    ledger["photons"]["used"] += 5
    ledger["photons"]["rejected"]["of old"] = 2
    net, net_err = content.numbers["pairs, net"]
    assert net is not None
    assert net_err is not None
    numbers = {**content.numbers, "pairs, net": (net + 10.0, 2.0 * net_err), "odd": (1.0, None)}
    numbers["Δt, ns"] = (None, None)
    found = compare(content, replace(content, ledger=ledger, numbers=numbers))
    counts = {d.name: (d.a, d.b) for d in found.ledger}
    used = content.ledger["photons"]["used"]
    assert counts == {
        "photons.used": (used, used + 5),
        "photons.rejected.of old": (0, 2),
    }
    one, two = found.numbers
    assert (one.name, one.difference) == ("pairs, net", pytest.approx(10.0))
    assert one.in_errors == pytest.approx(5.0 / net_err)
    assert (two.name, two.b, two.difference, two.in_errors) == ("Δt, ns", None, None, None)
    assert not found.identical


def pairs(*rows: tuple[float, ...], energy: float = 7.0) -> dict[str, np.ndarray]:
    """A pair table of rows of t, x1 and replica."""
    n = len(rows)
    t, x1, replica = np.array(rows, np.float64).reshape(n, 3).T
    fill = np.zeros(n)
    return {
        "t": t, "x1": x1, "y1": fill, "x2": fill, "y2": fill, "e1": fill + energy,
        "replica": replica.astype(np.int32),
    }  # fmt: skip


def test_pairs_in_one_and_not_in_the_other() -> None:
    a = pairs((1, 5, 0), (2, 5, 0), (2, 5, 0), (3, 5, -1), (4, 5, 0))
    b = pairs((1, 5, 0), (2, 5, 0), (4, 6, 0), (5, 5, 2), (6, 5, 0))
    found = compare_pairs(a, b)
    assert (found.only_a, found.only_b, found.changed) == ((2, 1), (2, 1), 0)
    assert not found.identical


def test_the_same_photons_with_other_energies() -> None:
    a, b = pairs((1, 5, 0), (2, 5, 0), (3, 5, 1)), pairs((1, 5, 0), (2, 5, 0), (3, 5, 1))
    b["e1"] = b["e1"] + np.array([0.0, 0.25, -0.5])
    found = compare_pairs(a, b)
    assert (found.only_a, found.only_b, found.changed) == ((0, 0), (0, 0), 2)
    (change,) = found.columns
    assert (change.name, change.pairs, change.largest) == ("e1", 2, -0.5)


def test_another_order_is_a_difference_without_pairs() -> None:
    a, b = pairs((1, 5, 0), (2, 5, 0)), pairs((2, 5, 0), (1, 5, 0))
    found = compare_pairs(a, b)
    assert not found.identical
    assert (found.only_a, found.only_b, found.changed) == ((0, 0), (0, 0), 0)


def test_columns_that_only_one_has_and_empty_tables() -> None:
    a, b = pairs((1, 5, 0)), pairs((1, 5, 0))
    del b["e1"]
    found = compare_pairs(a, b)
    assert found.missing == ("e1",)
    assert not found.identical
    assert (found.only_a, found.changed) == ((0, 0), 0)
    assert compare_pairs(pairs(), pairs()).identical
    assert compare_pairs(pairs(), a).only_b == (1, 0)
    assert compare_pairs({}, {}).identical


rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(-1, 1)), max_size=12)


@settings(max_examples=150, deadline=None, database=None)
@given(rows, rows)
def test_rows_are_counted_like_multisets(
    one: list[tuple[int, int, int]], two: list[tuple[int, int, int]]
) -> None:
    found = compare_pairs(pairs(*one), pairs(*two))
    left, right = list(one), list(two)
    for row in one:
        if row in right:
            right.remove(row)
            left.remove(row)
    assert sum(found.only_a) == len(left)
    assert sum(found.only_b) == len(right)
    assert found.only_a[0] == sum(row[2] == 0 for row in left)
    assert found.identical == (one == two)


RECIPES = [
    {},
    {"images": {"g2": True, "distance": True, "symmetric": True, "slices_kev": [5.0, 7.5, 9.0]}},
]


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_file_holds_what_the_result_did(
    raw: bytes, recipe: dict[str, Any], tmp_path: Path
) -> None:
    result = result_of(raw, **recipe)
    write_nexus(result, tmp_path / "r.h5")
    found = compare(content_of_result(result, "memory"), content_of_file(tmp_path / "r.h5"))
    assert found.identical, found
    assert found.equal_arrays == len(result.arrays)
    assert found.numbers == ()
    other = result_of(raw, **recipe, pairing={"window_ns": 150.0})
    found = compare(content_of_result(other, "other"), content_of_file(tmp_path / "r.h5"))
    assert [d.name for d in found.recipe] == ["pairing.window_ns"]
    assert not found.identical


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_files_that_are_no_result(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    path.write_bytes(content)
    with pytest.raises(StorageError, match="no HDF5 file"):
        content_of_file(path)
    with pytest.raises(StorageError, match="no such file"):
        content_of_file(tmp_path / "none.h5")

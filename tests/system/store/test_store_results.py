"""Results that are written beside their run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from event_model import compose_run

from twinbeam.errors import StorageError
from twinbeam.pipeline import Pipeline, Recipe
from twinbeam.store import RunWriter, read_result, store_result


def test_every_array_is_stored_with_its_edges(catalog: Any) -> None:
    recipe = Recipe.from_mapping(
        {"images": {"bin_px": 4, "slices_kev": [5.0, 7.5, 10.0], "g2": True, "distance": True}}
    )
    result = Pipeline(recipe).finish()
    store_result(catalog, "a-run", result)
    stored = catalog.client["derived", "a-run", recipe.hash]
    edges = result.axes.named()
    assert {"image_edges_px", "slices_edges_kev", "g2_delay_ns", "e1_e2_edges_kev"} <= set(edges)
    assert set(stored) == {*result.arrays, *edges, "pairs"}
    for name, values in edges.items():
        assert np.array_equal(stored[name].read(), values)
    assert stored["singles"].shape == (129, 129)
    assert len(edges["image_edges_px"]) == 130
    assert stored.metadata["digest"] == result.digest()


def test_of_several_results_that_of_the_recipe_of_the_run_is_meant(catalog: Any) -> None:
    own, *others = [Recipe.from_mapping({"images": {"bin_px": n}}) for n in (2, 4, 6)]
    uids = []
    with RunWriter(catalog) as writer:
        for metadata in ({"recipe": own.as_dict()}, {}):
            run = compose_run(metadata=metadata)
            writer("start", run.start_doc)
            writer("stop", run.compose_stop())
            uids.append(str(run.start_doc["uid"]))
    for recipe in (others[0], own, others[1]):
        store_result(catalog, uids[0], Pipeline(recipe).finish())
        store_result(catalog, uids[1], Pipeline(recipe).finish())
    assert read_result(catalog, uids[0]).recipe_hash == own.hash
    assert read_result(catalog, uids[0], others[0].hash[:6]).recipe_hash == others[0].hash
    with pytest.raises(StorageError, match=f"3 results are stored.*{others[1].hash}"):
        read_result(catalog, uids[1])  # taken with the default recipe, of which there is none

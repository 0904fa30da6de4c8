"""Results that are written beside their run."""

from __future__ import annotations

from typing import Any

import numpy as np

from twinbeam.pipeline import Pipeline, Recipe
from twinbeam.store import store_result


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

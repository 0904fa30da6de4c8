"""Runs found by their metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from event_model import compose_run

from twinbeam.errors import StorageError
from twinbeam.replay import find_runs
from twinbeam.store import ingest, open_catalog

RUNS = [
    {"sample": "leaf", "n": 7, "geometry": {"distance_m": 0.5}, "good": True},
    {"sample": "7", "n": 7.0, "geometry": {"distance_m": 0.6}, "good": False},
    {"sample": "leaf", "n": 8, "text": "a b=c"},
]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Three runs; the last one stored is the oldest by its clock."""
    folder = tmp_path_factory.mktemp("search")
    with open_catalog(folder / "catalogue") as catalog:
        for number, metadata in enumerate(RUNS):
            run = compose_run(metadata={**metadata, "scan_id": number})
            start = {**run.start_doc, "time": [2000.0, 3000.0, 1000.0][number]}
            documents = [("start", start), ("stop", dict(run.compose_stop()))]
            path = folder / f"{number}.jsonl"
            lines = [json.dumps({"name": name, "doc": doc}) for name, doc in documents]
            path.write_text("\n".join(lines) + "\n")
            ingest(catalog, path)
        yield catalog.broker()


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"sample": "leaf"}, [0, 2]),
        ({"sample": "leaf", "n": 8}, [2]),
        ({"n": 7}, [1, 0]),
        ({"n": "7"}, []),
        ({"sample": ("7", 7)}, [1]),
        ({"n": (7, 8), "sample": ("leaf", "7")}, [1, 0, 2]),
        ({"geometry.distance_m": 0.6}, [1]),
        ({"good": True}, [0]),
        ({"text": "a b=c"}, [2]),
        ({"stop.exit_status": "success"}, [1, 0, 2]),
        ({"sample": "Leaf"}, []),
        ({"no.such": 1}, []),
        ({}, [1, 0, 2]),
    ],
)
def test_all_that_fit_newest_first(broker: Any, where: dict[str, Any], expected: list[int]) -> None:
    assert [start["scan_id"] for start in find_runs(broker, where)] == expected


def test_what_cannot_be_searched_for_is_refused(broker: Any) -> None:
    with pytest.raises(StorageError, match="key 'sample': cannot search for None"):
        find_runs(broker, {"sample": None})

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from event_model import compose_run

from twinbeam.errors import StorageError
from twinbeam.replay import find_run, replay
from twinbeam.store import Catalog, ingest, open_catalog

UIDS = [
    "aaaaa111-0000-4000-8000-000000000001",
    "aaaaa222-0000-4000-8000-000000000002",
    "12345678-0000-4000-8000-000000000003",
    "ccccc333-0000-4000-8000-000000000004",
]
SCAN_IDS = [7, 8, 9, 7]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Four runs, two of them with the same scan id and two with uids that begin alike."""
    folder = tmp_path_factory.mktemp("find")
    with open_catalog(folder / "catalogue") as catalog:
        for uid, scan_id in zip(UIDS, SCAN_IDS, strict=True):
            run = compose_run(uid=uid, metadata={"scan_id": scan_id, "plan_name": "count"})
            documents = [("start", run.start_doc), ("stop", run.compose_stop())]
            lines = [json.dumps({"name": name, "doc": dict(doc)}) for name, doc in documents]
            path = folder / f"{uid}.jsonl"
            path.write_text("\n".join(lines) + "\n")
            ingest(catalog, path)
        yield catalog.broker()


@pytest.mark.parametrize(
    ("key", "index"),
    [
        (UIDS[1], 1),
        ("aaaaa1", 0),
        (" ccccc ", 3),
        (-1, 3),
        ("-1", 3),
        (np.int64(-2), 2),
        ("-4", 0),
        (8, 1),
        ("9", 2),
        (np.int64(9), 2),
        (7, 3),  # the newest of two
        ("12345", 2),  # digits, but no such scan id
        ("12345678", 2),
    ],
)
def test_a_run_is_found_by_what_is_known_of_it(broker: Any, key: Any, index: int) -> None:
    header = find_run(broker, key)
    assert header.uid == UIDS[index]
    assert header.start["scan_id"] == SCAN_IDS[index]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (99, "no run '99'"),
        ("0", "no run '0'"),
        (0, "no run '0'"),
        ("-5", "no run '-5'"),
        ("fffff", "no run 'fffff'"),
        ("aaaaa", "no single run 'aaaaa'.*multiple matches"),
        ("abc", "no single run 'abc'.*too short"),
        ("", "no single run ''"),
        ("aaaaa111-0000-4000-8000-00000000000f", "no run 'aaaaa111"),
    ],
)
def test_a_key_that_fits_no_single_run_is_answered_with_the_newest(
    broker: Any, key: Any, message: str
) -> None:
    with pytest.raises(StorageError, match=message) as caught:
        find_run(broker, key)
    assert "the newest are 7 = ccccc333 count 20" in str(caught.value)
    with pytest.raises(StorageError, match=message):
        replay(broker, key)


def test_an_empty_catalogue_says_so(catalog: Catalog) -> None:
    with pytest.raises(StorageError, match="it has no runs"):
        find_run(catalog.broker("processed"), -1)


def test_only_the_newest_few_are_listed(broker: Any, tmp_path: Path) -> None:
    with open_catalog(tmp_path / "many") as catalog:
        for number in range(7):
            run = compose_run(metadata={"scan_id": number + 1})
            path = tmp_path / f"{number}.jsonl"
            path.write_text(json.dumps({"name": "start", "doc": run.start_doc}) + "\n")
            ingest(catalog, path)
        with pytest.raises(StorageError) as caught:
            find_run(catalog.broker(), 99)
    listed = str(caught.value).split("the newest are ")[1].split(", ")
    assert [entry.split(" = ")[0] for entry in listed] == ["7", "6", "5", "4", "3"]

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest
from bluesky import RunEngine
from bluesky import plans as bp
from numpy.typing import NDArray
from ophyd import Signal

from twinbeam.errors import StorageError
from twinbeam.store import Catalog, RunWriter, write_derived

DTYPES = ["<i8", "<f4", "|b1", ">i4"]


def sample(dtype: str, shape: tuple[int, ...], seed: int) -> NDArray[Any]:
    numbers = np.random.default_rng(seed).integers(0, 200, shape)
    return (numbers % 2 if dtype == "|b1" else numbers).astype(dtype)


def test_arrays_come_back_bit_for_bit_and_are_written_over(catalog: Catalog) -> None:
    for seed, shape in ((1, (64, 48)), (2, (64, 48)), (5, ())):
        arrays = {f"map {dtype[1:]}": sample(dtype, shape, seed) for dtype in DTYPES}
        node = write_derived(catalog, "run-a", "0badc0de", arrays, {"pass": seed})
        assert set(node) == set(arrays)
        for name, array in arrays.items():
            stored = catalog.client["derived"]["run-a"]["0badc0de"][name].read()
            assert stored.shape == array.shape
            assert stored.dtype == array.dtype
            assert stored.tobytes() == array.tobytes()
    metadata = dict(catalog.client["derived"]["run-a"]["0badc0de"].metadata)
    assert metadata == {"pass": 5, "run": "run-a", "recipe_hash": "0badc0de"}


def test_not_a_number_and_views_are_stored_as_they_look(catalog: Catalog) -> None:
    array = np.arange(20.0).reshape(4, 5)[::2, ::-1].T
    array[0, 0] = np.nan
    node = write_derived(catalog, "run-v", "h", {"view": array})
    np.testing.assert_array_equal(node["view"].read(), array)


def test_tables_come_back_with_their_types_and_are_written_over(catalog: Catalog) -> None:
    for seed, rows in ((1, 1000), (2, 1000), (3, 5), (4, 0)):
        rng = np.random.default_rng(seed)
        pairs = {
            "t": rng.integers(0, 2**62, rows),
            "dt_ns": rng.normal(size=rows).astype(np.float32),
            "x1": rng.integers(0, 514, rows).astype(np.uint16),
            "replica": rng.integers(-4, 4, rows).astype(np.int8),
            "prompt": rng.integers(0, 2, rows).astype(bool),
        }
        node = write_derived(catalog, "run-t", "h", {}, tables={"pairs": pairs})
        frame = node["pairs"].read()
        assert list(frame.columns) == list(pairs)
        for name, column in pairs.items():
            assert frame[name].dtype == column.dtype
            assert frame[name].to_numpy().tobytes() == column.tobytes()
    other = {"t": np.arange(3)}  # of other columns
    node = write_derived(catalog, "run-t", "h", {}, tables={"pairs": other})
    assert list(node["pairs"].read().columns) == ["t"]
    assert list(node["pairs"].read(["t"])["t"]) == [0, 1, 2]


def test_recipes_keep_apart_and_what_is_not_given_stays(catalog: Catalog) -> None:
    write_derived(catalog, "run-r", "one", {"a": np.ones(3), "b": np.ones(3)}, {"version": 1})
    write_derived(catalog, "run-r", "two", {"a": np.zeros(3)})
    node = write_derived(catalog, "run-r", "one", {"b": np.full(3, 2.0)})
    assert list(node["a"].read()) == [1.0, 1.0, 1.0]
    assert list(node["b"].read()) == [2.0, 2.0, 2.0]
    assert node.metadata["version"] == 1
    assert list(catalog.client["derived"]["run-r"]["two"]["a"].read()) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("arrays", "tables", "message"),
    [
        ({"ok": np.ones(3), "bad": np.zeros((0, 3))}, {}, r"derived/r/h/bad: .*shape \(0, 3\)"),
        ({"bad": np.array(["text"])}, {}, "derived/r/h/bad: an array of type <U4"),
        ({"bad": np.zeros(3, [("a", "i4")])}, {}, "columns go into a table"),
        ({}, {"bad": {"a": np.zeros(3), "b": np.zeros(4)}}, "derived/r/h/bad: columns"),
        ({}, {"bad": {}}, "derived/r/h/bad: columns"),
        ({"x": np.ones(3)}, {"x": {"a": np.zeros(3)}}, "'x' is both"),
    ],
)
def test_what_cannot_be_stored_is_refused_before_anything_is_written(
    catalog: Catalog, arrays: dict[str, Any], tables: dict[str, Any], message: str
) -> None:
    with pytest.raises(StorageError, match=message):
        write_derived(catalog, "r", "h", arrays, tables=tables)
    assert "r" not in catalog.client["derived"]


def test_maps_are_written_while_a_run_is_stored_and_neither_disturbs_the_other(
    engine: RunEngine, catalog: Catalog, writer: RunWriter
) -> None:
    engine.subscribe(writer)
    uids: list[str] = []
    engine.subscribe(lambda name, doc: uids.append(doc["uid"]), "start")
    signal, done = Signal(name="signal", value=1.0), threading.Event()
    durations = []

    def update() -> None:
        number = 0
        while not done.is_set() or number < 3:
            if not uids:
                done.wait(0.01)
                continue
            begin = time.perf_counter()
            maps = {"map": np.full((512, 512), number, np.int32)}
            write_derived(catalog, uids[0], "hash", maps, {"number": number})
            durations.append(time.perf_counter() - begin)
            number += 1

    thread = threading.Thread(target=update)
    thread.start()
    engine(bp.count([signal], num=15, delay=0.05))
    writer.join()
    done.set()
    thread.join()
    node = catalog.client["derived"][uids[0]]["hash"]
    print(f"\n512 × 512 map beside a running scan: {np.median(durations) * 1e3:.0f} ms")
    assert (node["map"].read() == node.metadata["number"]).all()
    assert list(catalog.raw[uids[0]]) == ["primary"]  # nothing foreign inside the run
    assert [name for name, _ in catalog.broker()[uids[0]].documents()] == [
        "start",
        "descriptor",
        *["event"] * 15,
        "stop",
    ]

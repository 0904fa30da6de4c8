from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from bluesky import RunEngine
from bluesky import plans as bp
from ophyd import Signal

from twinbeam.errors import StorageError
from twinbeam.store import Catalog, RunWriter, open_catalog, write_derived


def test_a_new_catalogue_has_its_containers_and_opens_without_starting_a_process(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    assert catalog.client is not None  # it has filled the cache
    monkeypatch.setattr(subprocess, "run", refuse)
    begin = time.perf_counter()
    with open_catalog(tmp_path / "second") as second:
        print(f"\na new catalogue opened in {time.perf_counter() - begin:.2f} s")
        assert set(second.client) == {"raw", "hits", "photons", "derived", "processed"}
        for name in ("raw", "processed"):
            assert [(s.name, s.version) for s in second.client[name].specs] == [
                ("CatalogOfBlueskyRuns", "3.0")
            ]
        assert second.directory == tmp_path / "second"
        assert len(second.raw) == 0


def test_the_folder_opened_again_has_the_same_runs(engine: RunEngine, tmp_path: Path) -> None:
    signal = Signal(name="signal", value=1.5)
    uids = []
    for number in range(2):
        with open_catalog(tmp_path / "runs") as catalog, RunWriter(catalog) as writer:
            token = engine.subscribe(writer)
            uids += engine(bp.count([signal], num=2), number=number)
            engine.unsubscribe(token)
    begin = time.perf_counter()
    with open_catalog(tmp_path / "runs") as catalog:
        print(f"\na catalogue opened again in {time.perf_counter() - begin:.2f} s")
        assert list(catalog.raw) == uids
        assert [catalog.raw[uid].start["number"] for uid in uids] == [0, 1]
        assert list(catalog.raw[uids[0]]["primary"]["signal"].read()) == [1.5, 1.5]
        assert [catalog.broker()[-1].uid, catalog.broker()[-2].uid] == uids[::-1]


def test_databroker_leaves_other_clients_their_layout(
    engine: RunEngine, catalog: Catalog, writer: RunWriter
) -> None:
    engine.subscribe(writer)
    (uid,) = engine(bp.count([Signal(name="signal", value=1.5)]))
    writer.join()
    header = catalog.broker()[uid]
    assert "data" in header.v2["primary"]  # what databroker sees: its old layout
    for _ in header.documents():
        pass
    from tiled.client import from_context

    for client in (catalog.client, from_context(catalog.client.context)):
        stream = client["raw"][uid]["primary"]
        assert "signal" in stream.keys()  # noqa: SIM118  a stream is no dict
        assert "data" not in stream.keys()  # noqa: SIM118
        assert list(stream["signal"].read()) == [1.5]
    assert catalog.broker() is catalog.broker()


def test_closing_ends_every_thread_and_unlocks_the_folder(
    tmp_path: Path, threads_end: Callable[[], None]
) -> None:
    catalog = open_catalog(tmp_path / "x")
    writer = RunWriter(catalog)
    write_derived(catalog, "run", "hash", {"map": np.ones((3, 3))})
    with pytest.raises(StorageError, match="open already, by process"):
        open_catalog(tmp_path / "x")
    catalog.close()
    catalog.close()
    writer.close()
    threads_end()
    open_catalog(tmp_path / "x").close()


def test_a_database_of_another_version_is_refused_and_the_folder_let_go(
    tmp_path: Path, threads_end: Callable[[], None]
) -> None:
    for damage in ("DROP TABLE alembic_version", "UPDATE alembic_version SET version_num='0b0'"):
        folder = tmp_path / damage.split()[0]
        open_catalog(folder).close()
        with closing(sqlite3.connect(folder / "catalog.db")) as database:
            database.execute(damage)
            database.commit()
        for _ in range(2):  # the second time it would be locked, had the first kept it
            with pytest.raises(StorageError, match="another version of tiled") as caught:
                open_catalog(folder)
            assert caught.value.where == str(folder / "catalog.db")
    threads_end()


@pytest.mark.parametrize("name", ["a#b", "what?"])
def test_a_path_that_cannot_be_a_uri_is_refused_before_anything_is_made(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(StorageError, match="cannot be served"):
        open_catalog(tmp_path / name)
    with pytest.raises(StorageError, match="cannot be served"):
        open_catalog(tmp_path / "ok", readable=[tmp_path / name])
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be created") as caught:
        open_catalog(tmp_path / "file")
    assert caught.value.where == str(tmp_path / "file")


def test_what_waits_when_a_process_just_ends_is_stored(tmp_path: Path) -> None:
    code = f"""
import warnings; warnings.simplefilter("ignore")
from event_model import compose_run
from twinbeam.store import RunWriter, open_catalog
writer = RunWriter(open_catalog({str(tmp_path / "left open")!r}))
run = compose_run()
writer("start", run.start_doc)
key = {{"dtype": "number", "shape": [], "source": "test"}}
stream = run.compose_descriptor(name="primary", data_keys={{"x": key}})
writer("descriptor", stream.descriptor_doc)
for number in range(50):
    writer("event", stream.compose_event(data={{"x": float(number)}}, timestamps={{"x": 1.0}}))
writer("stop", run.compose_stop())
assert writer.pending > 40
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with open_catalog(tmp_path / "left open") as catalog:
        stored = catalog.raw.values().first()
        assert list(stored["primary"]["x"].read()) == [float(number) for number in range(50)]
        assert stored.stop["num_events"] == {"primary": 50}

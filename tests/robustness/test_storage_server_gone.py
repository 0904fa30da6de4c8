"""A tiled server that goes away while a run is written to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from event_model import compose_run
from tiled.client import utils

from twinbeam.errors import StorageError
from twinbeam.store import RunWriter, ingest, kept_runs, open_catalog, serve_catalog, write_derived

KEY = "k" * 40


class Run:
    """A run, document by document."""

    def __init__(self, send: Any) -> None:
        self.send = send
        self.bundle = compose_run()
        self.uid = str(self.bundle.start_doc["uid"])
        send("start", self.bundle.start_doc)
        key = {"dtype": "number", "shape": [], "source": "test"}
        self.stream = self.bundle.compose_descriptor(name="primary", data_keys={"x": key})
        send("descriptor", self.stream.descriptor_doc)

    def event(self, x: float) -> None:
        self.send("event", self.stream.compose_event(data={"x": x}, timestamps={"x": 1.0}))

    def stop(self) -> None:
        self.send("stop", self.bundle.compose_stop())


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tiled's client gives up after a second, not after 45; one template for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    monkeypatch.setattr(utils, "TILED_RETRY_TIMEOUT", 1.0)
    monkeypatch.setattr(utils, "TILED_RETRY_ATTEMPTS", 2)
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared / "cache"))


def test_events_that_a_server_has_twice_are_stored_anew(tmp_path: Path) -> None:
    with (
        serve_catalog(tmp_path / "catalogue") as server,
        open_catalog(server.uri, api_key=server.api_key, documents=tmp_path / "lines") as far,
        RunWriter(far) as writer,
    ):
        run = Run(writer)
        run.event(0.0)
        writer.join()
        table = server.catalog.raw[run.uid]["primary"].base["internal"]
        again = pyarrow.Table.from_pandas(table.read(), preserve_index=False)
        table.append_partition(0, again)  # as after an answer that was lost
        assert len(far.raw[run.uid]["primary"]["x"].read()) == 2
        run.event(1.0)
        run.stop()
        writer.join()
        assert list(far.raw[run.uid]["primary"]["x"].read()) == [0.0, 1.0]


def test_a_run_goes_on_without_its_server_and_is_taken_in_afterwards(tmp_path: Path) -> None:
    folder, lines = tmp_path / "catalogue", tmp_path / "lines"
    server = serve_catalog(folder, api_key=KEY)
    far = open_catalog(server.uri, api_key=KEY, documents=lines)
    writer = RunWriter(far)
    first, second = Run(writer), Run(writer)
    first.event(0.0)
    writer.join()
    server.close()
    for number in range(1, 4):
        first.event(float(number))  # nobody waits, nothing is raised
    first.stop()
    with pytest.raises(StorageError, match="does not answer"):
        write_derived(far, first.uid, "hash", {"map": [1.0]})
    with pytest.raises(StorageError, match=r"JSON lines are complete.*ingest"):
        writer.join()
    with serve_catalog(folder, api_key=KEY, port=server.port):
        second.event(0.5)
        second.stop()
        writer.join()
        found = {run.run: run for run in kept_runs(far)}
        assert not found[first.uid].whole
        assert not any(run.going_on for run in found.values())
        ingest(far, writer.path(first.uid), replace=True)
        writer.close()
        assert all(run.whole for run in kept_runs(far))
        far.close()
    with open_catalog(folder) as catalog:
        assert list(catalog.raw[first.uid]["primary"]["x"].read()) == [0.0, 1.0, 2.0, 3.0]
        assert list(catalog.raw[second.uid]["primary"]["x"].read()) == [0.5]

"""A catalogue that is served, and its clients: the same code on both sides."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from bluesky import RunEngine
from bluesky import plans as bp
from ophyd import Signal
from ophyd.sim import SynAxis
from tiled.client.utils import ClientError

from twinbeam.errors import StorageError
from twinbeam.pipeline import Recipe
from twinbeam.replay import replay, replay_jsonl
from twinbeam.store import (
    Catalog,
    CatalogServer,
    RunWriter,
    ingest,
    open_catalog,
    register_photons,
    register_raw,
    serve_catalog,
    stored_digest,
    write_derived,
)
from twinbeam.tpx3 import Hits, encode_hits, read_hits


@pytest.fixture(scope="module")
def server(catalog: Catalog) -> Iterator[CatalogServer]:
    """The module's catalogue, served on a free port of this machine."""
    with serve_catalog(catalog) as server:
        yield server


@pytest.fixture
def far(server: CatalogServer, tmp_path: Path) -> Iterator[Catalog]:
    """The same catalogue as a client sees it."""
    with open_catalog(server.uri, api_key=server.api_key, documents=tmp_path / "documents") as far:
        yield far


@pytest.fixture
def raw_file(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    hits = Hits(
        t=np.sort(rng.integers(0, 10**8, 5000)),
        x=rng.integers(0, 512, 5000),
        y=rng.integers(0, 512, 5000),
        tot_ns=25 * rng.integers(1, 900, 5000),
        chip=np.zeros(5000),
    )
    path = tmp_path / "far_000000.tpx3"
    path.write_bytes(encode_hits(hits))
    return path


def as_kept(documents: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, Any]]:
    """Documents without the uids that are made anew when they are read back."""
    return [
        (name, {k: v for k, v in doc.items() if k in ("data", "seq_num", "time", "timestamps")})
        for name, doc in documents
    ]


def test_a_run_written_over_the_network_is_found_and_replayed_on_both_sides(
    engine: RunEngine, catalog: Catalog, far: Catalog
) -> None:
    sent: list[tuple[str, Any]] = []
    motor, signal = SynAxis(name="motor"), Signal(name="signal", value=1.5)
    with RunWriter(far) as writer:
        engine.subscribe(writer)
        engine.subscribe(lambda name, doc: sent.append((name, doc)))
        (uid,) = engine(bp.scan([signal], motor, -1, 1, 5), note="over the network")
        writer.join()
        assert writer.path(uid).parent == far.documents_directory
    assert not (catalog.documents_directory / f"{uid}.jsonl").exists()
    for side in (catalog, far):
        replayed: list[tuple[str, Any]] = []
        assert replay(side, uid[:8], lambda n, d, to=replayed: to.append((n, d))) == uid
        assert as_kept(replayed) == as_kept(sent)
        assert replayed[0][1]["note"] == "over the network"
        assert list(side.raw[uid]["primary"]["motor"].read()) == [-1.0, -0.5, 0.0, 0.5, 1.0]
        assert side.broker()[-1].uid == uid
    again: list[tuple[str, Any]] = []
    replay_jsonl(writer.path(uid), lambda name, doc: again.append((name, doc)))
    assert [name for name, _ in again] == [name for name, _ in sent]


def test_lines_are_ingested_over_the_network(
    engine: RunEngine, catalog: Catalog, far: Catalog, tmp_path: Path
) -> None:
    with open_catalog(tmp_path / "other") as other, RunWriter(other) as writer:
        engine.subscribe(writer)
        (uid,) = engine(bp.count([Signal(name="signal", value=2.5)], num=3))
    assert ingest(far, writer.path(uid)) == uid
    assert list(catalog.raw[uid]["primary"]["signal"].read()) == [2.5] * 3
    with pytest.raises(StorageError, match="stored already") as caught:
        ingest(far, writer.path(uid))
    assert str(caught.value.where).startswith(far.where)


def test_results_and_hits_go_over_the_network_as_they_are(
    catalog: Catalog, far: Catalog, raw_file: Path
) -> None:
    image = np.random.default_rng(2).integers(0, 1 << 40, (64, 48))
    assert stored_digest(far, "far", "hash") is None
    write_derived(far, "far", "hash", {"image": image}, {"digest": "d" * 64})
    assert stored_digest(far, "far", "hash") == "d" * 64
    assert np.array_equal(catalog.client["derived", "far", "hash", "image"].read(), image)
    node = register_raw(far, "far", [raw_file])
    for table in (node.read(), catalog.client["hits", "far"].read()):
        for name, column in read_hits(raw_file).columns().items():
            assert table[name].to_numpy().tobytes() == column.tobytes()


def _shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


@pytest.mark.parametrize("kind", ["hits", "photons"])
@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (Path.unlink, "is not there any more"),
        (lambda path: path.parent.rename(path.parent.with_name("away")), "is not there any more"),
        (_shorten, r"is truncated: [\d,]+ of [\d,]+ bytes"),
        (lambda path: path.write_bytes(bytes(path.stat().st_size)), "is another file"),
    ],
    ids=["gone", "moved", "truncated", "another"],
)
def test_what_is_wrong_with_a_raw_file_is_told_to_the_client(
    far: Catalog, raw_file: Path, kind: str, harm: Callable[[Path], object], told: str
) -> None:
    folder = raw_file.parent / "raw"
    folder.mkdir()
    path = raw_file.rename(folder / raw_file.name)
    uid = f"{kind} {harm}"
    node = register_raw(far, uid, [path])
    if kind == "photons":
        node = register_photons(far, uid, Recipe())
    assert len(node.read_partition(0)) > 1000
    harm(path)
    asked = [node.read, lambda: node.read_partition(0), lambda: node["t"].read()]
    for ask_for in asked:
        with pytest.raises(ClientError, match=rf"the raw file {told}.*twinbeam relocate") as caught:
            ask_for()
        assert str(path) in str(caught.value)


def test_a_file_the_server_may_not_read_is_refused_to_the_client(tmp_path: Path) -> None:
    outside = tmp_path / "outside.tpx3"
    outside.write_bytes(b"")
    with (
        serve_catalog(tmp_path / "c", readable=[tmp_path / "inside"]) as server,
        open_catalog(server.uri, api_key=server.api_key, documents=tmp_path) as far,
        pytest.raises(StorageError, match="does not read there") as caught,
    ):
        register_raw(far, "outside", [outside])
    assert "--readable" in str(caught.value)


KEYS: dict[str, Callable[[str], dict[str, str]]] = {
    "none": lambda key: {},
    "wrong": lambda key: {"Authorization": "Apikey " + "0" * len(key)},
    "beginning": lambda key: {"Authorization": f"Apikey {key[:-1]}"},
    "as bearer": lambda key: {"Authorization": f"Bearer {key}"},
    "as basic": lambda key: {"Authorization": f"Basic {key}"},
    "bare": lambda key: {"Authorization": key},
    "other header": lambda key: {"X-Api-Key": key},
    "other cookie": lambda key: {"Cookie": f"api_key={key}"},
    "wrong cookie": lambda key: {"Cookie": f"tiled_api_key={'0' * len(key)}"},
}
READS = [
    ("GET", "/api/v1/metadata/"),
    ("GET", "/api/v1/metadata/derived/locked/h"),
    ("GET", "/api/v1/search/raw"),
    ("GET", "/api/v1/array/full/derived/locked/h/map"),
    ("GET", "/api/v1/array/block/derived/locked/h/map?block=0,0"),
    ("GET", "/api/v1/table/full/derived/locked/h/pairs"),
    ("GET", "/api/v1/container/full/derived/locked/h"),
    ("GET", "/api/v1/revisions/derived/locked/h"),
    ("GET", "/zarr/v2/derived/locked/h/map/.zarray"),
    ("GET", "/zarr/v3/derived/locked/h/map/zarr.json"),
]
WRITES = [
    ("POST", "/api/v1/metadata/derived"),
    ("POST", "/api/v1/register/hits"),
    ("PATCH", "/api/v1/metadata/derived/locked/h"),
    ("PUT", "/api/v1/metadata/derived/locked/h"),
    ("PUT", "/api/v1/array/full/derived/locked/h/map"),
    ("PUT", "/api/v1/table/full/derived/locked/h/pairs"),
    ("PUT", "/api/v1/data_source/derived/locked/h/map"),
    ("DELETE", "/api/v1/metadata/derived/locked?recursive=true&external_only=false"),
    ("POST", "/api/graphql"),
]
REFUSALS = {400, 401, 403}


@pytest.fixture
def locked(catalog: Catalog) -> None:
    """Something to read."""
    arrays = {"map": np.arange(12).reshape(3, 4)}
    write_derived(catalog, "locked", "h", arrays, tables={"pairs": {"x": np.arange(3)}})


def ask(server: CatalogServer, method: str, path: str, headers: dict[str, str]) -> int:
    body = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
    return httpx.request(
        method, server.uri + path, headers=headers, timeout=60.0, **body
    ).status_code


@pytest.mark.usefixtures("locked")
def test_every_request_without_the_key_is_refused(server: CatalogServer, catalog: Catalog) -> None:
    tried = list(product(KEYS, [*READS, *WRITES]))
    refused = [
        (kind, request)
        for kind, request in tried
        if ask(server, *request, KEYS[kind](server.api_key)) in REFUSALS
    ]
    print(f"\n{len(refused)} of {len(tried)} requests without the key refused")
    assert refused == tried
    key = {"Authorization": f"Apikey {server.api_key}"}
    assert {ask(server, *request, key) for request in READS} == {200}
    assert (catalog.client["derived", "locked", "h", "map"].read().ravel() == np.arange(12)).all()


def test_a_public_server_is_read_by_all_and_written_with_the_key(tmp_path: Path) -> None:
    with open_catalog(tmp_path / "c") as catalog, serve_catalog(catalog, public=True) as server:
        arrays = {"map": np.arange(12).reshape(3, 4)}
        write_derived(catalog, "locked", "h", arrays, tables={"pairs": {"x": np.arange(3)}})
        assert {ask(server, *request, {}) for request in READS} == {200}
        refused = [request for request in WRITES if ask(server, *request, {}) in REFUSALS]
        assert refused == WRITES
        with open_catalog(server.uri, documents=tmp_path) as far:
            assert far.client["derived", "locked", "h", "map"].read().sum() == 66
            for write in (
                far.require_writable,
                lambda: RunWriter(far),
                lambda: write_derived(far, "locked", "h", {"map": np.zeros(3)}),
            ):
                with pytest.raises(StorageError, match="does not allow this to be written"):
                    write()
        with open_catalog(server.uri, api_key=server.api_key, documents=tmp_path) as far:
            far.require_writable()


def test_another_process_writes_results_while_this_one_writes_a_run(
    engine: RunEngine, catalog: Catalog, server: CatalogServer, writer: RunWriter
) -> None:
    code = """
import os, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from twinbeam.store import open_catalog, write_derived
uid = sys.argv[1]
with open_catalog(os.environ["TWINBEAM_TILED_URI"], documents=sys.argv[2]) as far:
    for number in range(8):
        maps = {"map": np.full((64, 64), number, np.int32)}
        write_derived(far, uid, "hash", maps, {"number": number})
    pairs = {"t": np.arange(1000), "dt_ns": np.linspace(-1, 1, 1000)}
    write_derived(far, uid, "hash", {}, tables={"pairs": pairs})
    print(far.raw[uid].start["uid"], flush=True)
"""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TWINBEAM_TILED_URI": server.uri,
        "TWINBEAM_TILED_API_KEY": server.api_key,
    }
    engine.subscribe(writer)
    uids: list[str] = []
    started = threading.Event()
    engine.subscribe(lambda name, doc: (uids.append(doc["uid"]), started.set()), "start")
    said: list[tuple[int, str, str]] = []

    def other_process() -> None:
        started.wait(60)
        done = subprocess.run(
            [sys.executable, "-c", code, uids[0], str(catalog.directory / "other")],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        said.append((done.returncode, done.stdout.strip(), done.stderr))

    other = threading.Thread(target=other_process)
    other.start()
    signal = Signal(name="signal", value=1.0)

    def until_it_is_done() -> Any:
        from bluesky import plan_stubs as bps

        yield from bps.open_run()
        count = 0
        while other.is_alive() or count < 5:
            yield from bps.trigger_and_read([signal])
            yield from bps.sleep(0.02)
            count += 1
        yield from bps.close_run()
        return count

    engine(until_it_is_done())
    other.join()
    writer.join()
    assert said == [(0, uids[0], "")]
    node = catalog.client["derived", uids[0], "hash"]
    assert (node["map"].read() == 7).all()
    assert len(node["pairs"].read()) == 1000
    count = catalog.raw[uids[0]].stop["num_events"]["primary"]
    assert len(catalog.raw[uids[0]]["primary"]["signal"].read()) == count >= 5


def test_a_server_ends_with_its_catalogue_and_frees_its_port(
    tmp_path: Path, threads_end: Callable[[], None]
) -> None:
    catalog = open_catalog(tmp_path / "c")
    server = serve_catalog(catalog)
    with pytest.raises(StorageError, match="Address already in use"):
        serve_catalog(catalog, port=server.port)
    assert server.running
    catalog.close()
    server.close()
    assert not server.running
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", server.port))
    threads_end()
    with serve_catalog(tmp_path / "c", port=server.port, api_key="k" * 32) as again:
        assert (again.port, again.api_key) == (server.port, "k" * 32)
    threads_end()
    open_catalog(tmp_path / "c").close()  # the lock is free


def test_two_catalogues_in_one_process_have_two_keys(server: CatalogServer, tmp_path: Path) -> None:
    with serve_catalog(tmp_path / "c") as other:
        assert other.api_key != server.api_key
        crossed = {"Authorization": f"Apikey {other.api_key}"}
        assert ask(server, "GET", "/api/v1/metadata/", crossed) in REFUSALS
        assert ask(other, "GET", "/api/v1/metadata/", crossed) == 200


@pytest.mark.parametrize("key", ["short", "with-a-dash-and-long-enough", "ü" * 20])
def test_a_key_that_tiled_could_not_take_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(StorageError, match="letters and digits"):
        serve_catalog(tmp_path / "c", api_key=key)


def test_a_server_that_is_not_there_or_lets_nobody_in_is_named(
    server: CatalogServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("TWINBEAM_TILED_API_KEY", "TILED_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(
            StorageError, match=r"no tiled server answers.*twinbeam serve"
        ) as caught:
            open_catalog(nobody)
    assert caught.value.where == nobody
    with pytest.raises(StorageError, match=r"wants a key .*TWINBEAM_TILED_API_KEY"):
        open_catalog(server.uri)
    with pytest.raises(StorageError, match="does not accept this key") as caught:
        open_catalog(f"{server.uri}?api_key={'0' * 64}")
    assert "0000" not in str(caught.value)
    monkeypatch.setenv("TILED_API_KEY", "1" * 64)
    with pytest.raises(StorageError, match="does not accept this key"):
        open_catalog(server.uri)
    monkeypatch.setenv("TWINBEAM_TILED_API_KEY", server.api_key)
    with open_catalog(server.uri, documents=tmp_path) as far:
        assert far.where == server.uri


def test_a_container_on_a_server_is_a_catalogue_of_its_own(
    engine: RunEngine, catalog: Catalog, server: CatalogServer, tmp_path: Path
) -> None:
    catalog.client.create_container("beamline")
    address = f"{server.uri}/api/v1/metadata/beamline?api_key={server.api_key}"
    with open_catalog(address, documents=tmp_path) as inner, RunWriter(inner) as writer:
        assert set(inner.client) == {"raw", "hits", "photons", "derived", "processed"}
        engine.subscribe(writer)
        (uid,) = engine(bp.count([Signal(name="signal", value=2.5)]))
        writer.join()
        assert inner.broker()[-1].uid == uid
    assert uid in catalog.client["beamline", "raw"]
    assert uid not in catalog.raw


def test_a_tiled_profile_names_a_server(
    server: CatalogServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tiled import profiles

    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "mine.yml").write_text(f"mine:\n  uri: {server.uri}\n")
    monkeypatch.setattr(profiles, "paths", [tmp_path / "profiles"])
    with open_catalog("profile:mine", api_key=server.api_key, documents=tmp_path) as far:
        assert far.where == server.uri
        far.require_writable()
    with pytest.raises(StorageError, match=r"no tiled profile of this name .*known are: mine"):
        open_catalog("profile:other")


@pytest.fixture
def plain_tiled(wait_until: Callable[..., None]) -> Iterator[str]:
    """Address of a tiled server that knows nothing of Bluesky."""
    import uvicorn
    from tiled.adapters.mapping import MapAdapter
    from tiled.media_type_registration import SerializationRegistry
    from tiled.server.app import build_app
    from tiled.server.settings import Settings, get_settings

    app = build_app(MapAdapter({}), serialization_registry=SerializationRegistry())
    settings = Settings(single_user_api_key="p" * 32)
    app.dependency_overrides[get_settings] = lambda: settings
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        wait_until(lambda: server.started, 60.0, "the server runs")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}?api_key={'p' * 32}"
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


def test_a_server_of_tiled_alone_is_told_what_it_lacks(plain_tiled: str) -> None:
    with pytest.raises(StorageError, match="lacks the exporter of runs") as caught:
        open_catalog(plain_tiled)
    assert "ppp" not in str(caught.value)


def test_json_lines_of_a_server_are_in_the_users_state_folder(
    server: CatalogServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with open_catalog(server.uri, api_key=server.api_key) as far:
        assert far.documents_directory == tmp_path / "state" / "twinbeam" / "documents"
    assert not (tmp_path / "state").exists()  # nothing has been written

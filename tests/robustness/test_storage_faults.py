"""Disks that are full, read-only or slow, and a tiled that goes: the run goes on, nothing is lost.

The RunEngine, its storage and a tiled server are processes of their own. In each test the documents
that were given to the writer are counted in the JSON lines, and what is in tiled at the end is
compared with the same lines taken in by a catalogue nothing has happened to: the same bytes.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harm import Proxy, no_room, read_only
from storage_processes import KEY, EngineProcess, ServerProcess

from twinbeam.cli.app import run as command
from twinbeam.store import Catalog, ingest, open_catalog, read_documents
from twinbeam.store.documents import encode_line


@pytest.fixture(scope="module", autouse=True)
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(shared / "cache"))
        patch.setenv("TWINBEAM_TILED_API_KEY", KEY)
        yield


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, template: None) -> Iterator[Catalog]:
    """A catalogue nothing happens to."""
    with open_catalog(tmp_path_factory.mktemp("undisturbed") / "catalog") as catalog:
        yield catalog


class Place:
    """A tiled server, a way to it, and a RunEngine that stores there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.catalogue = folder / "catalogue"
        self.documents = folder / "documents"
        self.engine = EngineProcess(self.documents, folder / "engine.log")
        self.server = ServerProcess(self.catalogue)
        self.proxy = Proxy(self.server.port)
        self.uri = f"http://127.0.0.1:{self.proxy.port}"
        self.engine.open(self.uri)

    def lines(self, uid: str) -> Path:
        return self.documents / f"{uid}.jsonl"

    def close(self) -> None:
        self.engine.close()
        self.server.close()
        self.proxy.__exit__()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, template: None) -> Iterator[Place]:
    """The three of them; each test leaves them whole."""
    place = Place(tmp_path_factory.mktemp("place"))
    yield place
    place.close()


def kept(path: Path) -> dict[str, Any]:
    """What is in the JSON lines of a run, and that nothing is missing or double."""
    documents = list(read_documents(path))
    names = [name for name, _ in documents]
    numbers = [doc["seq_num"] for name, doc in documents if name == "event"]
    values = [doc["data"]["x"] for name, doc in documents if name == "event"]
    assert names[0] == "start"
    assert numbers == list(range(1, len(numbers) + 1))
    assert values == [number / 8 for number in numbers]
    stop = documents[-1][1] if names[-1] == "stop" else None
    if stop is not None:
        assert stop["num_events"].get("primary", 0) == len(numbers)
    return {"events": len(numbers), "stop": stop}


def assert_as_undisturbed(catalog: Catalog, undisturbed: Catalog, path: Path) -> None:
    """What tiled gives of a run are the bytes a catalogue gives that only took in its lines."""
    uid = ingest(undisturbed, path)
    found, wanted = (
        b"".join(encode_line(name, doc) for name, doc in one.raw[uid].documents())
        for one in (catalog, undisturbed)
    )
    assert found == wanted
    assert len(found) > 500


Harm = Callable[[Place], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def killed(place: Place) -> Iterator[None]:
    """The server is killed, and started again at the end."""
    place.server.kill()
    try:
        yield
    finally:
        place.server = place.server.again()


@contextlib.contextmanager
def full(place: Place) -> Iterator[None]:
    """The disk of the server is full."""
    with no_room(place.server.pid):
        yield


@contextlib.contextmanager
def not_writable(place: Place) -> Iterator[None]:
    """The catalogue of the server is read-only."""
    with read_only(place.catalogue):
        yield


@contextlib.contextmanager
def cut(place: Place) -> Iterator[None]:
    """The network to the server is gone."""
    with place.proxy.cut():
        yield


@pytest.mark.timeout(280)
@pytest.mark.parametrize("harm", [cut, killed, full, not_writable])
def test_a_run_goes_on_while_tiled_cannot_take_it(
    place: Place, undisturbed: Catalog, harm: Harm, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = place.engine
    engine.told.clear()
    uid = engine.ask("run")["uid"]
    assert engine.ask(5) == {"events": 5}
    with harm(place):
        assert engine.ask(20) == {"events": 25}
        ended = engine.ask("stop")
        assert (ended["status"], ended["state"]) == ("success", "idle")
        assert kept(place.lines(uid)) == {
            "events": 25,
            "stop": list(read_documents(place.lines(uid)))[-1][1],
        }
        joined = engine.ask("join")
    assert joined["joined"] is False
    assert uid in joined["error"]
    assert "twinbeam ingest" in joined["error"]
    assert len(engine.told) == 1, engine.told
    assert "nothing is lost" in engine.told[0]
    assert "twinbeam ingest" in engine.told[0]
    assert str(place.documents) in engine.told[0]

    # the user does what was said
    arguments = ["ingest", str(place.lines(uid)), "--replace", "--catalog", place.uri]
    assert command(arguments) == 0, capsys.readouterr().err
    # and measures on, without anything else
    after = engine.ask("run")["uid"]
    assert engine.ask(5) == {"events": 5}
    assert engine.ask("stop")["status"] == "success"
    assert engine.ask("join") == {"joined": True}
    assert len(engine.told) == 2, engine.told
    assert "takes runs again" in engine.told[1]
    with open_catalog(place.uri, documents=place.documents) as catalog:
        for one in (uid, after):
            assert_as_undisturbed(catalog, undisturbed, place.lines(one))
    print(f"\n{harm.__name__}: 25 of 25 events kept, slowest callback {ended['slowest_s']:.4f} s")


@pytest.mark.timeout(280)
def test_a_slow_tiled_holds_up_nobody(place: Place, undisturbed: Catalog) -> None:
    engine = place.engine
    engine.told.clear()
    with place.proxy.slow(0.1):
        uid = engine.ask("run")["uid"]
        assert engine.ask(100) == {"events": 100}
        ended = engine.ask("stop")
        assert ended["status"] == "success"
        assert engine.ask("join") == {"joined": True}
    assert kept(place.lines(uid))["events"] == 100
    assert engine.told == []
    # no call has waited for an answer, and writes take many; a busy machine holds up a few calls
    assert ended["late_s"] < 0.5
    with open_catalog(place.uri, documents=place.documents) as catalog:
        assert_as_undisturbed(catalog, undisturbed, place.lines(uid))
    print(f"\nslow tiled: 100 of 100 events kept, slowest callback {ended['slowest_s']:.4f} s")

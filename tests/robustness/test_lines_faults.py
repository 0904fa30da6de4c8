"""A disk that takes no more lines: the run ends at once and says why; what was kept stays."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from harm import no_room, read_only
from storage_processes import EngineProcess

from twinbeam.cli.app import run as command
from twinbeam.store import open_catalog, read_documents


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(shared / "cache"))
        yield tmp_path_factory.mktemp("lines") / "catalogue"


@pytest.mark.timeout(600)
def test_nothing_that_was_kept_is_lost_when_the_disk_is_full_or_read_only(
    catalogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One RunEngine with the catalogue in its own process, on the one disk there is."""
    documents = catalogue / "documents"
    engine = EngineProcess(documents, catalogue.with_name("engine.log"))
    try:
        engine.open(catalogue)
        # full in the middle of a run: the first line that cannot be written ends it
        full = engine.ask("run")["uid"]
        assert engine.ask(7) == {"events": 7}
        with no_room(engine.pid):
            ended = engine.ask(5)
            assert (ended["status"], ended["state"]) == ("fail", "idle")
            assert f"{documents / full}.jsonl: the run cannot be kept" in ended["error"]
            assert "make room" in ended["error"]
            again = engine.ask("run")  # and so does the first of the next
            assert (again["status"], again["state"]) == ("fail", "idle")
            assert "the run cannot be kept" in again["error"]
        # room is made, and without anything else the next run is kept
        second = engine.ask("run")["uid"]
        assert engine.ask(6) == {"events": 6}
        # read-only now: what is open goes on
        with read_only(documents):
            assert engine.ask(6) == {"events": 12}
            assert engine.ask("stop")["status"] == "success"
            refused = engine.ask("run")
            assert (refused["status"], refused["state"]) == ("fail", "idle")
            assert "Permission denied" in refused["error"]
        third = engine.ask("run")["uid"]
        assert engine.ask(3) == {"events": 3}
        assert engine.ask("stop")["status"] == "success"
        joined = engine.ask("join")
        assert joined["joined"] is False  # what could not be kept is said, once
        assert engine.ask("join") == {"joined": True}
        assert engine.ask("end") == {"closed": True}
    finally:
        engine.close()

    arguments = ["ingest", "--all", "--replace", "--catalog", str(catalogue)]
    status = command(arguments)
    assert status == 0, capsys.readouterr().err
    counts = {}
    with open_catalog(catalogue) as catalog:
        for uid, name in ((full, "full"), (second, "read-only"), (third, "after")):
            kept = list(read_documents(documents / f"{uid}.jsonl"))
            events = [doc["data"]["x"] for kind, doc in kept if kind == "event"]
            assert events == [(number + 1) / 8 for number in range(len(events))]
            assert list(catalog.raw[uid]["primary"]["x"].read()) == events
            counts[name] = (len(events), kept[-1][0])
        # tiled was told of the two that could not begin, and that they failed
        others = set(catalog.raw) - {full, second, third}
        assert len(others) == 2
        assert {catalog.raw[uid].stop["exit_status"] for uid in others} == {"fail"}
        assert not any(
            (documents / f"{uid}.jsonl").exists() and (documents / f"{uid}.jsonl").stat().st_size
            for uid in others
        )
    # of the run on the full disk every line that was acknowledged, but not its end
    assert counts == {"full": (7, "event"), "read-only": (12, "stop"), "after": (3, "stop")}
    print(f"\nkept and stored: {counts}")

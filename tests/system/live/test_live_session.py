"""A session whose live analysis is a process of its own: one result, wherever it is looked at."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twinbeam.devices import Beamline
from twinbeam.live import CoincidenceCallback
from twinbeam.pipeline import Recipe, Result
from twinbeam.profile import Session, catalog_place
from twinbeam.replay import replay
from twinbeam.store import open_catalog, serve_catalog


def replayed(session: Session, uid: str) -> Result:
    callback = CoincidenceCallback()
    try:
        replay(session.db, uid, callback)
        assert callback.wait(60)
        assert callback.result is not None
        return callback.result
    finally:
        callback.close()


@contextlib.contextmanager
def catalogue(
    kind: str, folder: Path, readable: list[Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str | Path]:
    """What a profile takes: a folder, or the server that the environment names."""
    monkeypatch.setenv("TWINBEAM_CATALOG", str(folder))
    if kind == "folder":
        yield catalog_place()
        return
    monkeypatch.setenv("XDG_STATE_HOME", str(folder.parent / "state"))
    with open_catalog(folder, readable=readable) as opened, serve_catalog(opened) as server:
        monkeypatch.setenv("TWINBEAM_TILED_URI", server.uri)
        monkeypatch.setenv("TWINBEAM_TILED_API_KEY", server.api_key)
        yield catalog_place()


@pytest.mark.timeout(290)
@pytest.mark.parametrize(
    ("kind", "killed"), [("folder", False), ("folder", True), ("server", False)]
)
def test_what_the_service_stores_is_what_a_replay_gives(
    beamline: Any,
    instruments: Beamline,
    tmp_path: Path,
    meanwhile: Any,
    kind: str,
    killed: bool,
    monkeypatch: pytest.MonkeyPatch,
    wait_until: Any,
) -> None:
    from twinbeam.plans import collect_pairs

    told: list[str] = []
    readable = [beamline.data_dir]
    instruments.goniometer.theta.move(11.616, wait=True, timeout=60)
    with (
        catalogue(kind, tmp_path / "catalog", readable, monkeypatch) as place,
        Session(place, readable=readable, service=True, tell=told.append) as session,
    ):
        assert session.catalog.embedded == (kind == "folder")
        service = session.analysis.process
        documents: list[tuple[str, dict[str, Any]]] = []
        session.live.subscribe(lambda name, doc: documents.append((name, doc)))
        assert session.live.wait_for(lambda: session.live.alive, 60.0)

        def kill() -> None:
            deadline = time.monotonic() + 60.0
            while session.live.latest is None and time.monotonic() < deadline:
                time.sleep(0.05)
            os.kill(service.pid, signal.SIGKILL)

        if killed:
            meanwhile(kill)
        run = session.RE(
            collect_pairs(
                instruments.detector,
                instruments.shutter,
                seconds=3,
                frame_s=0.5,
                bragg_deg=11.576,
                detuning_deg=0.040,
                recipe_md=Recipe().as_dict(),
            )
        )
        (uid,) = run.run_start_uids
        digest = session.analysis.finish(uid, 120.0)
        assert digest is not None, service.log.read_text()
        session.writer.join()
        again = replayed(session, uid)
        assert again.estimate.n_prompt > 100
        assert again.digest() == digest
        if killed:  # on a slow machine the first result is the last one, and the kill is late
            again_told = lambda: any("started again" in sentence for sentence in told)  # noqa: E731
            wait_until(again_told, 60.0, "that it was started again")
        assert sum("started again" in sentence for sentence in told) == killed

        stored = session.catalog.client["derived", uid, again.recipe.hash]
        assert set(again.arrays) <= set(stored)
        assert "live_pairs" not in stored
        assert (stored["signal"].read() == again.arrays["signal"]).all()
        assert len(stored["pairs"].read()) == len(again.pairs)

        numbers, health = session.analysis.look()
        assert numbers is not None
        assert (health.run, health.state) == (uid, "complete")
        assert numbers["hits"] == again.n_hits
        names = [name for name, _ in documents]
        assert names[-1] == "stop"
        start = next(doc for name, doc in reversed(documents) if name == "start")
        assert start["raw_run"] == uid
        assert session.live.wait_for(
            lambda: start["uid"] in session.catalog.client["processed"], 60.0
        )
        (found,) = session.catalog.broker("processed")(raw_run=uid, uid=start["uid"])
        assert found.start["recipe_hash"] == again.recipe.hash

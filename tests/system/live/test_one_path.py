"""Live, replay from databroker, replay from JSON lines and offline: one result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from twinbeam.devices import Beamline
from twinbeam.live import CoincidenceCallback
from twinbeam.pipeline import Recipe, Result, process
from twinbeam.profile import Session
from twinbeam.replay import replay, replay_jsonl
from twinbeam.store import raw_detectors, raw_files


def analysed(send: Any) -> Result:
    callback = CoincidenceCallback()
    try:
        send(callback)
        assert callback.wait(120)
        assert callback.health.problems == ()
        assert callback.result is not None
        return callback.result
    finally:
        callback.close()


@pytest.mark.timeout(290)
def test_live_equals_replay_equals_offline(
    beamline: Any, instruments: Beamline, tmp_path: Path
) -> None:
    from twinbeam.plans import collect_pairs

    raw = beamline.data_dir
    versions: list[int] = []
    instruments.goniometer.theta.move(11.616, wait=True, timeout=60)
    with Session(
        tmp_path / "catalog",
        readable=[raw],
        on_result=lambda result, health: versions.append(health.version),
    ) as session:
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
        assert session.live.wait(120)
        session.writer.join()
        live, health = session.live.latest
        assert live is not None
        assert health.run == uid
        assert health.problems == ()
        assert session.live.errors == []
        assert session.problems == []
        lines = session.writer.path(uid)
        paths: list[Path] = []
        detectors: tuple[str, ...] = ()
        for name, doc in session.db[uid].documents():
            if name == "descriptor" and doc["name"] == "primary":
                detectors = raw_detectors(doc)
            elif name == "event" and "tpx3_raw_uri" in doc["data"]:
                paths += raw_files(doc["data"], detectors[0]).paths
        replayed = analysed(lambda callback: replay(session.db, uid, callback))
        from_lines = analysed(lambda callback: replay_jsonl(lines, callback))
    assert len(paths) == 6
    offline = process(paths)
    assert live.n_hits > 10_000
    assert live.estimate.net > 100
    assert live.ledger.closes
    for other in (replayed, from_lines, offline):
        assert live.differences(other) == []
        assert live.digest() == other.digest()
    # results were published while the run went on, not only at its end
    assert len(set(versions)) >= 6

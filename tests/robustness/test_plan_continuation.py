"""A collection whose process is killed is continued by another one; no event is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from twinbeam.store import read_documents

FRAME_S = 0.25
MORE_S = 2.0

# as a session at the prompt does it: storage first, then the live analysis, in one process
_SESSION = """
import json, sys
from pathlib import Path
from twinbeam.devices import make_beamline
from twinbeam.errors import BeamlineError
from twinbeam.pipeline import process
from twinbeam.plans import collect_pairs, earlier_runs, live_results
from twinbeam.profile import Session

folder, beamline, detector = Path(sys.argv[1]), *sys.argv[2:4]
given = json.loads(sys.argv[4])

def tell(**values):
    print(json.dumps(values), flush=True)

it = make_beamline(beamline, detector, data_root=folder / "raw")
with Session(folder / "catalog", readable=[folder / "raw"]) as session:
    it.connect(60.0)
    find = earlier_runs(session.catalog)
    RE = session.RE
    RE.subscribe(lambda name, doc: tell(frames=len(doc["seq_num"])), "event_page")

    def collect(**more):
        plan = collect_pairs(
            it.detector, it.shutter, it.goniometer.theta, bragg_deg=11.576, frame_s=0.25,
            flush_s=0.1, results=live_results(session.live), earlier=find, final_s=60.0,
            **{**given, **more},
        )
        return RE(plan).plan_result

    before = {}
    if "continue_from" in given:
        acquiring = it.detector.cam.acquire.get(use_monitor=False)
        before = dict(acquiring=acquiring, shutter=it.shutter.status.get(use_monitor=False))
    result = collect()
    whole = find(-1)
    refused = ""
    try:
        collect(continue_from=result.run_uid, seconds=1000.0, stop_pairs=1.0)
    except BeamlineError as error:
        refused = str(error)
    tell(
        said=str(result),
        before=before,
        run=result.run_uid,
        runs=whole.runs,
        frames=[result.before.frames, result.frames, whole.frames],
        left_over=[len(result.before.left_over), len(whole.left_over)],
        prompt=[result.numbers.prompt, result.together.prompt],
        seconds=whole.seconds,
        offline=process(whole.paths, whole.recipe).estimate.n_prompt,
        live_net=result.together.net,
        start={k: v for k, v in whole.start.items() if k.startswith("continue")},
        refused=refused,
        after=dict(
            acquiring=it.detector.cam.acquire.get(use_monitor=False),
            shutter=it.shutter.status.get(use_monitor=False),
        ),
    )
it.destroy()
"""


def session(beamline: Any, folder: Path, **given: Any) -> subprocess.Popen[str]:
    """A process that collects pairs."""
    prefixes = (beamline.prefixes.beamline, beamline.prefixes.detector)
    return subprocess.Popen(
        [sys.executable, "-c", _SESSION, str(folder), *prefixes, json.dumps(given)],
        env={**os.environ, **beamline.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


def frames_in(lines: Path) -> int:
    """Frames that have an event in a file of JSON lines."""
    pages = (doc for name, doc in read_documents(lines) if name == "event_page")
    return sum(len(doc["seq_num"]) for doc in pages)


@pytest.mark.timeout(600)
def test_a_collection_is_continued_after_kill_9(beamline: Any, tmp_path: Path) -> None:
    with session(beamline, tmp_path, seconds=600.0, stop_pairs=1e9) as first:
        assert first.stdout is not None
        seen = 0
        for line in first.stdout:
            seen += json.loads(line)["frames"]
            if seen >= 5:
                os.kill(first.pid, signal.SIGKILL)
                break
        first.stdout.read()
    assert first.returncode == -signal.SIGKILL
    (lines,) = (tmp_path / "catalog" / "documents").glob("*.jsonl")
    had = frames_in(lines)
    assert had >= 5

    wanted_s = had * FRAME_S + MORE_S
    with session(
        beamline, tmp_path, seconds=wanted_s, stop_pairs=1e9, continue_from=lines.stem[:8]
    ) as second:
        assert second.stdout is not None
        told = [json.loads(line) for line in second.stdout]
    assert second.returncode == 0
    result = told[-1]
    # the instruments did not die: what the first began went on until the second ended it
    assert result["before"] == {"acquiring": 1, "shutter": "Open"}
    assert result["after"] == {"acquiring": 0, "shutter": "Closed"}
    more = round(MORE_S / FRAME_S)
    assert result["frames"] == [had, more, had + more]
    assert result["seconds"] == pytest.approx(wanted_s)
    assert result["left_over"][0] > 0, "files that were written after the first had died"
    # both names in the new run, and the sum of both is what processing all files gives
    assert result["runs"] == [lines.stem, result["run"]]
    assert result["start"] == {
        "continues": lines.stem,
        "continued_runs": [lines.stem],
        "continued_frames": had,
        "continued_seconds": pytest.approx(had * FRAME_S),
    }
    of_second, of_both = result["prompt"]
    assert 0 < of_second < of_both == result["offline"]
    assert f"{wanted_s:g} s in 2 runs" in result["said"]
    # and what both have counts for the stop rule: there is enough before anything moves
    assert "there is enough already" in result["refused"]
    assert "net pairs" in result["refused"]

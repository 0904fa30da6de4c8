"""The IOC of the detector is killed in acquisitions and started again; the RunEngine goes on.

`TWINBEAM_IOC_RESTARTS` says how often, 3 times by default.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bluesky.preprocessors as bpp
import pytest

from twinbeam.devices import Patience, TimePix3Detector, connect  # chooses caproto for ophyd
from twinbeam.errors import BeamlineError
from twinbeam.plans import fly_frames
from twinbeam.plans._guards import say_why
from twinbeam.store import LeftOverFinder, RunWriter, ingest, open_catalog, read_documents

RESTARTS = int(os.environ.get("TWINBEAM_IOC_RESTARTS", "3"))
FRAMES = 12


@pytest.fixture
def detector(tmp_path: Path) -> Iterator[TimePix3Detector]:
    detector = TimePix3Detector(
        "FALLING:",  # of its own: names that nobody answered for minutes are searched for rarely
        name="mortal",
        data_root=tmp_path,
        patience=Patience(write_s=10.0, start_s=60.0, stall_s=60.0, stop_s=5.0, files_s=10.0),
    )
    detector.num_frames.put(FRAMES)
    detector.frame_time_s.put(0.1)
    yield detector
    detector.destroy()


@pytest.fixture
def engine() -> Iterator[Any]:
    from bluesky import RunEngine

    engine = RunEngine(context_managers=[], call_returns_result=True)
    thread = engine._th
    yield engine
    engine.loop.call_soon_threadsafe(engine.loop.stop)
    thread.join(60.0)
    engine.loop.close()


def files_of(lines: Path) -> tuple[set[str], set[str], set[str], str]:
    """Names of a run's files: named by events, left over and complete, all left over; its end."""
    finder, named, status = LeftOverFinder(), [], ""
    for name, doc in read_documents(lines):
        finder(name, doc)
        if name == "event_page":
            columns = (doc["data"][f"mortal_raw_{key}"] for key in ("template", "first", "count"))
            for template, first, count in zip(*columns, strict=True):
                named += [template.format(index) for index in range(first, first + count)]
        elif name == "stop":
            status = doc["exit_status"]
    assert len(named) == len(set(named))
    left = finder.found()
    return (
        set(named),
        {file.path.name for file in left if file.complete},
        {file.path.name for file in left},
        status,
    )


@pytest.mark.timeout(240 + 120 * RESTARTS)
def test_every_complete_file_is_in_a_run_or_told_as_left_over(
    beamline: Any,
    run_iocs: Any,
    detector: TimePix3Detector,
    engine: Any,
    tmp_path: Path,
    wait_until: Callable[..., None],
) -> None:
    chance = random.Random(11)
    arguments = (
        "detector",
        "--fast",
        f"--port={beamline.spare_ports[1]}",
        "--detector-prefix=FALLING:",
        f"--beamline=127.0.0.1:{beamline.ports.beamline}",
    )

    def frames() -> Any:
        body = say_why(fly_frames(detector, flush_s=0.1))
        return (yield from bpp.stage_wrapper(bpp.run_wrapper(body), [detector]))

    counts = dict.fromkeys(("failed", "on disk", "named", "left over", "maybe cut"), 0)
    away_s: list[float] = []
    errors: list[str] = []
    uids: list[str] = []
    with open_catalog(tmp_path / "catalog") as catalog, RunWriter(catalog) as writer:
        engine.subscribe(writer)
        engine.subscribe(lambda name, doc: uids.append(doc["uid"]), "start")
        for number in range(RESTARTS + 1):
            folder = tmp_path / "raw" / f"{number:03d}"
            detector.raw_folder.put(str(folder))
            with run_iocs(*arguments) as (process, _):
                ready_s = time.monotonic()
                if not number:
                    connect(detector, timeout_s=60.0)
                wait_until(lambda: detector.cam.connected, 60.0, "the detector is back")
                away_s.append(time.monotonic() - ready_s)
                if number == RESTARTS:
                    done = engine(frames())
                    assert done.exit_status == "success"
                    break
                after, then_s = chance.randrange(FRAMES), 0.1 * chance.random()
                killer = threading.Thread(
                    target=_kill_after_file, args=(process, folder, after, then_s), name="killer"
                )
                killer.start()
                with pytest.raises(BeamlineError, match="FALLING:") as caught:
                    engine(frames())
                killer.join(60.0)
                errors.append(str(caught.value))
            assert engine.state == "idle"
            assert detector._staged.value == "no"
            counts["failed"] += 1
        writer.join()
        assert len(uids) == RESTARTS + 1
        for number, uid in enumerate(uids):
            named, complete, left, status = files_of(writer.path(uid))
            on_disk = {path.name for path in (tmp_path / "raw" / f"{number:03d}").glob("*.tpx3")}
            assert status == ("success" if number == RESTARTS else "fail")
            assert named | left == on_disk
            assert not named & left
            assert len(left - complete) <= 1  # the one that was being written
            counts["on disk"] += len(on_disk)
            counts["named"] += len(named)
            counts["left over"] += len(complete)
            counts["maybe cut"] += len(left - complete)
            stop = catalog.raw[uid].stop
            assert (status == "success") or "FALLING:" in stop["reason"]
            ingest(catalog, writer.path(uid), replace=True)
    assert counts["named"] + counts["left over"] + counts["maybe cut"] == counts["on disk"]
    assert counts["failed"] == RESTARTS
    print(f"\n{RESTARTS} kills: {counts}; found again after {max(away_s[1:]):.1f} s at most")
    for error in sorted({error.partition(";")[0] for error in errors}):
        print(f"  {error}")


def _kill_after_file(process: Any, folder: Path, index: int, then_s: float) -> None:
    """Kill the IOC a moment after it has begun a file."""
    deadline = time.monotonic() + 50.0
    while time.monotonic() < deadline and not any(folder.glob(f"*_{index:06d}.tpx3")):
        time.sleep(0.005)
    time.sleep(then_s)
    process.kill()

"""Raw files that are cut, deleted or moved while a run goes on: told, counted, and mended."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from measurements import TEMPLATE, Measurement, Service

from twinbeam.live import CoincidenceCallback, Update
from twinbeam.pipeline import Result, process
from twinbeam.replay import replay_jsonl
from twinbeam.store import Relocations

Start = Callable[..., Service]
Measure = Callable[..., Measurement]


def name_next(run: Measurement, n_bytes: int) -> None:
    """The event that names the next file, whatever has become of it."""
    data = {
        "tpx_raw_uri": run.folder.as_uri() + "/",
        "tpx_raw_template": TEMPLATE,
        "tpx_raw_first": run.n_frames,
        "tpx_raw_count": 1,
        "tpx_raw_bytes": n_bytes,
    }
    run.n_frames += 1
    run._keep("event", run._compose_event(data=data, timestamps=dict.fromkeys(data, time.time())))


def final(one: Service, run: Measurement) -> Update:
    """The last result of a run, and that it is told."""
    update = one.link.wait_final(run.uid, 200.0)
    assert update is not None
    assert update.final
    ledger = update.summary["ledger"]
    for stage in ledger.values():
        assert stage["in"] == stage["used"] + sum(stage["rejected"].values()) + stage["dropped"]
    return update


def analysed(lines: Path, relocations: Relocations) -> Result:
    """The result of JSON lines."""
    callback = CoincidenceCallback(relocations=relocations)
    try:
        replay_jsonl(lines, callback)
    finally:
        callback.close()
    assert callback.result is not None
    return callback.result


@pytest.mark.timeout(600)
def test_what_became_of_raw_files_is_told_and_the_rest_is_in_the_result(
    service: Start, measure: Measure, wait_until: Callable[..., None]
) -> None:
    one = service().warm()

    # cut while it is read: the bytes that were read and are gone are no part of the result
    run = measure(one.link)
    run.end_frame()
    run.write(0.9, steps=3, wait_s=0.1)
    in_one = process(run.paths).n_hits
    wait_until(
        lambda: (now := one.link.of(run.uid)) is not None and now.summary["hits"] > in_one, 200.0
    )
    left = run.path(1).stat().st_size // 3 // 8 * 8
    os.truncate(run.path(1), left)
    name_next(run, left)
    run.all()
    cut = final(one, run)
    assert one.done(run) == process(run.paths).digest()
    assert (cut.health.files_read, cut.health.files_failed) == (8, 0)

    # deleted before its event names it
    run = measure(one.link)
    while run.n_frames < 4:
        run.end_frame()
    run.write()
    size = run.path(4).stat().st_size
    run.path(4).unlink()
    name_next(run, size)
    run.all()
    gone = final(one, run)
    there = [path for path in run.paths if path.exists()]
    assert one.done(run) == process(there).digest()
    assert (len(there), gone.health.files_read, gone.health.files_failed) == (7, 7, 1)
    assert gone.health.state == "damaged"
    assert any(str(run.path(4)) in problem for problem in gone.health.problems)

    # moved away in the middle of the run, with what is written from then on
    run = measure(one.link)
    while run.n_frames < 4:
        run.end_frame()
    wait_until(
        lambda: (now := one.link.of(run.uid)) is not None and now.health.files_read == 4, 200.0
    )
    new = run.folder.with_name("moved")
    run.folder.rename(new)
    for number in range(4, 8):
        (new / TEMPLATE.format(number)).write_bytes(run._frames[number])
        name_next(run, len(run._frames[number]))
    run.stop()
    moved = final(one, run)
    assert (moved.health.files_named, moved.health.files_failed) == (8, 4)
    assert moved.health.state == "damaged"
    assert any(str(run.path(4)) in problem for problem in moved.health.problems)
    paths = [new / TEMPLATE.format(number) for number in range(8)]
    again = analysed(run.lines, Relocations(((run.folder, new),)))
    assert again.digest() == process(paths).digest()
    assert again.ledger.closes

    # and the next run is as ever
    run = measure(one.link)
    run.all()
    assert one.digest(run) == process(run.paths).digest()
    assert final(one, run).health.state == "complete"
    assert one.process.running
    print("\ncut: 8 of 8 files as they are; deleted: 7 of 8, 1 told; moved: 4 told, 8 after that")

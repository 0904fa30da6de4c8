"""Run after run through the live service: its memory does not grow with what it has processed.

`TWINBEAM_SOAK_S` says how long, in seconds; by default a few seconds, in which a leak of every
block or every run would show. Runs are as short as they can be, so that each second holds as many
starts, results and ends as hours of a beamtime.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from measurements import Measurement, Service

from twinbeam.pipeline import process
from twinbeam.simulate import PRESETS, simulate

SOAK_S = float(os.environ.get("TWINBEAM_SOAK_S", "6"))
FILES = 8  # acquisitions in a run
WARM_RUNS = 2  # what is imported, compiled and allocated once
SETTLING_MB = 160.0  # until the allocator has what it needs; that takes some ten runs
LEAK_MB = 48.0  # what it may keep more or less from one look to the next
LEAK_MB_PER_GHIT = 20.0


def rss_mb(pid: int) -> float:
    """Memory of a process that is in RAM, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return 1e-6 * pages * os.sysconf("SC_PAGE_SIZE")


def one_run(root: Path, one: Service, raw: Path) -> Measurement:
    """A run of several acquisitions, all of the same bytes."""
    run = Measurement(root, [], one.link, expected=False)
    for number in range(FILES):
        template = f"part{number:04d}_{{:06d}}.tpx3"
        os.link(raw, run.folder / template.format(0))
        data: dict[str, Any] = {
            "tpx_raw_uri": run.folder.as_uri() + "/",
            "tpx_raw_template": template,
            "tpx_raw_first": 0,
            "tpx_raw_count": 1,
            "tpx_raw_bytes": raw.stat().st_size,
        }
        stamps = dict.fromkeys(data, time.time())
        run._keep("event", run._compose_event(data=data, timestamps=stamps))
    run.stop()
    return run


@pytest.mark.timeout(int(SOAK_S) + 280)
def test_memory_does_not_grow_with_what_was_processed(
    service: Callable[..., Service], tmp_path: Path
) -> None:
    raw = tmp_path / "raw.tpx3"
    simulate(raw, seconds=0.4, parameters=PRESETS["benchmark"])
    one = service(options={"checkpoint": "1"}).warm()
    pid = one.process.pid
    looks: list[tuple[float, float]] = []  # hits so far in 10⁹, MB
    digests: set[str] = set()
    hits = 0
    begun = time.monotonic()
    while len(looks) < WARM_RUNS + 3 or time.monotonic() - begun < SOAK_S:
        run = one_run(tmp_path, one, raw)
        update = one.link.wait_final(run.uid, 240.0)
        assert update is not None
        assert update.final
        assert (update.health.files_read, update.health.problems) == (FILES, ())
        for name, stage in update.summary["ledger"].items():
            rest = sum(stage["rejected"].values()) + stage["dropped"] + stage["held"]
            assert stage["in"] == stage["used"] + rest, name
        hits += update.summary["hits"]
        digests.add(one.done(run))
        looks.append((1e-9 * hits, rss_mb(pid)))
        for path in run.folder.iterdir():
            path.unlink()
        run.lines.unlink()
    seconds = time.monotonic() - begun
    assert one.process.pid == pid
    assert len(digests) == 1  # the same bytes gave the same result every time
    ghit, mb = np.array(looks[WARM_RUNS:]).T
    later = slice(len(ghit) // 2, None)  # when the allocator has what it needs
    slope = float(np.polyfit(ghit[later], mb[later], 1)[0])
    n_hits = process([raw]).n_hits
    assert hits == len(looks) * FILES * n_hits
    print(
        f"\n{len(looks)} runs, {1e-9 * hits:.3f} Ghit in {seconds:.0f} s "
        f"({1e-6 * hits / seconds:.1f} Mhit/s): RSS {mb[0]:.0f} → {mb[-1]:.0f} MB, "
        f"slope of the later half {slope:+.1f} MB/Ghit; by tenths "
        + " ".join(f"{part.mean():.0f}" for part in np.array_split(mb, min(10, len(mb))))
    )
    assert mb.max() - mb[0] < SETTLING_MB
    grown = slope * float(np.ptp(ghit[later]))
    assert grown < LEAK_MB + LEAK_MB_PER_GHIT * float(np.ptp(ghit[later]))

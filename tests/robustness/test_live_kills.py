"""Kill -9 of the live service at random moments: nothing that reached the disk is lost."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable

import pytest
from measurements import Measurement, Service

from twinbeam.pipeline import process

KILLS = 20


@pytest.mark.timeout(600)
def test_twenty_kills_change_nothing(
    service: Callable[..., Service], measure: Callable[..., Measurement]
) -> None:
    chance = random.Random(20)
    # it is to be started again however often it dies
    one = service(options={"checkpoint": "0.1"}, restarts=2 * KILLS)
    kills = 0
    runs: list[Measurement] = []
    while kills < KILLS:
        run = measure(one.link)
        runs.append(run)
        for _ in range(8):
            run.write(chance.random(), steps=3, wait_s=0.02)
            if kills < KILLS:
                # also while it starts, and while it catches up what the kill before left
                time.sleep(chance.random() ** 2)
                pid = one.process.pid
                os.kill(pid, signal.SIGKILL)
                kills += 1
                deadline = time.monotonic() + 60.0
                while one.process.pid == pid:
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
            run.end_frame()
        run.stop()
    for run in runs:
        expected = process(run.paths)
        assert one.done(run, 120.0) == expected.digest()
        assert expected.ledger.closes
    checkpoints = sorted(path.name for path in one.state.glob("*.checkpoint"))
    assert checkpoints == []
    assert len(list(one.state.glob("*.done"))) == len(runs) == 3

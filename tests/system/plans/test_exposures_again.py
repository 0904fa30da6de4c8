"""An exposure is made again when its frames were dropped, and not when somebody paused."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from bluesky import RunEngine
from bluesky.utils import RunEngineInterrupted
from ophyd import EpicsSignal

from twinbeam.devices import Beamline
from twinbeam.plans import count_pairs, find_hot_pixels

PATIENCE_S = 60.0


def exposures(documents: list[Any]) -> list[str]:
    """Templates of the raw files that events name."""
    return [doc["data"]["tpx3_raw_template"] for name, doc in documents if name == "event"]


def test_a_pause_while_the_shutter_closes_exposes_nothing_again(
    bench: Beamline, engine: RunEngine, documents: list[Any]
) -> None:
    threads: list[threading.Thread] = []

    def hook(message: Any) -> None:
        if message.command == "set" and message.obj is bench.shutter and "closed" in message.args:
            threads.append(threading.Thread(target=engine.request_pause))
            threads[-1].start()

    engine.msg_hook = hook
    plan = count_pairs(bench.detector, bench.shutter, bragg_deg=11.576, seconds=0.5)
    try:
        with pytest.raises(RunEngineInterrupted):
            engine(plan)
    finally:
        engine.msg_hook = None
        for thread in threads:
            thread.join(PATIENCE_S)
    ended = engine.resume()
    assert len(exposures(documents)) == 1
    assert ended.plan_result.numbers.photons > 0
    assert documents[-1][1]["num_events"] == {"primary": 1}


@pytest.mark.timeout(180)
def test_an_exposure_with_dropped_frames_is_made_again(
    bench: Beamline,
    engine: RunEngine,
    documents: list[Any],
    beamline: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    patience = bench.detector.patience
    bench.detector.patience = patience.model_copy(update={"files_s": 2.0})
    fault = EpicsSignal(f"{beamline.prefixes.detector}SIM:DropEvery", name="fault")
    fault.wait_for_connection(timeout=PATIENCE_S)
    fault.put(2, wait=True)
    triggers: list[Any] = []

    def hook(message: Any) -> None:
        if message.command == "trigger":
            triggers.append(message)
            fault.put(2 if len(triggers) == 1 else 0, wait=True)

    engine.msg_hook = hook
    try:
        plan = find_hot_pixels(bench.detector, bench.shutter, seconds=0.6, frame_s=0.2)
        engine(plan)
    finally:
        engine.msg_hook = None
        fault.put(0, wait=True)
        fault.destroy()
        bench.detector.patience = patience
    assert len(triggers) == 2
    assert len(exposures(documents)) == 1
    assert "dropped frames, time 1 of 3" in capsys.readouterr().err

"""Plans that look at live results, and a beam that goes away, on the simulated beamline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bluesky import RunEngine
from bluesky.utils import RunEngineInterrupted
from event_model import unpack_event_page
from ophyd import EpicsSignal

from twinbeam.devices import Beamline
from twinbeam.live import CoincidenceCallback
from twinbeam.plans import (
    collect_pairs,
    count_pairs,
    detuning_scan,
    find_bragg,
    find_hot_pixels,
    live_results,
    mosaic_map,
    rocking_curve,
    suspend_on_beam_loss,
)

BRAGG_DEG = 11.576
PATIENCE_S = 60.0


@pytest.fixture
def live(engine: RunEngine) -> Iterator[CoincidenceCallback]:
    """The live analysis of the engine's runs, in this process."""
    callback = CoincidenceCallback()
    engine.subscribe(callback)
    yield callback
    callback.close()
    assert callback.errors == []


def starts(documents: list[Any]) -> list[dict[str, Any]]:
    return [doc for name, doc in documents if name == "start"]


def first_frames(documents: list[Any]) -> list[int]:
    """Index in its acquisition of every frame, in order."""
    return [
        event["data"]["tpx3_raw_first"]
        for name, doc in documents
        if name == "event_page"
        for event in unpack_event_page(doc)
    ]


def test_a_quick_look(bench: Beamline, engine: RunEngine, documents: list[Any]) -> None:
    bench.goniometer.theta.set(BRAGG_DEG + 0.040).wait(20)
    plan = count_pairs(bench.detector, bench.shutter, bragg_deg=BRAGG_DEG, seconds=2.0)
    result = engine(plan).plan_result
    live = result.numbers
    assert live.significance > 5.0
    assert live.detuning_deg == pytest.approx(0.040, abs=6 * live.detuning_err_deg)
    start = starts(documents)[0]
    assert start["plan_name"] == "count_pairs"
    assert start["recipe_hash"]
    assert set(start["versions"]) >= {"twinbeam", "bluesky", "ophyd"}
    assert {"Epump", "dd", "theta", "del_theta", "x_cen", "y_cen", "geometry"} <= set(start)


def test_a_collection_ends_when_there_are_enough_pairs(
    bench: Beamline, engine: RunEngine, documents: list[Any], live: CoincidenceCallback
) -> None:
    plan = collect_pairs(
        bench.detector,
        bench.shutter,
        bench.goniometer.theta,
        seconds=600.0,
        frame_s=0.25,
        bragg_deg=BRAGG_DEG,
        recipe_md={},
        results=live_results(live),
        stop_pairs=60.0,
        flush_s=0.2,
        final_s=PATIENCE_S,
    )
    result = engine(plan).plan_result
    assert "net pairs" in result.why
    assert result.frames < 2400
    assert result.numbers.final
    assert result.numbers.run == result.run_uid
    assert result.numbers.net > 50.0
    assert documents[-1][1]["exit_status"] == "success"


def test_detunings_are_compared(
    bench: Beamline, engine: RunEngine, documents: list[Any], live: CoincidenceCallback
) -> None:
    theta = bench.goniometer.theta
    plan = detuning_scan(
        bench.detector,
        bench.shutter,
        theta,
        results=live_results(live),
        bragg_deg=BRAGG_DEG,
        detunings_deg=[0.030, 0.040],
        seconds=60.0,
        relative_error=0.2,
        frame_s=0.5,
        flush_s=0.2,
        final_s=PATIENCE_S,
        go=True,
    )
    result = engine(plan).plan_result
    for step in result.steps:
        numbers = step.numbers
        assert numbers.final
        assert numbers.relative_error < 0.3
        measured, error = numbers.detuning_deg, numbers.detuning_err_deg
        assert measured == pytest.approx(step.detuning_deg, abs=6.0 * error)
    assert result.best_deg in (0.030, 0.040)
    assert theta.position == pytest.approx(BRAGG_DEG + result.best_deg, abs=2e-6)
    runs = starts(documents)
    assert [run["plan_name"] for run in runs] == ["collect_pairs"] * 2 + ["detuning_scan"]
    assert [run["uid"] for run in runs[:2]] == runs[2]["steps"]
    assert len({run["scan_group"] for run in runs}) == 1
    rows = [doc["data"] for name, doc in documents if name == "event"][-2:]
    assert [row["detuning_detuning_deg"] for row in rows] == [0.030, 0.040]


def test_a_beam_dump_pauses_and_resumes_by_itself(
    bench: Beamline,
    engine: RunEngine,
    documents: list[Any],
    beamline: Any,
    wait_until: Any,
    meanwhile: Callable[[Callable[[], None]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    setpoint = EpicsSignal(f"{beamline.prefixes.beamline}Ring-I-SP", name="setpoint")
    setpoint.wait_for_connection(timeout=PATIENCE_S)
    full_ma = float(setpoint.get())
    suspender = suspend_on_beam_loss(bench.ring, bench.detector, below_ma=100.0, settle_s=0.1)
    engine.install_suspender(suspender)
    dumped = threading.Event()

    def dump() -> None:
        wait_until(lambda: len(first_frames(documents)) >= 2, PATIENCE_S)
        setpoint.put(0.0)
        wait_until(lambda: suspender.tripped, PATIENCE_S)
        wait_until(lambda: bench.detector.cam.acquire.get() == 0, PATIENCE_S)
        dumped.set()
        setpoint.put(full_ma)

    meanwhile(dump)
    plan = collect_pairs(
        bench.detector,
        bench.shutter,
        seconds=5.0,
        frame_s=0.25,
        bragg_deg=BRAGG_DEG,
        ring=bench.ring,
        flush_s=0.1,
    )
    try:
        result = engine(plan).plan_result
    finally:
        setpoint.put(full_ma)
        engine.remove_suspender(suspender)
        setpoint.destroy()
    assert dumped.is_set()
    assert result.frames == 20
    assert len(result.acquisitions) == 2
    first, second = result.acquisitions
    assert first_frames(documents) == [*range(first.frames), *range(second.frames)]
    assert first.raw_template != second.raw_template
    assert documents[-1][1]["exit_status"] == "success"
    assert "the beam is lost" in capsys.readouterr().out


def test_hot_pixels_need_no_light(bench: Beamline, engine: RunEngine) -> None:
    result = engine(find_hot_pixels(bench.detector, bench.shutter, seconds=1.0)).plan_result
    assert result.pixels == ()
    assert result.left_hz < 200.0


def test_a_map_goes_to_its_narrowest_place(bench: Beamline, engine: RunEngine) -> None:
    gonio = bench.goniometer
    try:
        plan = mosaic_map(
            bench.monitor,
            gonio.theta,
            gonio.x,
            gonio.y,
            bragg_deg=BRAGG_DEG,
            x_centre=0.3,
            x_half=0.3,
            y_half=0.0,
            pitch=0.3,
            num=11,
            refinements=0,
            count_s=0.01,
            shutter=bench.shutter,
        )
        result = engine(plan).plan_result
        assert [spot.problem for spot in result.spots] == ["", "", ""]
        best = result.best
        assert best.fwhm_mdeg == min(spot.fwhm_mdeg for spot in result.spots)
        assert gonio.x.position == pytest.approx(best.x, abs=1e-3)
        assert gonio.theta.position == pytest.approx(best.bragg_deg, abs=2e-6)
        assert gonio.bragg.get() == best.bragg_deg, "detuning counts from the curve of this place"
        assert f"y = {best.y:.4g} mm" in str(result)
        # another curve at that place says the same
        again = rocking_curve(
            bench.monitor, gonio.theta, centre_deg=best.bragg_deg, num=21, shutter=bench.shutter
        )
        curve = engine(again).plan_result
        errors_deg = curve.centre_err_deg + best.bragg_err_deg
        assert curve.centre_deg == pytest.approx(best.bragg_deg, abs=5.0 * errors_deg)
        errors_mdeg = curve.fwhm_err_mdeg + best.fwhm_err_mdeg
        assert curve.fwhm_mdeg == pytest.approx(best.fwhm_mdeg, abs=5.0 * errors_mdeg)
    finally:
        gonio.x.set(0.0).wait(20)
        gonio.y.set(0.0).wait(20)


def interrupted_at(engine: RunEngine, plan: Any, index: int) -> bool:
    """Ctrl-C twice and RE.abort() at the message with this index; False if it ended before."""
    count = iter(range(10**9))
    threads: list[threading.Thread] = []

    def pause() -> None:
        if engine.state == "running":
            engine.request_pause()

    def hook(_: Any) -> None:
        if next(count) == index:
            threads.append(threading.Thread(target=pause))
            threads[-1].start()

    engine.msg_hook = hook
    try:
        engine(plan)
    except RunEngineInterrupted:
        engine.abort("test")
        return True
    finally:
        engine.msg_hook = None
        for thread in threads:
            thread.join(PATIENCE_S)
    return False


@pytest.mark.parametrize("name", ["find_bragg", "collect_pairs"])
def test_an_interruption_anywhere_leaves_the_beamline_safe(
    bench: Beamline, engine: RunEngine, documents: list[Any], name: str
) -> None:
    def plan() -> Any:
        if name == "find_bragg":
            return find_bragg(
                bench.monitor,
                bench.goniometer.theta,
                span_deg=0.01,
                centre_deg=BRAGG_DEG,
                count_s=0.002,
                shutter=bench.shutter,
            )
        return collect_pairs(
            bench.detector,
            bench.shutter,
            seconds=0.2,
            frame_s=0.1,
            bragg_deg=BRAGG_DEG,
            flush_s=0.1,
        )

    last = 25 if name == "collect_pairs" else 120
    count_s = bench.monitor.count_time.get()
    for index in range(3, last, last // 5):
        # an interruption of the very message that restores it leaves it to the next
        bench.monitor.count_time.put(count_s)
        documents.clear()
        interrupted = interrupted_at(engine, plan(), index)
        assert bench.shutter.status.get(use_monitor=False) == "Closed", index
        assert bench.detector.cam.acquire.get(use_monitor=False) == 0, index
        assert bench.detector._staged.value == "no", index
        assert bench.monitor._staged.value == "no", index
        kinds = [kind for kind, _ in documents]
        assert kinds.count("start") == kinds.count("stop"), index
        if interrupted and documents:
            assert documents[-1][1]["exit_status"] in ("abort", "success"), index
    bench.monitor.count_time.put(count_s)

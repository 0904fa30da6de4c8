"""Each fault does what it says, and is over when it is switched off."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from sim_iocs.serval import (
    Destination,
    DetectorConfig,
    Faults,
    ImageChannel,
    RawChannel,
    Recording,
    Rest,
    Serval,
)
from twinbeam.tpx3 import Decoder, Note, WordKind, read_hits

LONG = DetectorConfig(exposure_s=0.02, period_s=0.02, global_time_s=0.02)


async def _begin(serval: Serval, folder, split: bool = True) -> None:
    channel = RawChannel(f"file:{folder}", "a_", split_frames=split)
    assert (await serval.put_destination(Destination(raw=(channel,)))).ok
    assert (await serval.start()).ok


async def _codes(serval: Serval) -> dict[str, int]:
    rest = Rest(serval)
    paths = ("/dashboard", "/detector/config", "/server/destination", "/measurement/stop")
    return {path: (await rest.request("GET", path)).code for path in paths}


def test_serval_down_answers_nothing_ends_the_run_and_forgets(with_serval, until, tmp_path):
    async def work(serval: Serval):
        await _begin(serval, tmp_path, split=False)
        await until(lambda: serval.measurement.frames > 3)
        serval.faults.serval_down = True
        down = await _codes(serval)
        await until(lambda: serval.status == "DA_IDLE")
        problem = serval.measurement.problem
        serval.faults.serval_down = False
        up = await _codes(serval)
        return down, problem, up, serval.config, (await serval.start()).text

    down, problem, up, config, said = with_serval(work, config=LONG)
    assert set(down.values()) == {0}
    assert problem == "Serval is gone"
    assert up["/dashboard"] == up["/detector/config"] == 200
    assert up["/server/destination"] == 409
    assert config == DetectorConfig()
    assert said == "Destination is not set."
    # what was written until then is there, without the word of the closing shutter
    decoder = Decoder()
    decoder.feed((tmp_path / "a_000000.tpx3").read_bytes())
    assert decoder.census().n_hits > 100
    assert decoder.census().count(WordKind.SHUTTER_CLOSE) == 0


def test_slow_answers_come_late(with_serval):
    async def work(serval: Serval):
        serval.faults.slow_s = 0.3
        began = time.monotonic()
        codes = await _codes(serval)
        return codes, time.monotonic() - began

    codes, took_s = with_serval(work)
    assert codes["/dashboard"] == 200
    assert took_s >= 1.2


def test_lost_detector_leaves_serval_answering(with_serval, until, tmp_path):
    async def work(serval: Serval):
        await _begin(serval, tmp_path)
        await until(lambda: serval.measurement.frames > 1)
        serval.faults.detector_lost = True
        await until(lambda: serval.status == "DA_IDLE")
        rest = Rest(serval)
        dashboard = (await rest.request("GET", "/dashboard")).body
        detector, start = await rest.request("GET", "/detector"), await serval.start()
        problem = serval.measurement.problem
        serval.faults.clear()
        assert (await serval.start()).ok
        return dashboard, detector, start, problem

    dashboard, detector, start, problem = with_serval(work, config=LONG)
    assert dashboard["Detector"] is None
    assert dashboard["Measurement"]["Status"] == "DA_IDLE"
    assert detector.code == start.code == 503
    assert detector.text == "Detector is not connected."
    assert problem == "Detector disconnected"


@pytest.mark.parametrize("code", [400, 409, 500])
def test_named_request_is_refused_with_plain_text(with_serval, code):
    async def work(serval: Serval):
        rest = Rest(serval)
        serval.faults.refuse["PUT /detector/config"] = (code, "No.")
        refused = await rest.request("PUT", "/detector/config", body='{"nTriggers": 3}')
        held, other = serval.config, await rest.request("GET", "/detector/config")
        serval.faults.refuse["*"] = (500, "Nothing.")
        every = await _codes(serval)
        serval.faults.refuse.clear()
        after = await rest.request("PUT", "/detector/config", body='{"nTriggers": 3}')
        return refused, held, other.code, every, after.code

    refused, held, other, every, after = with_serval(work)
    assert (refused.code, refused.text, refused.body) == (code, "No.", None)
    assert held.n_triggers == 4
    assert other == after == 200
    assert set(every.values()) == {500}


def test_refused_start(with_serval, tmp_path):
    async def work(serval: Serval):
        serval.faults.start_refused = True
        channel = RawChannel(f"file:{tmp_path}", "a_")
        await serval.put_destination(Destination(raw=(channel,)))
        refused = await serval.start()
        serval.faults.start_refused = False
        return refused, serval.status, (await serval.start()).code

    refused, status, code = with_serval(work, config=LONG)
    assert (refused.code, status, code) == (409, "DA_IDLE", 200)


def test_failed_stop_leaves_it_running(with_serval, until, tmp_path):
    async def work(serval: Serval):
        await _begin(serval, tmp_path)
        await until(lambda: serval.status == "DA_RECORDING")
        serval.faults.stop_fails = True
        reply, frames = await serval.stop(), serval.measurement.frames
        await until(lambda: serval.measurement.frames > frames + 2)
        serval.faults.stop_fails = False
        return reply, (await serval.stop()).code, serval.status

    reply, code, status = with_serval(work, config=LONG)
    assert reply.code == 500
    assert (code, status) == (200, "DA_IDLE")


def test_lost_in_the_middle_of_a_run(with_serval, until, tmp_path):
    async def work(serval: Serval):
        serval.faults.lost_after_s = 0.2
        await _begin(serval, tmp_path)
        codes = {(await Rest(serval).request("GET", "/dashboard")).code}
        await until(lambda: serval.status == "DA_IDLE")
        codes.add((await Rest(serval).request("GET", "/dashboard")).code)
        return codes, serval.faults.serval_down, serval.measurement.elapsed_s

    codes, down, elapsed_s = with_serval(work, config=LONG)
    assert codes == {200, 0}
    assert down
    assert 0.2 <= elapsed_s < 0.3


@pytest.mark.parametrize("every", [True, False])
def test_port_in_use(with_serval, free_port, every):
    port = free_port()

    async def work(serval: Serval):
        serval.faults.port_in_use.add(-1 if every else port)
        channel = ImageChannel(f"tcp://listen@localhost:{port}")
        await serval.put_destination(Destination(preview=(channel,)))
        refused, said = await serval.start(), list(serval.notifications)
        serval.faults.port_in_use.clear()
        return refused, said, (await serval.start()).code

    refused, said, code = with_serval(work, config=LONG, moves_busy_ports=True)
    assert refused.code == 400
    assert "Address already in use" in refused.text
    assert said[0]["Message"] == refused.text
    assert code == 200


@pytest.mark.parametrize("stops", [True, False])
def test_disk_limit(with_serval, until, tmp_path, stops):
    async def work(serval: Serval):
        raw = RawChannel(f"file:{tmp_path}", "a_")
        image = ImageChannel("http://localhost", stop_on_disk_limit=stops)
        await serval.put_destination(Destination(raw=(raw,), image=(image,)))
        await serval.start()
        await until(lambda: serval.measurement.frames > 2)
        before = (await Rest(serval).request("GET", "/dashboard")).body["Server"]["DiskSpace"]
        serval.faults.disk_limit = True
        frames = serval.measurement.frames
        await until(lambda: serval.status == "DA_IDLE" or serval.measurement.frames > frames + 5)
        after = (await Rest(serval).request("GET", "/dashboard")).body["Server"]["DiskSpace"]
        return before[0], after[0], serval.status, serval.measurement.problem

    before, after, status, problem = with_serval(work, config=LONG)
    assert before["Path"] == after["Path"] == str(tmp_path)
    assert before["FreeSpace"] > 0
    assert before["WriteSpeed"] > 1000
    assert (before["DiskLimitReached"], after["DiskLimitReached"]) == (False, True)
    assert (status == "DA_IDLE") is stops
    assert problem == ("Disk limit reached" if stops else None)


def test_dropped_frames_reach_nobody_and_are_counted(with_serval, until, tmp_path):
    async def work(serval: Serval):
        serval.faults.drop_every = 3
        await _begin(serval, tmp_path)
        await until(lambda: serval.status == "DA_IDLE")
        return serval.measurement, (await Rest(serval).request("GET", "/measurement")).body["Info"]

    config = DetectorConfig(exposure_s=0.02, period_s=0.02, n_triggers=9)
    run, info = with_serval(work, config=config)
    assert (run.frames, run.dropped_frames) == (6, 3)
    assert (info["FrameCount"], info["DroppedFrames"], info["TimeLeft"]) == (6, 3, 0.0)
    names = {path.name for path in tmp_path.glob("*.tpx3")}
    # the last bytes of the read-out come when the run is over, under the last frame
    assert {f"a_{n:06d}.tpx3" for n in (2, 5)} & names == set()
    assert {f"a_{n:06d}.tpx3" for n in (0, 1, 3, 4, 6, 7)} <= names


def test_wrong_readback(with_serval):
    async def work(serval: Serval):
        serval.faults.wrong_readback["ExposureTime"] = 9.0
        wrong = (await Rest(serval).request("GET", "/detector/config")).body
        serval.faults.clear()
        return wrong, (await Rest(serval).request("GET", "/detector/config")).body

    wrong, right = with_serval(work)
    assert (wrong["ExposureTime"], right["ExposureTime"]) == (9.0, 0.05)
    assert wrong["nTriggers"] == right["nTriggers"] == 4


async def _run(serval: Serval, folder, until) -> None:
    await _begin(serval, folder)
    await until(lambda: serval.status == "DA_IDLE")


def test_files_are_missing(with_serval, until, tmp_path):
    serval_hits = with_serval(
        lambda serval: _run_and_count(serval, tmp_path, until), faults=Faults(files="missing")
    )
    assert serval_hits > 1000
    assert list(tmp_path.glob("*.tpx3")) == []


async def _run_and_count(serval: Serval, folder, until) -> int:
    await _run(serval, folder, until)
    return serval.measurement.n_hits


def test_files_are_late(with_serval, until, tmp_path):
    async def work(serval: Serval):
        await _run(serval, tmp_path, until)
        at_end = list(tmp_path.glob("a_*.tpx3"))
        await until(lambda: len(list(tmp_path.glob("a_*.tpx3"))) == 4)
        return at_end, serval.measurement.n_hits

    at_end, n_hits = with_serval(work, faults=Faults(files="late", file_late_s=3.0))
    assert len(at_end) < 4
    assert len(read_hits(*sorted(tmp_path.glob("a_*.tpx3")))) == n_hits


def test_files_are_truncated(with_serval, until, tmp_path):
    serval_bytes = with_serval(
        lambda serval: _run_and_sum(serval, tmp_path, until), faults=Faults(files="truncated")
    )
    sizes = [path.stat().st_size for path in tmp_path.glob("a_*.tpx3")]
    assert len(sizes) == 4
    assert 0.5 * serval_bytes < sum(sizes) < 0.7 * serval_bytes
    assert all(size % 8 for size in sizes)


async def _run_and_sum(serval: Serval, folder, until) -> int:
    await _run(serval, folder, until)
    return serval.measurement.n_bytes


def _decoded(folder) -> tuple[Decoder, np.ndarray]:
    decoder = Decoder()
    t = decoder.feed((folder / "a_000000.tpx3").read_bytes()).t
    return decoder, t


@pytest.mark.parametrize("recorded", [False, True])
def test_clock_is_reset(with_serval, experiment, until, tmp_path, recorded):
    source = experiment(clock_start_s=100.0)
    if recorded:
        path = tmp_path / "recorded.tpx3"
        path.write_bytes(source.start() + source.advance(0.5) + source.stop())
        source = Recording(path, loop=True)

    async def work(serval: Serval):
        await _begin(serval, tmp_path, split=False)
        await until(lambda: serval.measurement.elapsed_s > 0.3)
        serval.faults.clock_reset = True
        await until(lambda: not serval.faults.clock_reset)
        reached_s = serval.measurement.elapsed_s
        await until(lambda: serval.measurement.elapsed_s > reached_s + 0.5)
        await serval.stop()

    with_serval(work, source=source, config=LONG)
    decoder, _ = _decoded(tmp_path)
    assert decoder.census().notes[Note.T0_RESET].count > 0
    assert decoder.census().n_hits > 1000


def test_heartbeats_are_missing(with_serval, until, tmp_path):
    async def work(serval: Serval):
        serval.faults.no_heartbeats = True
        await _begin(serval, tmp_path, split=False)
        await until(lambda: serval.measurement.elapsed_s > 0.3)
        await serval.stop()

    with_serval(work, config=LONG)
    census = _decoded(tmp_path)[0].census()
    assert census.n_hits > 1000
    for kind in (WordKind.GLOBAL_TIME_LOW, WordKind.GLOBAL_TIME_HIGH, WordKind.HEARTBEAT):
        assert census.count(kind) == 0


def test_faults_check_themselves():
    faults = Faults()
    with pytest.raises(ValueError, match="missing"):
        faults.files = "gone"
    with pytest.raises(AttributeError, match="no fault 'serval_gone'"):
        faults.serval_gone = True
    faults.serval_down, faults.files, faults.slow_s = True, "late", 1.0
    faults.refuse["*"] = (500, "No.")
    faults.clear()
    assert faults == Faults()
    assert faults.deaths == 1


def test_down_and_slow_together_take_their_time(with_serval):
    async def work(serval: Serval):
        serval.faults.slow_s, serval.faults.serval_down = 0.2, True
        began = time.monotonic()
        reply = await asyncio.wait_for(serval.stop(), 20)
        return reply.code, time.monotonic() - began

    code, took_s = with_serval(work)
    assert code == 0
    assert took_s >= 0.2

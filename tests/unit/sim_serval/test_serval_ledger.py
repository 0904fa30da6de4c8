"""Hits that are made go out or are counted as lost; a run that is late says so."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim_iocs.serval import Destination, DetectorConfig, RawChannel, Recording, Serval
from sim_iocs.serval.late_experiment import LateExperiment
from sim_iocs.serval.sensor_settings import sensor_state, threshold_shift_kev
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.simulate.sensor_state import SensorState
from twinbeam.tpx3 import Decoder, Note, read_hits

SHORT = DetectorConfig(exposure_s=0.05, period_s=0.05, n_triggers=6)
TURN_TICKS = 1 << 34


async def run(serval: Serval, folder: Path, until: Any) -> Any:
    channel = RawChannel(f"file:{folder}", "a_")
    assert (await serval.put_destination(Destination(raw=(channel,)))).ok
    assert (await serval.start()).ok
    await until(lambda: serval.status == "DA_IDLE")
    return serval.measurement


def test_all_hits_that_are_made_are_in_the_file(with_serval, until, experiment, tmp_path):
    made = with_serval(
        lambda serval: run(serval, tmp_path, until),
        source=experiment(background_rate_hz=5e5),
        config=SHORT,
    )
    assert made.problem is None
    assert made.n_made == made.n_hits == len(read_hits(tmp_path / "a_000000.tpx3")) > 10_000
    assert made.n_lost == 0


@pytest.mark.parametrize("recorded", [False, True])
def test_dropped_frames_and_masked_pixels_are_counted(
    with_serval, until, experiment, tmp_path, recorded
):
    source: Any = experiment(seed=4)
    if recorded:
        path = tmp_path / "recorded.tpx3"
        path.write_bytes(source.start() + source.advance(0.2) + source.stop())
        source = Recording(path, loop=True)
    pixels = np.zeros(4 * 65536, np.uint8)
    pixels[:65536] = 1
    (tmp_path / "mask.bpc").write_bytes(pixels.tobytes())

    async def work(serval: Serval) -> Any:
        assert (await serval.load("pixelconfig", str(tmp_path / "mask.bpc"))).ok
        serval.faults.drop_every = 3
        return await run(serval, tmp_path, until)

    made = with_serval(work, source=source, config=SHORT)
    hits = read_hits(tmp_path / "a_000000.tpx3")
    assert made.dropped_frames == 2
    assert len(hits) == made.n_hits > 1000
    assert not (hits.chip == 0).any()
    assert made.n_lost > made.n_made / 4
    assert made.n_made == made.n_hits + made.n_lost


class Sluggish(Experiment):
    """Takes longer for a slice than the slice lasts."""

    def advance(self, duration_s: float, *arguments: Any, **more: Any) -> bytes:
        time.sleep(0.6)
        return super().advance(duration_s, *arguments, **more)


def test_a_run_that_cannot_keep_up_says_so(with_serval, until, tmp_path):
    async def work(serval: Serval) -> Any:
        made = await run(serval, tmp_path, until)
        return made, [each["Message"] for each in serval.notifications]

    source = Sluggish(SimulationParameters(), seed=1)
    config = DetectorConfig(exposure_s=0.05, period_s=0.05, n_triggers=4)
    made, said = with_serval(work, source=source, config=config)
    assert made.most_lag_s > 1.0
    (message,) = said
    assert "behind real time" in message
    assert made.frames == 4, "late, but nothing is missing"


def test_after_a_clock_reset_times_begin_anew(with_serval, until, experiment, tmp_path):
    source = experiment(clock_start_s=15.0, background_rate_hz=1e5)

    async def work(serval: Serval) -> Any:
        channel = RawChannel(f"file:{tmp_path}", "a_")
        assert (await serval.put_destination(Destination(raw=(channel,)))).ok
        assert (await serval.start()).ok
        await until(lambda: serval.measurement.elapsed_s > 0.2)
        serval.faults.clock_reset = True
        await until(lambda: not serval.faults.clock_reset)
        reached_s = serval.measurement.elapsed_s
        await until(lambda: serval.measurement.elapsed_s > reached_s + 0.3)
        await serval.stop()
        return reached_s

    config = DetectorConfig(exposure_s=0.05, period_s=0.05, global_time_s=0.02)
    reached_s = with_serval(work, source=source, config=config)
    data = (tmp_path / "a_000000.tpx3").read_bytes()
    # the words themselves, without the decoder's knowledge of clocks
    words = np.frombuffer(data, "<u8")
    hits = words[words >> np.uint64(60) == 0xB]
    spidr = (hits & np.uint64(0xFFFF)).astype(np.int64)
    seconds = 409.6e-6 * spidr
    back = np.flatnonzero(np.diff(seconds) < -1.0)
    assert len(back) == 1, "one jump, and it goes back"
    assert seconds[: back[0]].min() > 14.9
    assert 15.0 < seconds[: back[0]].max() < 15.1 + reached_s
    assert seconds[back[0] + 1 :].max() < 2.0
    decoder = Decoder()
    assert len(decoder.feed(data)) > 1000
    assert decoder.census().notes[Note.T0_RESET].count > 0


def test_a_run_of_38_hours_is_one_clock(tmp_path):
    # a recording of 20 s that is looped: its clock goes on through 5096 turns of the counters
    quiet = {"background_rate_hz": 2.0, "pair_rate_hz": 0.0, "dark_rate_hz": 0.0, "sample": "none"}
    parameters = SimulationParameters(**quiet, global_time_s=5.0, heartbeat_s=20.0)
    experiment = Experiment(parameters, seed=1)
    path = tmp_path / "recorded.tpx3"
    path.write_bytes(experiment.start() + experiment.advance(20.0) + experiment.stop())
    recording = Recording(path, loop=True)
    decoder = Decoder()
    rounds = round(38 * 3600 / recording.duration_s) + 1
    parts = [
        decoder.feed(recording.advance(recording.duration_s * 57)).t for _ in range(rounds // 57)
    ]
    t_s = np.sort(np.concatenate(parts)) * 1.5625e-9
    assert t_s[0] < 1.0
    assert t_s[-1] == pytest.approx(recording.duration_s * 57 * (rounds // 57), abs=1.0)
    assert t_s[-1] > 38 * 3600
    assert np.diff(t_s).max() < 5.0, "no turn is missing and none is counted twice"
    a_round = len(parts[0]) // 57
    assert len(t_s) == pytest.approx(a_round * 57 * (rounds // 57), abs=a_round)


def test_a_late_experiment_is_the_same_experiment(tmp_path):
    parameters = SimulationParameters(background_rate_hz=2e5)
    late, plain = LateExperiment(parameters, 7), Experiment(parameters, seed=7)
    late.prepare()
    late.prepare()
    assert late.start() + late.advance(0.02) == plain.start() + plain.advance(0.02)
    other = LateExperiment(parameters, 7)
    other.parameters = parameters.model_copy(update={"distance_m": 0.6})
    other.start()
    assert other.parameters.distance_m == 0.6, "what the beamline said before counts"


def test_settings_as_serval_holds_them() -> None:
    assert threshold_shift_kev(216, 6, 216, 6) == 0.0
    assert threshold_shift_kev(116, 6, 216, 6) == pytest.approx(3.62)
    assert threshold_shift_kev(216, 5, 216, 6) == pytest.approx(5.792)
    off = DetectorConfig(bias_v=100, bias_on=False)
    shifts = (0.0, 0.0, 0.0, 0.0)
    assert sensor_state(DetectorConfig(), shifts, bias_was_on=False) == SensorState()
    assert sensor_state(off, shifts, bias_was_on=False) == SensorState()
    assert sensor_state(off, shifts, bias_was_on=True).bias_v == 0.0
    on = DetectorConfig(bias_v=60, bias_on=True)
    assert sensor_state(on, shifts, bias_was_on=True).bias_v == 60.0


def test_a_bias_that_is_switched_off_leaves_no_hits(with_serval, until, tmp_path, experiment):
    def counted(serval: Serval) -> Any:
        return run(serval, tmp_path, until)

    async def work(serval: Serval) -> list[int]:
        numbers = [(await counted(serval)).n_hits]
        for bias_on in (True, False, True):
            changed = {**serval.config.to_json(), "BiasVoltage": 100, "BiasEnabled": bias_on}
            assert (await serval.put_config(serval.config.with_json(changed))).ok
            numbers.append((await counted(serval)).n_hits)
        serval.chips.put_dacs(2, {"Vthreshold_coarse": 3})
        numbers.append((await counted(serval)).n_hits)
        return numbers

    unset, on, off, again, high = with_serval(work, source=experiment(), config=SHORT)
    assert min(unset, on, again) > 1000
    assert off == 0
    assert 0.6 * again < high < 0.9 * again

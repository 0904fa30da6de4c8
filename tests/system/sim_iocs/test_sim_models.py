"""The models behind the records, without Channel Access."""

from __future__ import annotations

import asyncio
import shutil

import numpy as np
import pytest

from sim_iocs.detector import Beam, Destination, DetectorConfig, RawChannel, Serval
from sim_iocs.detector.config import slices
from sim_iocs.detector.destination import expand_pattern
from sim_iocs.detector.preview import HitMap
from sim_iocs.detector.writer import RawWriter
from sim_iocs.network import Ports, client_environment, export_lines
from sim_iocs.records import Record, pair
from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.tpx3 import Decoder


def _run(folder, *, seed: int = 1, config: DetectorConfig | None = None) -> Serval:
    """Make one measurement and wait for its natural end."""

    async def measure() -> Serval:
        source = Experiment(SimulationParameters(), seed=seed)
        serval = Serval(source, Beam(detuning_deg=0.04, flux=1.0))
        wanted = config or DetectorConfig(exposure_s=0.1, period_s=0.1, n_triggers=2)
        assert serval.put_config(wanted).ok
        channel = RawChannel(f"file:{folder}", "a_", split_frames=True)
        assert serval.put_destination(Destination(raw=(channel,))).ok
        assert serval.start().ok
        while serval.status != "DA_IDLE":
            await asyncio.sleep(0.01)
        await serval.close()
        return serval

    return asyncio.run(measure())


def test_same_seed_and_states_give_the_same_bytes(tmp_path):
    contents = []
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        folder = tmp_path / name
        folder.mkdir()
        _run(folder, seed=seed)
        contents.append([path.read_bytes() for path in sorted(folder.glob("*.tpx3"))])
    assert len(contents[0]) == 2
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


def test_hit_count_is_that_of_the_files(tmp_path):
    serval = _run(tmp_path)
    decoder = Decoder()
    for path in sorted(tmp_path.glob("*.tpx3")):
        decoder.feed(path.read_bytes())
    assert decoder.census().n_hits == serval.measurement.n_hits > 1000


def test_lost_folder_ends_the_run_and_says_so(tmp_path):
    async def measure() -> Serval:
        folder = tmp_path / "lost"
        folder.mkdir()
        serval = Serval(Experiment(seed=1), Beam(detuning_deg=0.04, flux=1.0))
        serval.put_config(DetectorConfig(exposure_s=0.02, period_s=0.02))
        channel = RawChannel(f"file:{folder}", "a_", split_frames=True)
        serval.put_destination(Destination(raw=(channel,)))
        assert serval.start().ok
        while serval.measurement.frames < 3 and serval.measurement.problem is None:
            await asyncio.sleep(0.005)
        shutil.rmtree(folder)
        while serval.status != "DA_IDLE":
            await asyncio.sleep(0.005)
        await serval.close()
        return serval

    problem = asyncio.run(asyncio.wait_for(measure(), 20)).measurement.problem
    assert problem is not None
    assert str(tmp_path / "lost") in problem


def test_one_measurement_at_a_time(tmp_path):
    async def measure() -> list[int]:
        serval = Serval(Experiment(seed=1), Beam())
        serval.put_destination(Destination(raw=(RawChannel(f"file:{tmp_path}", "a_"),)))
        codes = [serval.start().code, serval.start().code]
        await serval.close()
        return codes

    assert asyncio.run(measure()) == [200, 409]


def test_raw_base_without_a_kind_is_refused():
    serval = Serval(Experiment(seed=1), Beam())
    reply = serval.put_destination(Destination(raw=(RawChannel("/data", "a_"),)))
    assert reply.code == 400
    assert "/data" in reply.text
    assert serval.destination is None


def test_continuous_frames_follow_without_a_gap():
    config = DetectorConfig(exposure_s=0.12, period_s=0.12, n_triggers=3)
    pieces = list(slices(config, 0.05))
    assert all(piece.shutter_open for piece in pieces)
    assert [piece.frame for piece in pieces] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert sum(piece.duration_s for piece in pieces) == pytest.approx(0.36)
    assert [piece.frame for piece in pieces if piece.ends_frame] == [0, 1, 2]


def test_triggered_frames_have_a_dark_gap_between_them():
    config = DetectorConfig("AUTOTRIGSTART_TIMERSTOP", 0.05, 0.08, 2)
    pieces = list(slices(config, 0.05))
    assert [piece.shutter_open for piece in pieces] == [True, False, True]
    assert pieces[1].duration_s == pytest.approx(0.03)
    assert sum(piece.ends_frame for piece in pieces) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"exposure_s": 10.5},
        {"exposure_s": 0.0},
        {"period_s": 51.0},
        {"bias_v": 200},
        {"trigger_delay_s": 1.5},
        {"global_time_s": 1e-4},
    ],
)
def test_configuration_out_of_bounds_is_refused(change):
    serval = Serval(Experiment(seed=1), Beam())
    before = serval.config
    assert serval.put_config(DetectorConfig(**change)).code == 400
    assert serval.config is before


def test_hit_map_counts_pixels_and_starts_anew():
    experiment = Experiment(SimulationParameters(background_rate_hz=1e5), seed=5)
    hit_map, decoder = HitMap(), Decoder()
    assert hit_map
    expected = np.zeros((512, 512), np.int32)
    for data in (experiment.start(), experiment.advance(0.1), experiment.stop()):
        hit_map.add(data)
        hits = decoder.feed(data)
        np.add.at(expected, (hits.y, hits.x), 1)
    assert expected.sum() > 5000
    assert np.array_equal(hit_map.take().reshape(512, 512), expected)
    assert not hit_map
    assert hit_map.take().sum() == 0


def test_writer_makes_a_file_for_a_frame_without_bytes(tmp_path):
    with RawWriter(tmp_path, "a_", split_frames=True) as writer:
        writer.write(0, b"12345678")
        writer.write(1, b"")
        writer.write(2, b"1234")
        writer.write(2, b"5678")
    sizes = [path.stat().st_size for path in sorted(tmp_path.iterdir())]
    assert sizes == [8, 0, 8]
    assert writer.n_bytes == 16


def test_date_codes_are_replaced():
    assert expand_pattern("plain_", 0.0) == "plain_"
    assert len(expand_pattern("raw%MdHms_", 0.0)) == len("raw_") + 10
    assert "%" not in expand_pattern("raw%MdHms_", 0.0)


def test_records_check_themselves():
    with pytest.raises(ValueError, match="no record type"):
        Record("X", "float")
    setpoint, readback = pair("X", "ao", 1.5, "Text", units="s")
    assert (setpoint.name, setpoint.kind, setpoint.read_only) == ("X", "ao", False)
    assert (readback.name, readback.kind, readback.read_only) == ("X_RBV", "ai", True)
    assert readback.value == 1.5


def test_ports_are_three_different_numbers():
    ports = Ports.free()
    assert len({ports.beamline, ports.detector, ports.repeater}) == 3
    assert Ports.parse("1,2,3") == Ports(1, 2, 3)
    for wrong in ("1,2", "1,1,2", "x", "0,1,2"):
        with pytest.raises(ValueError):
            Ports.parse(wrong)


def test_exports_are_quoted_for_the_shell():
    lines = export_lines(client_environment(Ports(1, 2, 3)))
    assert lines[0] == "export EPICS_CA_ADDR_LIST='127.0.0.1:1 127.0.0.1:2'"

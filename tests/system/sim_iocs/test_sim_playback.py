"""A recorded file in place of the simulation."""

from __future__ import annotations

import subprocess
import sys

import pytest

from twinbeam.simulate import Experiment, SimulationParameters
from twinbeam.tpx3 import read_hits


@pytest.fixture
def recording(tmp_path):
    experiment = Experiment(SimulationParameters(background_rate_hz=5e4), seed=3)
    parts = [experiment.start()]
    parts += [experiment.advance(0.05) for _ in range(4)]
    parts.append(experiment.stop())
    path = tmp_path / "recorded.tpx3"
    path.write_bytes(b"".join(parts))
    return path


def test_playback_writes_the_hits_of_the_file(run_iocs, client, beamline, recording, tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    arguments = [
        "detector",
        "--fast",
        "--detector-prefix=PLAY:",
        f"--port={beamline.spare_ports[1]}",
        f"--beamline=127.0.0.1:{beamline.ports.beamline}",
        f"--playback={recording}",
        f"--data-dir={folder}",
    ]
    with run_iocs(*arguments):
        cam = client("PLAY:cam1:")
        cam.put_all({"ImageMode": 1, "AcquireTime": 0.3, "NumImages": 1, "RawSplitStg": 1})
        cam.put_all({"RawFileTemplate": "play_", "WriteRaw": 1, "WriteData": 1})
        cam.put("Acquire", 1)
    written = read_hits(folder / "play_000000.tpx3")
    recorded = read_hits(recording)
    assert len(recorded) > 1000
    assert written.equals(recorded)
    assert not list(folder.glob("*.parquet"))


def test_playback_of_something_else_is_refused(tmp_path, beamline):
    path = tmp_path / "text.tpx3"
    path.write_text("this is no raw file")
    result = subprocess.run(
        [
            *(sys.executable, "-m", "sim_iocs", "detector"),
            f"--playback={path}",
            f"--port={beamline.spare_ports[1]}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert str(path) in result.stderr
    assert "Traceback" not in result.stderr

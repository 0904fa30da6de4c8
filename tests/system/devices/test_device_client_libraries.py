"""The detector works with every Channel Access client of ophyd, chosen before or by `set_cl`."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ACQUIRE = """
import sys
import ophyd
{choose}
from twinbeam.devices import Patience, TimePix3Detector, connect
detector = TimePix3Detector(
    sys.argv[1],
    name="tpx3",
    data_root=sys.argv[2],
    patience=Patience(write_s=60.0, settings_s=60.0, start_s=60.0, stall_s=60.0, files_s=60.0),
)
connect(detector, timeout_s=60.0)
detector.num_frames.put(2)
detector.frame_time_s.put(0.1)
detector.stage()
try:
    detector.trigger().wait(120.0)
finally:
    detector.unstage()
values = {{key: item["value"] for key, item in detector.read().items()}}
print(ophyd.get_cl().name, values["tpx3_raw_count"], values["tpx3_frame_count"])
print(detector.cam.prvimg.read()["tpx3_cam_prvimg_path"]["value"][:12], detector.healthy.get())
"""


@pytest.mark.parametrize(
    ("choose", "client"),
    [
        ('ophyd.set_cl("caproto")', "caproto"),
        pytest.param(
            'ophyd.set_cl("pyepics")',
            "pyepics",
            marks=pytest.mark.skipif(
                importlib.util.find_spec("epics") is None, reason="pyepics is not installed"
            ),
        ),
    ],
    ids=["caproto", "pyepics"],
)
def test_an_acquisition_through_the_chosen_client(
    beamline: Any, tmp_path: Path, choose: str, client: str
) -> None:
    environment = os.environ | beamline.env
    environment.pop("OPHYD_CONTROL_LAYER")
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            ACQUIRE.format(choose=choose),
            beamline.prefixes.detector,
            str(tmp_path),
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split("\n")[:2] == [f"{client} 2 2", "tcp://listen 1"]

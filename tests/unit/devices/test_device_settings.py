"""Bounds of acquisition settings, and the control layer that is chosen."""

from __future__ import annotations

import subprocess
import sys

import pytest

from twinbeam.devices import AcquisitionSettings, Patience, TriggerMode
from twinbeam.errors import RecipeError


def test_only_continuous_frames_have_no_dead_time() -> None:
    continuous = AcquisitionSettings(frame_time_s=0.5)
    timed = AcquisitionSettings(frame_time_s=0.5, trigger_mode=TriggerMode.AUTOTRIGSTART_TIMERSTOP)
    assert continuous.period_s == 0.5
    assert timed.period_s == pytest.approx(0.503)


@pytest.mark.parametrize(
    ("seconds", "frames", "each_s"),
    [(0.2, 1, 0.2), (10.0, 1, 10.0), (10.001, 2, 5.0005), (35.0, 4, 8.75), (7200.0, 720, 10.0)],
)
def test_an_exposure_is_split_into_as_few_equal_frames_as_serval_takes(
    seconds: float, frames: int, each_s: float
) -> None:
    settings = AcquisitionSettings.of_exposure(seconds)
    assert (settings.num_frames, settings.frame_time_s) == (frames, pytest.approx(each_s))
    assert settings.exposure_s == pytest.approx(seconds)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_an_exposure_that_cannot_be_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="longer than 0 s"):
        AcquisitionSettings.of_exposure(seconds)


@pytest.mark.parametrize(
    "stream",
    ["udp://x:1", "tcp://host:8085", "tcp://listen@host", "tcp://listen@:80", "tcp://listen@h:0"],
)
def test_a_stream_is_an_address_as_serval_wants_it(stream: str) -> None:
    assert AcquisitionSettings(stream="tcp://connect@127.0.0.1:8085").stream
    with pytest.raises(RecipeError, match="is not tcp://listen@HOST:PORT"):
        AcquisitionSettings.from_mapping({"stream": stream})


@pytest.mark.parametrize(
    ("name", "value"),
    [("frame_time_s", 10.5), ("frame_time_s", 0.0), ("num_frames", 0), ("trigger_mode", 8)],
)
def test_what_serval_would_refuse_is_refused_here(name: str, value: float) -> None:
    with pytest.raises(RecipeError, match=name):
        AcquisitionSettings.from_mapping({name: value})


def test_two_looks_at_a_file_are_a_tenth_of_a_second_apart() -> None:
    with pytest.raises(RecipeError, match="settle_s"):
        Patience.from_mapping({"settle_s": 0.05})


@pytest.mark.parametrize(
    ("given", "chosen"), [(None, "caproto"), ("dummy", "dummy")], ids=["default", "given"]
)
def test_caproto_is_the_client_unless_the_environment_says_otherwise(
    given: str | None, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if given is None:
        monkeypatch.delenv("OPHYD_CONTROL_LAYER")
    else:
        monkeypatch.setenv("OPHYD_CONTROL_LAYER", given)
    code = "import twinbeam.devices, ophyd; print(ophyd.get_cl().name)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert (run.stdout.strip(), run.stderr) == (chosen, "")


def test_without_channel_access_connect_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPHYD_CONTROL_LAYER", "dummy")
    code = (
        "from twinbeam.devices import connect\n"
        "from twinbeam.errors import BeamlineError\n"
        "try: connect()\n"
        "except BeamlineError as error: print(error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "OPHYD_CONTROL_LAYER" in run.stdout

"""Goniometer, shutter, ring, monitor, and the connection to all of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twinbeam.devices import (
    Beamline,
    Goniometer,
    RingCurrent,
    Shutter,
    connect,
    make_beamline,
)
from twinbeam.errors import BeamlineError


def test_names_and_labels_are_those_people_type(instruments: Beamline) -> None:
    theta = instruments.goniometer.theta
    assert theta.name == "gonio_theta"
    assert "motors" in theta._ophyd_labels_
    assert instruments.detector._ophyd_labels_ == {"detectors"}
    assert instruments.monitor._ophyd_labels_ == {"detectors"}
    assert set(instruments.ring.read()) == {"ring_current"}
    assert set(instruments.shutter.read()) == {"shutter_status"}
    assert instruments.monitor.hints == {"fields": ["monitor_intensity"]}


def test_a_move_ends_where_it_was_sent(instruments: Beamline) -> None:
    theta = instruments.goniometer.theta
    theta.set(11.53).wait(60)
    assert theta.position == pytest.approx(11.53, abs=1e-6)
    theta.set(11.53).wait(60)  # no way to go is a move too
    with pytest.raises(ValueError, match="outside of range"):
        theta.set(100.0)


def test_the_shutter_follows_and_says_what_it_takes(instruments: Beamline) -> None:
    shutter = instruments.shutter
    for wanted, shown in (("open", "Open"), ("Closed", "Closed"), ("closed", "Closed")):
        shutter.set(wanted).wait(60)
        assert shutter.read()["shutter_status"]["value"] == shown
    with pytest.raises(BeamlineError, match='"open" or "closed"'):
        shutter.set("ajar")


def test_a_shutter_called_back_on_its_way_is_closed_when_it_says_so(
    instruments: Beamline,
) -> None:
    shutter = instruments.shutter
    for _ in range(5):
        opening = shutter.set("open")
        shutter.set("closed").wait(60)
        assert opening.done
        assert shutter.status.get(use_monitor=False) == "Closed"


def test_a_shutter_that_does_not_follow_is_an_error(instruments: Beamline) -> None:
    shutter = Shutter(instruments.shutter.prefix, name="slow", timeout_s=1e-4)
    try:
        connect(shutter)
        with pytest.raises(BeamlineError, match=r"Pos-Sts: still 'Closed' .* interlock"):
            shutter.set("open").wait(60)
    finally:
        shutter.destroy()
        instruments.shutter.set("open").wait(60)
        instruments.shutter.set("closed").wait(60)


def test_ring_current_is_about_that_of_a_full_ring(instruments: Beamline) -> None:
    assert 390.0 < instruments.ring.read()["ring_current"]["value"] < 410.0


def test_each_count_is_a_new_one_and_read_after_its_end(instruments: Beamline) -> None:
    monitor, shutter, theta = (
        instruments.monitor,
        instruments.shutter,
        instruments.goniometer.theta,
    )
    theta.set(11.576).wait(60)
    monitor.count_time.set(0.05).wait(60)
    rates = []
    for wanted in ("open", "closed") * 4:
        shutter.set(wanted).wait(60)
        began = time.monotonic()
        monitor.trigger().wait(60)
        assert time.monotonic() - began >= 0.05
        rates.append(monitor.read()["monitor_intensity"]["value"])
    # an old value would be that of the other state of the shutter
    assert min(rates[::2]) > 1e5
    assert max(rates[1::2]) < 1e3
    assert len(set(rates[::2])) == 4


def test_a_count_that_does_not_end_is_an_error(instruments: Beamline) -> None:
    monitor = instruments.monitor
    monitor.count_time.set(0.3).wait(60)
    monitor.patience_s = -0.25
    try:
        with pytest.raises(BeamlineError, match=r"Count-Cmd: a count of 0.3 s did not end"):
            monitor.trigger().wait(60)
    finally:
        monitor.patience_s = 10.0
        monitor.trigger().wait(60)


def test_the_preview_is_an_image_but_no_part_of_events(
    instruments: Beamline, detector: Any, wait_until: Any
) -> None:
    image = detector.image
    image.enable.set("Enable").wait(60)
    instruments.shutter.set("open").wait(60)
    try:
        detector.num_frames.put(6)
        detector.stage()
        detector.trigger().wait(60)
        wait_until(lambda: image.width.get() == 512)
        preview = image.preview()
    finally:
        instruments.shutter.set("closed").wait(60)
    assert preview.shape == (512, 512)
    assert np.count_nonzero(preview) > 100
    assert not any("image" in key for key in (*detector.describe(),))


def test_all_unreachable_names_are_in_one_error(instruments: Beamline) -> None:
    wrong = Shutter("ELSEWHERE:", name="wrong"), RingCurrent("NOWHERE:", name="also_wrong")
    right = Goniometer(instruments.goniometer.prefix, name="right")
    try:
        connect(right, timeout_s=60.0)
        began = time.monotonic()
        with pytest.raises(BeamlineError) as caught:
            connect(*wrong, right, timeout_s=3.0)
        lasted_s = time.monotonic() - began
    finally:
        for device in (*wrong, right):
            device.destroy()
    assert lasted_s < 5 * 3.0  # all at once, not one after the other
    message = str(caught.value)
    for name in ("Pos-Sts", "Cmd:Opn-Cmd", "Cmd:Cls-Cmd"):
        assert f"ELSEWHERE:{name}" in message
    assert "NOWHERE:Real-I" in message
    assert "Gon-Ax:Th" not in message
    assert "5 of " in message


def test_everything_connects(beamline: Any, tmp_path: Path) -> None:
    made = make_beamline(beamline.prefixes.beamline, beamline.prefixes.detector, data_root=tmp_path)
    try:
        made.connect(60.0)
        assert all(device.connected for device in made.devices)
        connect(made.detector.image, made.detector.cam.health, lazy_too=True)
        assert made.detector.image.pixels.connected
    finally:
        made.destroy()


LEAVE = """
import sys, time
from twinbeam.devices import make_beamline
made = make_beamline(sys.argv[1], sys.argv[2], data_root=sys.argv[3])
made.connect(60.0)
motor = made.goniometer.theta.user_setpoint
motor.put(motor.get() + 0.01)
"""


def test_a_session_ends_silently_while_values_arrive(beamline: Any, tmp_path: Path) -> None:
    prefixes = beamline.prefixes.beamline, beamline.prefixes.detector
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", LEAVE, *prefixes, str(tmp_path)],
        env=os.environ | beamline.env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")

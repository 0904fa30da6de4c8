"""When the shutter is open."""

from __future__ import annotations

from itertools import islice

import pytest

from sim_iocs.serval import DetectorConfig, Triggers
from sim_iocs.serval.frames import slices


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


def test_delay_comes_before_the_first_frame_of_the_timer():
    config = DetectorConfig("AUTOTRIGSTART_TIMERSTOP", 0.05, 0.05, 2, trigger_delay_s=0.03)
    pieces = list(slices(config, 0.05))
    assert [piece.shutter_open for piece in pieces] == [False, True, True]
    assert pieces[0].duration_s == pytest.approx(0.03)


def test_no_triggers_are_frames_without_end():
    config = DetectorConfig(exposure_s=0.05, period_s=0.05, n_triggers=0)
    assert [piece.frame for piece in islice(slices(config, 0.05), 1000)] == list(range(1000))


@pytest.mark.parametrize(
    ("mode", "opens", "closes"),
    [
        ("PEXSTART_NEXSTOP", "rise", "fall"),
        ("NEXSTART_PEXSTOP", "fall", "rise"),
        ("SOFTWARESTART_SOFTWARESTOP", "start", "stop"),
        ("FOLLOWING", "rise", "fall"),
    ],
)
def test_events_open_and_close(mode, opens, closes):
    triggers = Triggers()
    pieces = slices(DetectorConfig(mode, n_triggers=2), 0.05, triggers)
    for frame in range(2):
        assert not any(piece.shutter_open for piece in islice(pieces, 20))
        triggers.put(closes)  # of no effect on a closed shutter
        assert not next(pieces).shutter_open
        triggers.put(opens)
        assert all(piece.shutter_open for piece in islice(pieces, 20))
        triggers.put(closes)
        last = next(pieces)
        assert (last.frame, last.ends_frame) == (frame, True)
    assert list(pieces) == []


@pytest.mark.parametrize(
    ("mode", "opens"),
    [
        ("PEXSTART_TIMERSTOP", "rise"),
        ("NEXSTART_TIMERSTOP", "fall"),
        ("SOFTWARESTART_TIMERSTOP", "start"),
    ],
)
def test_events_open_and_the_timer_closes(mode, opens):
    triggers = Triggers()
    config = DetectorConfig(mode, exposure_s=0.1, n_triggers=2, trigger_delay_s=0.02)
    pieces = slices(config, 0.05, triggers)
    for _ in range(2):
        assert not any(piece.shutter_open for piece in islice(pieces, 20))
        triggers.put(opens)
        delay, first, second = islice(pieces, 3)
        assert (delay.shutter_open, delay.duration_s) == (False, 0.02)
        assert first.shutter_open
        assert second.ends_frame
    assert list(pieces) == []


def test_generator_on_the_trigger_input_makes_frames_at_its_rate():
    config = DetectorConfig("PEXSTART_TIMERSTOP", exposure_s=0.02, n_triggers=10)
    pieces = list(slices(config, 0.05, Triggers(edges_hz=5.0)))
    total_s = sum(piece.duration_s for piece in pieces)
    assert sum(piece.ends_frame for piece in pieces) == 10
    assert total_s == pytest.approx(2.0, abs=0.2)

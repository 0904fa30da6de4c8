"""The detector as tests of devices use it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twinbeam.devices import Beamline, Patience


@pytest.fixture
def call_returns_result() -> bool:
    """Engines of these tests give plan results."""
    return True


@pytest.fixture
def detector(instruments: Beamline, tmp_path: Path) -> Iterator[Any]:
    """The detector with short frames into the test's folder; idle and unstaged afterwards."""
    detector = instruments.detector
    detector.raw_folder.put(str(tmp_path / "raw"))
    detector.num_frames.put(3)
    detector.frame_time_s.put(0.2)
    detector.trigger_mode.put(5)
    patience = detector.patience
    # what is to go well may take long on a busy machine; tests of failures shorten it
    detector.patience = Patience(
        write_s=30.0, settings_s=30.0, start_s=30.0, stall_s=30.0, files_s=30.0, stop_s=20.0
    )
    yield detector
    detector.unstage()
    detector.patience = patience
    detector.raw_folder.put("")
    assert detector.cam.acquire.get(use_monitor=False) == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "acquisition"]

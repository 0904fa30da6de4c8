"""Frames that the detector has dropped: passed over only when that is certain, and counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from twinbeam.devices import Patience
from twinbeam.devices.found_frames import FoundFrames
from twinbeam.devices.raw_files import RawFiles

SETTLE_S = 0.1
WAIT_S = 30.0

Find = Callable[..., None]


@pytest.fixture
def files(tmp_path: Path) -> RawFiles:
    return RawFiles.fresh(tmp_path, time.time())


def frames_of(files: RawFiles, num_frames: int, *, may_drop: bool = True) -> FoundFrames:
    counters = {"frame_count": 3, "hit_rate": 5.0}
    cam: Any = SimpleNamespace(
        **{name: SimpleNamespace(get=lambda value=value: value) for name, value in counters.items()}
    )
    patience = Patience(settle_s=SETTLE_S)
    return FoundFrames(cam, files, num_frames, patience, may_drop=may_drop)


def looked_for(found: FoundFrames, until: int, lasts_s: float = WAIT_S, **state: Any) -> None:
    """Look again and again until the index of the next file is `until`, or for a while."""
    deadline = time.monotonic() + lasts_s
    while found.at < until and time.monotonic() < deadline:
        found.find(**state)
        time.sleep(0.01)


def rows(found: FoundFrames) -> list[tuple[int, int, int]]:
    return [(frame.file.index, frame.n_files, frame.n_dropped) for frame in found.take()]


def write(files: RawFiles, *indices: int) -> None:
    for index in indices:
        files.path(index).write_bytes(bytes(8))


def test_dropped_frames_are_in_the_row_of_the_next_file(files: RawFiles) -> None:
    found = frames_of(files, 6)
    write(files, 1, 4, 5)
    looked_for(found, 6, ended=6, over=True, gone_by=6, lost=3)
    found.close()
    assert rows(found) == [(1, 1, 1), (4, 1, 2), (5, 1, 0)]
    assert (found.n_frames, found.n_dropped, found.n_bytes) == (3, 3, 24)


def test_frames_dropped_at_the_end_have_a_row_without_files(files: RawFiles) -> None:
    found = frames_of(files, 4)
    write(files, 0, 1)
    looked_for(found, 4, ended=4, over=True, gone_by=4, lost=2)
    found.close()
    found.close()
    assert rows(found) == [(0, 1, 0), (1, 1, 0), (4, 0, 2)]
    assert found.n_frames + found.n_dropped == 4


def test_a_file_that_is_late_is_not_taken_for_dropped(files: RawFiles) -> None:
    found = frames_of(files, 4)
    write(files, 0, 3)
    state = {"ended": 4, "over": True, "gone_by": 4, "lost": 1}
    looked_for(found, 4, lasts_s=0.5, **state)
    assert found.at == 1  # 1 and 2 are missing, and only one of them was dropped
    write(files, 2)
    looked_for(found, 4, **state)
    assert rows(found) == [(0, 1, 0), (2, 1, 1), (3, 1, 0)]


@pytest.mark.parametrize(
    ("may_drop", "lost", "gone_by"),
    [(False, 1, 3), (True, 0, 3), (True, 1, 1)],
    ids=["not allowed", "not said", "not ended yet"],
)
def test_a_missing_file_is_waited_for(
    files: RawFiles, may_drop: bool, lost: int, gone_by: int
) -> None:
    found = frames_of(files, 3, may_drop=may_drop)
    write(files, 0, 2)
    looked_for(found, 3, lasts_s=0.4, ended=gone_by, over=False, gone_by=gone_by, lost=lost)
    assert found.at == 1
    assert found.n_dropped == 0

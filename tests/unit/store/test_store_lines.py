from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from twinbeam.store import _line_sync
from twinbeam.store._lines import OpenLines

Errors = list[tuple[Path, OSError]]


@pytest.fixture
def errors() -> Errors:
    return []


@pytest.fixture
def lines(tmp_path: Path, errors: Errors) -> Iterator[OpenLines]:
    lines = OpenLines(tmp_path / "documents", lambda *problem: errors.append(problem))
    yield lines
    lines.stop(60.0)
    assert not any(thread.name == "run-lines" for thread in threading.enumerate())


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """Time and name of each file that is forced to the disk."""
    calls: list[tuple[float, str]] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        name = os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)
        calls.append((time.monotonic(), name))

    monkeypatch.setattr(os, "fsync", noted)
    return calls


def test_the_first_and_last_line_are_forced_at_once_and_the_others_once_a_second(
    lines: OpenLines,
    forced: list[tuple[float, str]],
    wait_until: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines.append("run", b"start\n")
    wait_until(lambda: [name for _, name in forced] == ["run.jsonl", "documents"])
    deadline = time.monotonic() + 60.0
    while len(forced) < 4 and time.monotonic() < deadline:
        lines.append("run", b"event\n")
        time.sleep(0.01)
    assert [name for _, name in forced[2:4]] == ["run.jsonl"] * 2
    assert forced[3][0] - forced[2][0] > 0.9
    # at once: the next second would come in an hour
    monkeypatch.setattr(_line_sync, "_EVERY_S", 3600.0)
    lines.append("run", b"event\n")
    assert lines.flush(60.0)
    n_before = len(forced)
    lines.append("run", b"stop\n")
    lines.close("run")
    wait_until(lambda: len(forced) > n_before)
    assert forced[-1][1] == "run.jsonl"
    content = lines.path("run").read_bytes()
    assert content.startswith(b"start\nevent\n")
    assert content.endswith(b"event\nstop\n")


def test_a_line_does_not_wait_for_a_slow_disk(
    lines: OpenLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda descriptor: slow.wait(60.0))
    durations = []
    for number in range(2000):
        begin = time.perf_counter()
        lines.append("run", b"%d\n" % number)
        durations.append(time.perf_counter() - begin)
    assert not lines.flush(0.0)
    slow.set()
    assert lines.flush(60.0)
    median, late = np.percentile(durations, [50, 99]) * 1e3
    print(f"\na line beside a disk that hangs: median {median:.3f} ms, 99 % under {late:.3f} ms")
    assert median < 1.0
    assert lines.path("run").read_bytes().count(b"\n") == 2000


def test_what_the_disk_says_is_passed_on(
    lines: OpenLines, errors: Errors, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    lines.append("run", b"start\n")
    assert lines.flush(60.0)
    ((path, error),) = errors
    assert (path, error.errno) == (lines.path("run"), errno.EIO)


def test_stopping_without_a_line_starts_nothing(tmp_path: Path) -> None:
    lines = OpenLines(tmp_path, lambda *problem: None)
    assert lines.flush(0.0)
    lines.stop(1.0)
    assert list(tmp_path.iterdir()) == []

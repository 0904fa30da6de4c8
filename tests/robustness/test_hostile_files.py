"""Files that change, go away, or cannot be waited for while several workers read them."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twinbeam.errors import RawDataError
from twinbeam.pipeline import Pipeline, process
from twinbeam.pipeline.slabs import Slab
from twinbeam.simulate import Experiment, SimulationParameters


@pytest.fixture(scope="module")
def raw() -> bytes:
    experiment = Experiment(SimulationParameters(background_rate_hz=3e5, sample="none"), 3)
    return experiment.start() + experiment.advance(0.3) + experiment.stop()


@pytest.fixture
def files(tmp_path: Path, raw: bytes, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two files of one acquisition, of many slabs together."""
    # by name, because the package has a function of the same name
    monkeypatch.setattr(sys.modules["twinbeam.pipeline.process"], "_SLAB_BYTES", 1 << 16)
    paths = [tmp_path / f"run_{i:06d}.tpx3" for i in range(2)]
    paths[0].write_bytes(raw[: len(raw) // 2])
    paths[1].write_bytes(raw[len(raw) // 2 :])
    return paths


def workers_left() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("twinbeam-process")]


def once(act: Callable[[], object]) -> Callable[[int], None]:
    """Act when the first part was processed."""
    left = [act]

    def on_progress(_: int) -> None:
        if left:
            left.pop()()

    return on_progress


@pytest.fixture
def in_the_second_file(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Function that lets something be done when the second file has been read in part."""

    def let(act: Callable[[], object]) -> None:
        do, blocks, order = once(act), Slab.blocks, threading.Lock()

        def acting(slab: Slab, *arguments: Any) -> Any:
            if slab.first_byte > 0.7 * len(raw):
                with order:
                    do(0)
            return blocks(slab, *arguments)

        monkeypatch.setattr(Slab, "blocks", acting)

    return let


@pytest.mark.parametrize("workers", [1, 3, 4])
def test_a_file_that_becomes_shorter_is_an_error(
    files: list[Path], workers: int, in_the_second_file: Callable[..., None]
) -> None:
    in_the_second_file(lambda: os.truncate(files[1], 100))
    with pytest.raises(RawDataError, match="became shorter") as caught:
        process(files, workers=workers)
    assert f"{files[1]}, byte " in str(caught.value)
    assert not workers_left()


@pytest.mark.parametrize("workers", [1, 3, 4])
def test_a_file_that_goes_away_is_an_error(
    files: list[Path], workers: int, in_the_second_file: Callable[..., None]
) -> None:
    in_the_second_file(files[1].unlink)
    with pytest.raises(RawDataError, match="cannot be read further") as caught:
        process(files, workers=workers)
    assert str(files[1]) in str(caught.value)
    assert not workers_left()


def test_a_file_that_grows_is_read_as_long_as_it_was(files: list[Path], raw: bytes) -> None:
    def grow() -> None:
        with files[1].open("ab") as stream:
            stream.write(raw)

    pipeline = Pipeline()
    pipeline.feed(raw)
    found = process(files, workers=3, on_progress=once(grow))
    assert found.differences(pipeline.finish()) == []


@pytest.mark.parametrize("workers", [1, 3])
def test_an_interrupt_leaves_no_thread_behind(files: list[Path], workers: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        process(
            files, workers=workers, on_progress=once(lambda: os.kill(os.getpid(), signal.SIGINT))
        )
    assert not workers_left()


def test_empty_files_among_others_are_no_matter(files: list[Path], raw: bytes) -> None:
    empty = [files[0].with_name(f"run_{i:06d}.tpx3") for i in (2, 3)]
    for path in empty:
        path.write_bytes(b"")
    expected = process(files)
    for workers in (1, 3):
        found = process([empty[0], files[0], empty[1], files[1]], workers=workers)
        assert found.differences(expected) == []
        assert (found.census, found.acquisitions) == (expected.census, 1)

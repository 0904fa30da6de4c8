"""Partial results on disk: used when they are of the same, made again when they are not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from replay_streams import differences, simulated, written

from twinbeam.errors import StorageError
from twinbeam.pipeline import Recipe, partial, process
from twinbeam.replay import Progress, Reprocessed, raw_run_of_files, reprocess
from twinbeam.replay.partial_cache import PartialCache
from twinbeam.tpx3 import Decoder

SLAB_BYTES = 70_000


@pytest.fixture(scope="module", autouse=True)
def short_heads() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partial, "_HEAD_BYTES", 20_000)
        yield


@pytest.fixture(scope="module")
def raw() -> bytes:
    return simulated(21, 0.5)


@pytest.fixture
def paths(tmp_path: Path, raw: bytes) -> list[Path]:
    return written(tmp_path, raw, 3)


class Work:
    """Reprocess with a cache; which bytes were read and processed."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.cache = folder / "cache"
        self.tasks: list[str] = []
        from twinbeam.replay import workers

        real = workers.run_task

        def noted(task: Any) -> Any:
            self.tasks.append(type(task).__name__)
            return real(task)

        patch.setattr(workers, "run_task", noted)

    def __call__(
        self, paths: list[Path], recipe: Recipe | None = None, most: int | None = None
    ) -> tuple[Reprocessed | None, int]:
        """Result and bytes from the cache; broken off after `most` calls of progress."""
        self.tasks.clear()
        told: list[Progress] = []

        def tell(now: Progress) -> None:
            told.append(now)
            if len(told) == most:
                raise KeyboardInterrupt

        run = raw_run_of_files(paths)
        try:
            (one,) = reprocess(
                [run], recipe, cache=self.cache, slab_bytes=SLAB_BYTES, on_progress=tell
            )
        except KeyboardInterrupt:
            return None, told[-1].cached_bytes
        return one, told[-1].cached_bytes


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    return Work(tmp_path, monkeypatch)


def same(found: Reprocessed | None, paths: list[Path], recipe: Recipe | None = None) -> bool:
    return found is not None and differences(found.result, process(paths, recipe)) == []


def test_a_second_start_reads_no_raw_data(work: Work, paths: list[Path], raw: bytes) -> None:
    found, kept = work(paths)
    assert same(found, paths)
    assert kept == 0
    assert work.tasks.count("CountTask") >= 5
    found, kept = work(paths)
    assert same(found, paths)
    assert (kept, work.tasks) == (len(raw), [])
    assert not list(work.cache.rglob("*.part"))


def test_work_that_was_broken_off_goes_on(work: Work, paths: list[Path], raw: bytes) -> None:
    assert work(paths, most=3) == (None, 0)
    found, kept = work(paths)
    assert same(found, paths)
    assert 2 * SLAB_BYTES <= kept < len(raw)
    n_slabs = -(-len(raw) // SLAB_BYTES)
    assert work.tasks.count("CountTask") <= n_slabs - 2
    assert work.tasks.count("SkimTask") < n_slabs


def test_another_recipe_finds_the_clock_but_no_results(work: Work, paths: list[Path]) -> None:
    work(paths)
    recipe = Recipe.from_mapping({"pairing": {"window_ns": 150.0}})
    found, kept = work(paths, recipe)
    assert same(found, paths, recipe)
    assert kept == 0
    assert set(work.tasks) == {"CountTask"}
    assert work(paths, recipe)[1] > 0


def test_another_version_finds_nothing(
    work: Work, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    work(paths)
    monkeypatch.setattr("twinbeam.replay.partial_cache.code_version", lambda: "later")
    found, kept = work(paths)
    assert same(found, paths)
    assert kept == 0
    assert "SkimTask" in work.tasks


def test_a_changed_byte_is_noticed_though_size_and_time_are_the_same(
    work: Work, paths: list[Path], raw: bytes
) -> None:
    first, _ = work(paths)
    before = paths[1].stat()
    content = bytearray(paths[1].read_bytes())
    header = content.index(b"TPX3", 60_000)
    at = next(at for at in range(header, len(content), 8) if content[at + 7] >> 4 == 0xB)
    content[at + 6] ^= 0x02  # another place of one hit
    paths[1].write_bytes(content)
    os.utime(paths[1], ns=(before.st_atime_ns, before.st_mtime_ns))
    found, kept = work(paths)
    assert same(found, paths)
    assert first is not None
    assert found is not None
    assert found.result.digest() != first.result.digest()
    # what is before the changed byte is still good
    assert SLAB_BYTES <= kept <= len(raw) // 3 + 60_000


def test_a_file_that_grew_keeps_what_was_before(work: Work, paths: list[Path], raw: bytes) -> None:
    work(paths)
    with paths[2].open("ab") as file:
        file.write(simulated(22, 0.1))
    found, kept = work(paths)
    assert same(found, paths)
    assert len(raw) // 2 < kept < len(raw)


def test_copied_files_are_the_same_data(work: Work, paths: list[Path], raw: bytes) -> None:
    work(paths)
    other = paths[0].parent / "copy"
    other.mkdir()
    copies = [Path(shutil.copy(path, other / path.name)) for path in paths]
    found, kept = work(copies)
    assert same(found, copies)
    assert kept == len(raw)
    assert set(work.tasks) == {"SkimTask"}


@pytest.mark.parametrize("kind", ["partials", "decoders", "digests"])
@pytest.mark.parametrize("how", ["cut", "flipped", "empty", "exchanged"])
def test_damaged_files_are_as_if_they_were_not_there(
    work: Work, paths: list[Path], kind: str, how: str
) -> None:
    work(paths)
    files = sorted((work.cache / kind).iterdir())
    contents = [file.read_bytes() for file in files]
    for n, (file, content) in enumerate(zip(files, contents, strict=True)):
        middle = len(content) // 2
        file.write_bytes(
            {
                "cut": content[:middle],
                "flipped": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
                "empty": b"",
                "exchanged": contents[n - 1],
            }[how]
        )
    recipe = Recipe.from_mapping({"pairing": {"window_ns": 150.0}}) if kind == "decoders" else None
    found, _ = work(paths, recipe)
    assert same(found, paths, recipe)
    # and it is mended
    work(paths, recipe)
    assert work.tasks == []


def test_a_decoder_comes_back_as_it_was(tmp_path: Path, raw: bytes) -> None:
    cache = PartialCache(tmp_path / "c")
    decoder, at = Decoder(), 100_003
    decoder.skim(raw[:at])
    assert cache.load_decoder("k") is None
    cache.save_decoder("k", decoder)
    assert cache.has_decoder("k")
    again = cache.load_decoder("k")
    assert again is not None
    assert again.state() == decoder.state()
    assert again.feed(raw[at:]).equals(decoder.feed(raw[at:]))
    assert again.census() == decoder.census()


def test_a_folder_that_cannot_be_is_an_error(tmp_path: Path, paths: list[Path]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be made"):
        list(reprocess([raw_run_of_files(paths)], cache=tmp_path / "file" / "cache"))

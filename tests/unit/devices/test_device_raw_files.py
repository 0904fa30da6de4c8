"""Names of raw files, and which of them are complete."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from twinbeam.devices.raw_files import CompleteFile, RawFiles, dated_folder, make_folder
from twinbeam.errors import BeamlineError

SETTLE_S = 0.1


@pytest.fixture
def files(tmp_path: Path) -> RawFiles:
    folder = tmp_path / "with a space"
    folder.mkdir()
    return RawFiles.fresh(folder, time.time())


def looked_at(
    files: RawFiles, first: int, ended: int, over: bool, lasts_s: float, at_least: int = 0
) -> list[int]:
    """Indices found complete by looking again and again for a while, and until there are enough."""
    found: list[CompleteFile] = []
    began = time.monotonic()
    while (since := time.monotonic() - began) < lasts_s or (len(found) < at_least and since < 30.0):
        found += files.complete_from(first + len(found), ended=ended, over=over, settle_s=SETTLE_S)
        time.sleep(0.01)
    return [file.index for file in found]


def test_uri_and_template_lead_to_the_files_that_the_driver_is_told_to_write(
    files: RawFiles,
) -> None:
    uri = urlsplit(files.uri)
    assert (uri.scheme, uri.netloc) == ("file", "localhost")
    assert uri.path.endswith("with%20a%20space/")
    folder = Path(unquote(uri.path))
    assert folder == files.folder
    assert folder / files.template.format(7) == files.path(7)
    # Serval writes <folder><stem><six digits>.tpx3
    assert files.path(7).name == f"{files.stem}000007.tpx3"
    assert files.destination == f"file:{files.folder}"
    assert not files.destination.startswith("file://")


def test_two_acquisitions_in_the_same_second_have_different_names(tmp_path: Path) -> None:
    stems = {RawFiles.fresh(tmp_path, 1.7e9).stem for _ in range(100)}
    assert len(stems) == 100
    # Serval would replace date codes, python braces
    assert not any(set(stem) & set("%{}") for stem in stems)


def test_folders_are_dated(tmp_path: Path) -> None:
    noon = time.mktime((2026, 3, 9, 12, 0, 0, 0, 0, -1))
    assert dated_folder(tmp_path, noon) == tmp_path / "2026" / "03" / "09"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BeamlineError, match=r"file/2026.*data_root"):
        make_folder(tmp_path / "file" / "2026")


def test_a_file_is_complete_only_when_its_size_has_settled(files: RawFiles) -> None:
    files.path(0).write_bytes(b"a")
    look: Callable[[], list[CompleteFile]] = lambda: files.complete_from(  # noqa: E731
        0, ended=1, over=False, settle_s=SETTLE_S
    )
    assert look() == []
    files.path(0).write_bytes(b"ab")
    began = time.monotonic()
    assert look() == []  # it has grown, so its time begins again
    while not (complete := look()):
        time.sleep(0.005)
    assert time.monotonic() - began >= SETTLE_S
    assert complete == [CompleteFile(0, 2, files.path(0).stat().st_mtime)]


def test_frames_that_have_not_ended_are_not_looked_at(files: RawFiles) -> None:
    for index in range(4):
        files.path(index).write_bytes(b"x")
    assert looked_at(files, 0, ended=2, over=False, lasts_s=0.3, at_least=2) == [0, 1]


def test_a_missing_file_holds_back_the_later_ones(files: RawFiles) -> None:
    for index in (0, 1, 3, 4):
        files.path(index).write_bytes(b"x")
    assert looked_at(files, 0, ended=5, over=True, lasts_s=0.3, at_least=2) == [0, 1]
    files.path(2).write_bytes(b"x")
    assert looked_at(files, 2, ended=5, over=True, lasts_s=0.3, at_least=3) == [2, 3, 4]


def test_an_empty_file_waits_for_the_frame_after_it(files: RawFiles) -> None:
    files.path(0).write_bytes(b"")
    assert looked_at(files, 0, ended=1, over=False, lasts_s=0.25) == []
    assert looked_at(files, 0, ended=2, over=False, lasts_s=0.25, at_least=1) == [0]


def test_an_empty_file_is_complete_when_all_is_over(files: RawFiles) -> None:
    files.path(0).write_bytes(b"")
    assert looked_at(files, 0, ended=1, over=True, lasts_s=0.25, at_least=1) == [0]


def test_many_short_frames_settle_together(files: RawFiles) -> None:
    for index in range(1000):
        files.path(index).write_bytes(b"x")
    began_s = time.process_time()
    found = looked_at(files, 0, ended=1000, over=True, lasts_s=0.0, at_least=1000)
    assert found == list(range(1000))
    assert time.process_time() - began_s < 5.0

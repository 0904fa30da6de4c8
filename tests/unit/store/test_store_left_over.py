"""Raw files that belong to a run's acquisitions and that no event names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from twinbeam.store import LeftOverFinder, Relocations

TEMPLATE = "a_{:06d}.tpx3"


def descriptor(folder: Path, *, expected: bool = True) -> dict[str, Any]:
    said = {"d_next_uri": folder.as_uri() + "/", "d_next_template": TEMPLATE} if expected else {}
    keys: dict[str, Any] = {f"d_raw_{key}": {} for key in ("uri", "template", "first", "count")}
    return {"uid": "1", "data_keys": keys, "configuration": {"d": {"data": said}}}


def event(folder: Path, first: int, count: int, template: str = TEMPLATE) -> dict[str, Any]:
    data = {
        "d_raw_uri": folder.as_uri() + "/",
        "d_raw_template": template,
        "d_raw_first": first,
        "d_raw_count": count,
    }
    return {"descriptor": "1", "data": data}


def write(folder: Path, sizes: list[int], template: str = TEMPLATE) -> None:
    for number, size in enumerate(sizes):
        (folder / template.format(number)).write_bytes(bytes(size))


def found(finder: LeftOverFinder, **given: Any) -> list[tuple[str, int, bool]]:
    return [(file.path.name, file.n_bytes, file.complete) for file in finder.found(**given)]


@pytest.mark.parametrize("paged", [False, True])
def test_files_behind_the_last_that_is_named(tmp_path: Path, paged: bool) -> None:
    write(tmp_path, [8, 16, 24, 32, 40])
    finder = LeftOverFinder()
    finder("start", {"uid": "run"})
    finder("descriptor", descriptor(tmp_path))
    if paged:
        rows = [event(tmp_path, n, 1)["data"] for n in range(2)]
        data = {key: [row[key] for row in rows] for key in rows[0]}
        finder("event_page", {"descriptor": "1", "data": data})
    else:
        finder("event", event(tmp_path, 0, 2))
    assert found(finder) == [
        ("a_000002.tpx3", 24, True),
        ("a_000003.tpx3", 32, True),
        ("a_000004.tpx3", 40, False),  # it may have been cut short
    ]


@pytest.mark.parametrize(("expected", "count"), [(True, 2), (False, 0)])
def test_an_acquisition_without_an_event_is_known_from_staging(
    tmp_path: Path, expected: bool, count: int
) -> None:
    write(tmp_path, [8, 0])
    finder = LeftOverFinder()
    finder("descriptor", descriptor(tmp_path, expected=expected))
    assert found(finder) == [("a_000000.tpx3", 8, False), ("a_000001.tpx3", 0, False)][:count]


def test_each_acquisition_counts_on_its_own(tmp_path: Path) -> None:
    write(tmp_path, [8, 8])
    write(tmp_path, [8, 8], "b_{:06d}.tpx3")
    finder = LeftOverFinder()
    finder("descriptor", descriptor(tmp_path))
    finder("event", event(tmp_path, 0, 2))
    finder("event", event(tmp_path, 0, 1, "b_{:06d}.tpx3"))
    assert found(finder) == [("b_000001.tpx3", 8, False)]


def test_moved_folders_are_followed(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    new.mkdir()
    write(new, [8, 8])
    finder = LeftOverFinder()
    finder("descriptor", descriptor(old))
    finder("event", event(old, 0, 1))
    assert found(finder) == []
    moved = Relocations(((old, new),))
    assert found(finder, relocations=moved) == [("a_000001.tpx3", 8, False)]


def test_other_events_and_lists_of_files_are_passed_over(tmp_path: Path) -> None:
    finder = LeftOverFinder()
    finder("descriptor", {"uid": "2", "data_keys": {"x": {}}})
    finder("descriptor", {"uid": "3", "data_keys": {"tpx3_files_raw_filepaths": {}}})
    finder("event", {"descriptor": "2", "data": {"x": 1}})
    finder("event", {"descriptor": "3", "data": {"tpx3_files_raw_filepaths": ["/a/b.tpx3"]}})
    assert found(finder) == []

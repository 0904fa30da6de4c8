"""Raw files of a run, from its documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from replay_streams import stream

from twinbeam.errors import StorageError
from twinbeam.pipeline import Recipe
from twinbeam.replay import RawRun, raw_run_of_documents
from twinbeam.store import Relocations

Documents = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two acquisitions `a` of three files and `b` of two, the last of them empty."""
    raw = stream("plain")
    for name, n_files in (("a", 3), ("b", 1)):
        step = -(-len(raw) // n_files)
        for n in range(n_files):
            part = raw[n * step : (n + 1) * step]
            (tmp_path / f"{name}_{n:06d}.tpx3").write_bytes(part)
    (tmp_path / "b_000001.tpx3").write_bytes(b"")
    return tmp_path


def documents(*events: dict[str, Any], **metadata: Any) -> Documents:
    keys = {key: {} for event in events for key in event}
    head: Documents = [
        ("start", {"uid": "run-1", **metadata}),
        ("descriptor", {"uid": "d", "data_keys": keys}),
        ("descriptor", {"uid": "other", "data_keys": {"x": {}}}),
        ("event", {"descriptor": "other", "data": {"x": 1}}),
    ]
    return [*head, *(("event", {"descriptor": "d", "data": event}) for event in events)]


def event(folder: Path, name: str, first: int, count: int, n_bytes: int | None = None) -> Any:
    paths = [folder / f"{name}_{n:06d}.tpx3" for n in range(first, first + count)]
    if n_bytes is None:
        n_bytes = sum(path.stat().st_size for path in paths if path.exists())
    return {
        "t_raw_uri": f"file://localhost{folder}/",
        "t_raw_template": f"{name}_{{:06d}}.tpx3",
        "t_raw_first": first,
        "t_raw_count": count,
        "t_raw_bytes": n_bytes,
    }


def names(run: RawRun) -> list[list[str]]:
    return [[path.stem for path in files] for files in run.acquisitions]


def test_acquisitions_and_files_in_the_order_of_the_events(folder: Path) -> None:
    given = documents(
        event(folder, "a", 0, 1),
        event(folder, "a", 1, 2),
        event(folder, "a", 1, 2),  # read again
        event(folder, "b", 0, 2),
        recipe=Recipe.from_mapping({"pairing": {"window_ns": 77.0}}).as_dict(),
    )
    run = raw_run_of_documents(given)
    assert run.name == "run-1"
    assert names(run) == [["a_000000", "a_000001", "a_000002"], ["b_000000"]]
    assert run.problems == ()
    assert run.recipe is not None
    assert run.recipe.pairing.window_ns == 77.0
    assert run.n_bytes == 2 * len(stream("plain"))


def test_what_is_missing_or_of_another_size_is_said_and_the_rest_used(folder: Path) -> None:
    (folder / "a_000001.tpx3").unlink()
    (folder / "b_000000.tpx3").write_bytes(b"foreign" * 1000)
    run = raw_run_of_documents(
        documents(
            event(folder, "a", 0, 2),
            event(folder, "a", 2, 1, n_bytes=5),
            event(folder, "b", 0, 1),
            {"t_raw_uri": "http://elsewhere/"},
        )
    )
    assert names(run) == [["a_000000", "a_000002"]]
    assert run.recipe is None
    missing, size, foreign, incomplete = run.problems
    assert "a_000001.tpx3: no such file" in missing
    assert "bytes on disk, the run says 5" in size
    assert "b_000000.tpx3" in foreign
    assert "does not name its raw files" in incomplete


def test_files_that_were_moved_are_found(folder: Path, tmp_path: Path) -> None:
    given = documents(event(folder, "a", 0, 3))
    new = tmp_path / "archive"
    new.mkdir()
    for path in folder.glob("a_*"):
        path.rename(new / path.name)
    with pytest.raises(StorageError, match=r"no raw file can be read: .*a_000000"):
        raw_run_of_documents(given)
    run = raw_run_of_documents(given, Relocations(((folder, new),)))
    assert [path.parent for path in run.acquisitions[0]] == [new] * 3
    assert run.problems == ()


def test_a_run_without_raw_files(folder: Path) -> None:
    with pytest.raises(StorageError, match=r"run run-1: the run names no raw files"):
        raw_run_of_documents(documents())

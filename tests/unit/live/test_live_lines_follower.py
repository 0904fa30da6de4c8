"""JSON lines are followed while they grow, each document once."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest
from live_runs import Run

from twinbeam.live.lines_follower import LinesFollower
from twinbeam.store.documents import encode_line


def lines_of(run: Run, n: int) -> bytes:
    documents: list[tuple[str, Any]] = [("start", run.start), ("descriptor", run.descriptor)]
    documents += [("event", run.event({})) for _ in range(n)]
    documents.append(("stop", run.stop()))
    return b"".join(encode_line(name, doc) for name, doc in documents)


def path_of(folder: Path, run: Run) -> Path:
    return folder / f"{run.start['uid']}.jsonl"


@pytest.mark.parametrize("seed", range(5))
def test_every_document_comes_once_and_in_order(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    runs = [Run(time_s=float(i)) for i in range(3)]
    rest = {path_of(tmp_path, run): lines_of(run, 5) for run in runs}
    follower = LinesFollower(tmp_path, lambda path, start: True)
    seen: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    while any(rest.values()):
        path = chance.choice([p for p, data in rest.items() if data])
        n = chance.randint(1, 400)
        with path.open("ab") as file:
            file.write(rest[path][:n])
        rest[path] = rest[path][n:]
        if chance.random() < 0.5:
            for run, name, doc in follower.new_documents():
                seen.setdefault(run, []).append((name, doc))
    for run, name, doc in follower.new_documents():
        seen.setdefault(run, []).append((name, doc))
    for run in runs:
        names = [name for name, _ in seen[run.start["uid"]]]
        assert names == ["start", "descriptor", *["event"] * 5, "stop"]
        numbers = [doc["seq_num"] for name, doc in seen[run.start["uid"]] if name == "event"]
        assert numbers == [1, 2, 3, 4, 5]
    assert list(follower.new_documents()) == []


def test_the_run_that_began_first_comes_first(tmp_path: Path) -> None:
    runs = [Run(time_s=t) for t in (30.0, 10.0, 20.0)]
    for run in runs:
        path_of(tmp_path, run).write_bytes(lines_of(run, 1))
    order = [
        run for run, name, _ in LinesFollower(tmp_path, lambda path, start: True).new_documents()
    ]
    first = {uid: order.index(uid) for uid in order}
    by_time = sorted(runs, key=lambda run: run.start["time"])
    assert [r.start["uid"] for r in by_time] == sorted(first, key=lambda uid: first[uid])


def test_a_run_that_is_not_wanted_is_not_read(tmp_path: Path) -> None:
    wanted, other = Run(), Run()
    for run in (wanted, other):
        path_of(tmp_path, run).write_bytes(lines_of(run, 1))
    follower = LinesFollower(tmp_path, lambda path, start: start["uid"] == wanted.start["uid"])
    assert {run for run, _, _ in follower.new_documents()} == {wanted.start["uid"]}
    assert follower.has(other.start["uid"])


def test_a_folder_that_comes_later_and_foreign_lines_do_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    follower = LinesFollower(folder, lambda path, start: True)
    assert list(follower.new_documents()) == []
    folder.mkdir()
    (folder / "a.txt").write_text("no documents")
    run = Run()
    path_of(folder, run).write_bytes(b"garbage\n" + lines_of(run, 0))
    os.utime(folder)
    assert [name for _, name, _ in follower.new_documents()] == ["start", "descriptor", "stop"]


def test_a_file_without_its_first_line_is_looked_at_again(tmp_path: Path) -> None:
    run, seen = Run(), []
    path, data = path_of(tmp_path, run), lines_of(run, 0)
    path.write_bytes(data[:20])

    def wanted(_: Path, start: Any) -> bool:
        seen.append(start["uid"])
        return True

    follower = LinesFollower(tmp_path, wanted)
    assert list(follower.new_documents()) == []
    assert seen == []
    path.write_bytes(data)
    assert [name for _, name, _ in follower.new_documents()] == ["start", "descriptor", "stop"]
    assert seen == [run.start["uid"]]


def test_a_line_longer_than_a_look_does_not_stop_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twinbeam.live.lines_follower._MOST_BYTES", 64)
    run = Run(sample="x" * 500)
    follower = LinesFollower(tmp_path, lambda path, start: True)
    path_of(tmp_path, run).write_bytes(lines_of(run, 2))
    names = [name for _ in range(50) for _, name, _ in follower.new_documents()]
    assert names == ["start", "descriptor", "event", "event", "stop"]

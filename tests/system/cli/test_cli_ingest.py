"""`twinbeam ingest`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from event_model import compose_run
from in_process import InProcess

from twinbeam.store import RunWriter, kept_runs, open_catalog


def write_run(send: Callable[[str, Any], None], n_events: int, **metadata: Any) -> str:
    run = compose_run(metadata=metadata)
    send("start", run.start_doc)
    key = {"dtype": "number", "shape": [], "source": "test"}
    stream = run.compose_descriptor(name="primary", data_keys={"x": key})
    send("descriptor", stream.descriptor_doc)
    for number in range(n_events):
        send("event", stream.compose_event(data={"x": number / 4}, timestamps={"x": 1.0}))
    send("stop", run.compose_stop())
    return str(run.start_doc["uid"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "catalog"


@pytest.fixture
def runs(folder: Path) -> dict[str, str]:
    """Whole, missing, cut off while it was stored, cut off in its lines, derived and missing."""
    with open_catalog(folder) as catalog:
        with RunWriter(catalog) as writer:
            uids = {name: write_run(writer, 6) for name in ("whole", "missing", "part", "cut")}
        with RunWriter(catalog, container="processed") as writer:
            uids["derived"] = write_run(writer, 2, raw_run=uids["whole"])
        for name in ("missing", "part", "cut"):
            catalog.raw.delete_contents(uids[name], recursive=True, external_only=False)
        catalog.client["processed"].delete_contents(
            uids["derived"], recursive=True, external_only=False
        )
        lines = (catalog.documents_directory / f"{uids['part']}.jsonl").read_bytes()
        some = folder / "some.jsonl"
        some.write_bytes(b"".join(lines.splitlines(keepends=True)[:5]))
        from twinbeam.store import ingest

        ingest(catalog, some)
        some.unlink()
        cut = catalog.documents_directory / f"{uids['cut']}.jsonl"
        whole = cut.read_bytes().splitlines(keepends=True)
        cut.write_bytes(b"".join(whole[:4]) + whole[4][:20])
    return uids


def test_all_runs_that_are_not_stored_whole_are_stored(
    here: InProcess, folder: Path, runs: dict[str, str]
) -> None:
    (folder / "documents" / "broken.jsonl").write_text("no document\n")
    (folder / "documents" / "empty.jsonl").write_text("")  # of a run a full disk refused
    done = here("ingest", "--all", "--catalog", folder, "--json")
    assert done.returncode == 1
    assert "broken.jsonl, line 1: not a document" in done.stderr
    said = {item["run"]: item["stored"] for item in json.loads(done.stdout)["runs"]}
    names = {uid: name for name, uid in runs.items()}
    assert {names.get(uid): stored for uid, stored in said.items()} == {
        "missing": True,
        "part": True,
        "cut": True,
        "derived": True,
        None: False,
    }
    (folder / "documents" / "broken.jsonl").unlink()
    done = here("ingest", "--all", "--catalog", folder)
    assert done.returncode == 0
    assert "is stored whole" in done.stdout
    with open_catalog(folder) as catalog:
        for name, count in (("whole", 6), ("missing", 6), ("part", 6), ("cut", 2)):
            values = catalog.raw[runs[name]]["primary"]["x"].read()
            assert list(values) == [number / 4 for number in range(count)], name
            assert ("stop" in catalog.raw[runs[name]].metadata) == (name != "cut")
        assert list(catalog.client["processed"]) == [runs["derived"]]
        assert all(run.whole for run in kept_runs(catalog))


def test_files_are_named_and_nothing_is_replaced_unless_asked(
    here: InProcess, folder: Path, runs: dict[str, str]
) -> None:
    paths = [folder / "documents" / f"{runs[name]}.jsonl" for name in ("whole", "missing")]
    done = here("ingest", *paths, "--catalog", folder)
    assert done.returncode == 1
    assert f"run {runs['whole']} is stored already" in done.stderr
    assert f"run {runs['missing']} stored from" in done.stdout
    done = here("ingest", paths[0], "--catalog", folder, "--replace")
    assert done.returncode == 0
    assert f"run {runs['whole']} stored anew" in done.stdout


def test_wrong_usage_is_status_2(here: InProcess, tmp_path: Path) -> None:
    for arguments in ((), ("--all", tmp_path / "x.jsonl")):
        done = here("ingest", *arguments, "--catalog", tmp_path)
        assert done.returncode == 2
        assert "--all" in done.stderr

"""Runs by numbers as -1 on the command line, which look like options and are none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from in_process import InProcess
from made_runs import SMALL, MadeRun, make_run

from twinbeam.pipeline import process
from twinbeam.store import RunWriter, open_catalog, store_result


@dataclass(frozen=True)
class Stored:
    """Two runs with results."""

    catalog: Path
    older: MadeRun
    newer: MadeRun


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    folder = tmp_path_factory.mktemp("numbered")
    with open_catalog(folder / "catalog") as catalog, RunWriter(catalog) as writer:
        runs = [make_run(writer, folder, {"scan_id": n}, seed=n, n_files=1) for n in (1, 2)]
        for made in runs:
            store_result(catalog, made.uid, process(made.paths, SMALL))
    return Stored(folder / "catalog", *runs)


@pytest.mark.parametrize("place", ["first", "last"])
def test_export_takes_the_newest_and_the_one_before(
    here: InProcess, stored: Stored, tmp_path: Path, place: str
) -> None:
    options = ["--catalog", str(stored.catalog), "--format", "csv", "--json"]
    for number, made in (("-1", stored.newer), ("-2", stored.older)):
        out = ["--out", str(tmp_path / f"{number}.csv")]
        words = [number, *options, *out] if place == "first" else [*options, *out, number]
        done = here("export", *words)
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["run"] == made.uid


def test_replay_compare_and_reprocess_take_them_too(here: InProcess, stored: Stored) -> None:
    catalog = ("--catalog", stored.catalog)
    done = here("replay", "-2", "--no-store", "--json", *catalog)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["run"] == stored.older.uid
    done = here("compare", "-1", f"-1@{SMALL.hash[:6]}", *catalog)
    assert (done.returncode, done.stderr) == (0, "")
    assert "bit-identical" in done.stdout
    assert here("compare", "-1", "-2", *catalog).returncode == 1
    done = here("reprocess", "-2", "-1", "--workers", "1", "--json", *catalog)
    assert (done.returncode, done.stderr) == (0, "")
    runs = [run["run"] for run in json.loads(done.stdout)["runs"]]
    assert runs == [stored.older.uid, stored.newer.uid]
    done = here("replay", "-9", *catalog)
    assert done.returncode == 1
    assert "-9" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("export", "--fromat", "--out", "never"),
        ("export", "-1", "--out", "never", "--fromat=csv"),
        ("replay", "--no-sotre"),
        ("replay", "-x"),
        ("compare", "-1", "--jsno"),
        ("reprocess", "-1", "--worker=2"),
    ],
)
def test_an_option_that_does_not_exist_is_still_refused(
    here: InProcess, stored: Stored, words: tuple[str, ...]
) -> None:
    done = here(*words, "--catalog", stored.catalog)
    assert done.returncode == 2
    assert done.stdout == ""
    (wrong,) = (word for word in words[1:] if word.startswith("-") and word not in ("-1", "--out"))
    assert wrong in done.stderr

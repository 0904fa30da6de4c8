"""Runs as the group's own profile writes them: replayed and processed like ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from event_model import compose_run
from made_runs import busy_bytes

from twinbeam.cli.app import run as twinbeam
from twinbeam.live import CoincidenceCallback
from twinbeam.pipeline import Recipe, Result, process, recipe_of_start
from twinbeam.replay import replay, replay_jsonl, reprocess, stored_raw_run
from twinbeam.store import Catalog, RunWriter

GEOMETRY = {
    "Epump": 15.0, "dd": 52.0, "theta": 11.576, "del_theta": 0.04, "x_cen": 257.5, "y_cen": 258.5,
}  # fmt: skip
UIDS = ("0c51e1a6", "9f31aa05")
RECIPE = Recipe.from_mapping(
    {
        "geometry": {
            "energy_kev": 15.0,
            "distance_m": 0.52,
            "bragg_deg": 11.576,
            "detuning_deg": 0.04,
            "centre_px": [257.5, 258.5],
        }
    }
)


@pytest.fixture
def legacy(writer: RunWriter, tmp_path: Path) -> tuple[str, list[Path]]:
    """A run of two triggers with two files each: a list of paths in an event, and no sizes."""
    folder = tmp_path / "assets" / "2026" / "04" / "17"
    folder.mkdir(parents=True)
    run = compose_run(metadata={"plan_name": "count", "detectors": ["tpx3"], **GEOMETRY})
    writer("start", run.start_doc)
    key = "tpx3_files_raw_filepaths"
    keys = {
        key: {"source": "SIM:tpx3_files_raw_filepaths", "dtype": "array", "shape": [2]},
        "tpx3_stats1_total": {"source": "PV:TPX3:Stats1:Total_RBV", "dtype": "number", "shape": []},
    }
    stream = run.compose_descriptor(
        name="primary", data_keys=keys, object_keys={"tpx3": list(keys)}
    )
    writer("descriptor", stream.descriptor_doc)
    paths: list[Path] = []
    for trigger, uid in enumerate(UIDS):
        raw = busy_bytes(trigger + 1, 0.2)
        cut = len(raw) // 2 + 3
        named = [folder / f"{uid}_{trigger:05d}_{n:06d}.tpx3" for n in range(2)]
        for path, part in zip(named, (raw[:cut], raw[cut:]), strict=True):
            path.write_bytes(part)
        paths += named
        data: dict[str, Any] = {key: [str(path) for path in named], "tpx3_stats1_total": 1.5e4}
        writer("event", stream.compose_event(data=data, timestamps=dict.fromkeys(data, 1.0)))
    writer("stop", run.compose_stop())
    writer.join()
    return run.start_doc["uid"], paths


def analysed(send: Any, recipe: Recipe | None) -> Result:
    callback = CoincidenceCallback(recipe)
    try:
        send(callback)
        assert callback.wait(60)
        assert callback.health.problems == ()
        assert callback.result is not None
        return callback.result
    finally:
        callback.close()


def test_its_geometry_and_files_are_understood(
    catalog: Catalog, writer: RunWriter, legacy: tuple[str, list[Path]]
) -> None:
    uid, paths = legacy
    start: dict[str, Any] = {}
    named: list[str] = []

    def look(name: str, doc: dict[str, Any]) -> None:
        if name == "start":
            start.update(doc)
        elif name == "event":
            named.extend(doc["data"]["tpx3_files_raw_filepaths"])

    replay(catalog, uid, look)
    assert named == [str(path) for path in paths]
    recipe = recipe_of_start(start)
    assert recipe == RECIPE

    expected = process(paths, RECIPE)
    assert expected.acquisitions == 2
    assert expected.estimate.net > 100
    assert expected.digest() != process(paths).digest()

    raw = stored_raw_run(catalog, uid)
    assert [path for files in raw.acquisitions for path in files] == paths
    assert (raw.recipe, raw.problems) == (RECIPE, ())
    (one,) = reprocess([raw])
    lines = writer.path(uid)
    results = [
        one.result,
        analysed(lambda callback: replay(catalog, uid, callback), recipe),
        analysed(lambda callback: replay_jsonl(lines, callback), recipe),
    ]
    for result in results:
        assert result.differences(expected) == []
        assert result.digest() == expected.digest()


def test_the_command_uses_its_geometry(
    writer: RunWriter, legacy: tuple[str, list[Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    uid, paths = legacy
    assert (
        twinbeam(["replay", "--lines", str(writer.path(uid)), "--catalog", "none", "--json"]) == 0
    )
    values = json.loads(capsys.readouterr().out)
    assert values["recipe_hash"] == RECIPE.hash
    assert values["digest"] == process(paths, RECIPE).digest()

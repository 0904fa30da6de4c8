"""`twinbeam settings`, and commands that take their defaults from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from in_process import InProcess, said


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a user who has set nothing."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("TWINBEAM_CATALOG", "TWINBEAM_TILED_URI", "TWINBEAM_WORKERS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_recipe_that_is_remembered_is_used(
    home: Path, here: InProcess, simulated: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = simulated[0]
    recipe = home / "narrow.yaml"
    recipe.write_text("pairing: {window_ns: 100}\n")
    _, plain, _ = said(capsys, "process", raw)
    assert here("settings", "set", "recipe", recipe).returncode == 0
    _, shown, _ = said(capsys, "settings")
    assert shown["settings"]["recipe"] == {"value": str(recipe), "source": "file"}
    _, remembered, _ = said(capsys, "process", raw)
    _, named, _ = said(capsys, "process", raw, "--recipe", recipe)
    assert remembered["recipe_hash"] == named["recipe_hash"] != plain["recipe_hash"]
    assert here("settings", "unset", "recipe").returncode == 0
    assert said(capsys, "process", raw)[1]["recipe_hash"] == plain["recipe_hash"]


def test_a_catalogue_that_is_remembered_is_looked_for(home: Path, here: InProcess) -> None:
    assert "twinbeam-demo/catalog: no catalogue" in here("replay").stderr
    done = here("settings", "set", "catalog", home / "runs")
    assert "no catalogue is there yet" in done.stderr
    assert f"{home / 'runs'}: no catalogue" in here("replay").stderr
    assert f"{home / 'runs'}: no catalogue" in here("recipe", "from-run", "-1").stderr
    assert "other: no catalogue" in here("replay", "--catalog", "other").stderr


def test_a_broken_file_is_told_and_mended(home: Path, here: InProcess) -> None:
    here("settings", "set", "workers", "2")
    path = Path(here("settings", "path").stdout.strip())
    path.write_text(path.read_text() + "werkers: 3\n")
    done = here("recipe", "show")
    assert (done.returncode, "unknown key 'werkers'" in done.stderr) == (1, True)
    assert here("recipe", "show", "--help").returncode == 0
    doctor = here("doctor", "--no-beamline", "--json", "--catalog", home / "runs")
    faults = [c for c in json.loads(doctor.stdout)["checks"] if c["state"] == "fault"]
    assert [fault["check"] for fault in faults] == ["settings"]
    assert here("settings", "unset", "werkers").returncode == 0
    assert here("recipe", "show").returncode == 0


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("recipe", "missing.yaml", "cannot be read"),
        ("site", "nowhere", "there is no site"),
        ("live_token", "x", "tokens are not kept"),
        ("wokers", "2", "did you mean 'workers'"),
    ],
)
def test_what_is_of_no_use_is_not_remembered(
    home: Path, here: InProcess, key: str, value: str, message: str
) -> None:
    done = here("settings", "set", key, value)
    assert (done.returncode, message in done.stderr) == (1, True)
    assert not (home / "config").exists()

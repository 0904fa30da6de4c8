"""The words of the prompt, and what the environment says of a session."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from IPython.terminal.prompts import Token

from twinbeam.errors import BeamlineError
from twinbeam.profile.environment import (
    data_folder,
    in_queue_worker,
    simulation_arguments,
    site_name,
    use_channel_access,
)
from twinbeam.profile.prompt import BeamlineState, words

CALM = BeamlineState("sim", 399.8, "Closed", 11.526, None)


def text(state: BeamlineState) -> str:
    return "".join(piece for _, piece in words(state))


def alarms(state: BeamlineState) -> list[str]:
    return [piece for token, piece in words(state) if token is Token.OutPrompt]


def test_calm_states_are_short() -> None:
    assert text(CALM) == "sim · 400 mA · shutter closed · θ 11.5260°"
    assert alarms(CALM) == []
    tuned = replace(CALM, theta_deg=11.616, bragg_deg=11.576)
    assert text(tuned).endswith("Δθ +40.0 mdeg")
    assert text(replace(tuned, theta_deg=11.57599)).endswith("Δθ +0.0 mdeg")


@pytest.mark.parametrize(
    ("changed", "alarm"),
    [
        ({"current_ma": 0.2}, "no beam"),
        ({"current_ma": None}, "ring ?"),
        ({"shutter": "Open"}, "shutter open"),
        ({"shutter": None}, "shutter ?"),
        ({"theta_deg": None, "bragg_deg": 11.5}, "θ ?"),
        ({"engine": "paused"}, "RE paused"),
    ],
)
def test_what_one_should_see_stands_out(changed: dict[str, object], alarm: str) -> None:
    assert alarms(replace(CALM, **changed)) == [alarm]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ("0", None),
        ("no", None),
        ("1", []),
        ("yes", []),
        ("--fast --seed=4", ["--fast", "--seed=4"]),
    ],
)
def test_one_switch_starts_the_simulated_beamline(
    monkeypatch: pytest.MonkeyPatch, given: str | None, expected: list[str] | None
) -> None:
    monkeypatch.delenv("TWINBEAM_SIM", raising=False)
    if given is not None:
        monkeypatch.setenv("TWINBEAM_SIM", given)
    assert simulation_arguments() == expected


def test_a_site_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINBEAM_SITE", raising=False)
    assert site_name() is None
    monkeypatch.setenv("TWINBEAM_SITE", "/beamline/mine.yaml")
    assert site_name() == "/beamline/mine.yaml"


def test_options_that_are_none_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINBEAM_SIM", "--seed='4")
    with pytest.raises(BeamlineError, match="TWINBEAM_SIM: --seed='4 is no list of options"):
        simulation_arguments()


def test_another_site_is_looked_for_where_epics_looks() -> None:
    """Its file alone must do where Channel Access needs no list of addresses."""
    theirs = {"TWINBEAM_SITE": "/beamline/mine.yaml"}
    assert not use_channel_access(theirs)
    assert "EPICS_CA_ADDR_LIST" not in theirs
    ours = {"TWINBEAM_SITE": "simulated"}
    assert use_channel_access(ours)
    assert ours["EPICS_CA_ADDR_LIST"]


@pytest.mark.parametrize("variable", ["TWINBEAM_CATALOG", "TWINBEAM_DATA_DIR"])
def test_raw_files_do_not_follow_the_working_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    for each in ("TWINBEAM_CATALOG", "TWINBEAM_DATA_DIR"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(variable, "runs/here")
    monkeypatch.chdir(tmp_path)
    found = data_folder()
    assert found.is_absolute()
    assert found.is_relative_to(tmp_path / "runs")


def test_nobody_waits_for_the_queue_server_to_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("bluesky_queueserver")]:
        monkeypatch.delitem(sys.modules, name)
    assert in_queue_worker() is False
    assert "bluesky_queueserver" not in sys.modules

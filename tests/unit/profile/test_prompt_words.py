"""The words of the prompt, and what the environment says of a session."""

from __future__ import annotations

from dataclasses import replace

import pytest
from IPython.terminal.prompts import Token

from twinbeam.profile.environment import simulation_arguments, site_name
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

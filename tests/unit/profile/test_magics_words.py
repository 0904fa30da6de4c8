"""What is typed wrongly after a magic is one sentence, before anything moves or counts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.error import UsageError
from ophyd.sim import SynAxis

from twinbeam.profile.magics import BeamlineMagics


@pytest.fixture
def magics() -> Any:
    theta = SynAxis(name="theta", labels={"motors"})
    names = {
        "theta": theta,
        "gonio": SimpleNamespace(theta=theta),
        "ring": SimpleNamespace(name="ring", _ophyd_labels_={"ring"}),
        "once": iter([0.25, 0.5]),
    }
    return BeamlineMagics(shell=SimpleNamespace(user_ns=names, configurables=[]))


@pytest.mark.parametrize("name", ["mov", "movr"])
@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "takes a motor and a number"),
        ("theta", "takes a motor and a number"),
        ("theta 11.5 +", "takes a motor and a number"),
        ("theta 11.5 + 1", r"\+ is neither a name nor a number"),
        ("bogus 1", "there is no bogus"),
        ("theta bogus", "there is no bogus"),
        ("theta 1 gonio.tehta 2", "gonio.tehta: .*tehta"),
        ("theta 1 ring 2", "ring cannot be moved"),
    ],
)
def test_a_wrong_move_moves_nothing(magics: Any, name: str, line: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        getattr(magics, name)(line)
    assert magics.shell.user_ns["theta"].position == 0


@pytest.mark.parametrize("name", ["ct", "wa"])
@pytest.mark.parametrize("line", ["bogus", "[theta]", "motors theta"])
def test_a_name_where_a_label_belongs_is_told(magics: Any, name: str, line: str) -> None:
    with pytest.raises(UsageError, match=r"labels .* there are motors, ring, but not"):
        getattr(magics, name)(line)


def test_a_right_move_computes_its_position_once(magics: Any) -> None:
    magics.mov("gonio.theta next(once)")
    assert magics.shell.user_ns["theta"].position == 0.25
    magics.movr("theta 0.5")
    assert magics.shell.user_ns["theta"].position == 0.75

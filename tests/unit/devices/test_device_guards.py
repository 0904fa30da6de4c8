"""Limits for values that are none, and for a switch whose state is not known at once."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from twinbeam.devices import Guards
from twinbeam.errors import BeamlineError

USUAL = {
    "temperature": 30.0,
    "fpga_temperature": 40.0,
    "humidity": 20.0,
    "bias_measured_v": 100.0,
    "bias_set_v": 100.0,
}


class Value:
    """A signal that tells one value, and answers with another one when it is asked."""

    def __init__(self, name: str, told: Any, asked: Any) -> None:
        self.pvname = name
        self._told, self._asked = told, asked

    def get(self, *, use_monitor: bool = True) -> Any:
        return self._told if use_monitor else self._asked


def problems(*, told: Any = "true", asked: Any = "true", **values: float) -> list[str]:
    cam: Any = SimpleNamespace(
        bias_on=Value("BiasEnbl_RBV", told, asked),
        **{name: Value(name, value, value) for name, value in {**USUAL, **values}.items()},
    )
    return [str(each.where) for each in Guards().problems(cam, chips=False)]


def test_what_is_usual_is_within() -> None:
    assert problems() == []


@pytest.mark.parametrize("name", ["temperature", "fpga_temperature", "humidity", "bias_measured_v"])
def test_not_a_number_is_outside(name: str) -> None:
    assert problems(**{name: math.nan})[0] == name


@pytest.mark.parametrize(
    ("told", "asked", "outside"),
    [
        ("true", "true", True),
        ("false", "true", False),
        (None, "true", True),
        ("None", "false", False),
        ("", "", True),
    ],
)
def test_bias_is_compared_while_it_is_on(told: Any, asked: Any, outside: bool) -> None:
    assert problems(told=told, asked=asked, bias_measured_v=50.0) == ["bias_measured_v"] * outside


def test_limits_that_exclude_each_other_are_refused() -> None:
    with pytest.raises((BeamlineError, ValueError), match="min_bias_v 90 is above max_bias_v 50"):
        Guards(min_bias_v=90.0, max_bias_v=50.0)

"""A Channel Access client that fails while a device is made."""

from __future__ import annotations

import pytest

import twinbeam.devices.construct as module
from twinbeam.devices.construct import construct
from twinbeam.errors import BeamlineError


class ClientError(Exception):
    """What a client library raises."""


class Maker:
    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.n_calls = 0

    def __call__(self) -> str:
        self.n_calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "device"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AGAIN_S", 0.0)


def test_it_is_made_when_the_client_has_failed_before() -> None:
    make = Maker(ClientError("unknown type"), TimeoutError())
    assert construct(make, "SIM:") == "device"
    assert make.n_calls == 3


def test_a_client_that_goes_on_failing_is_told() -> None:
    make = Maker(*(ClientError(f"try {n}") for n in range(9)))
    with pytest.raises(BeamlineError, match=r"^SIM:: the device cannot be made: .*Error: try 2"):
        construct(make, "SIM:")


@pytest.mark.parametrize("error", [TypeError("no such option"), BeamlineError("wrong", where="x")])
def test_what_no_connection_makes_better_is_raised_at_once(error: Exception) -> None:
    make = Maker(error)
    with pytest.raises(type(error)):
        construct(make, "SIM:")
    assert make.n_calls == 1

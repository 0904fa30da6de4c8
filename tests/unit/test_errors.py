from __future__ import annotations

import pickle

import pytest

from twinbeam.errors import (
    BeamlineError,
    RawDataError,
    RecipeError,
    StorageError,
    TwinbeamError,
)

KINDS = [TwinbeamError, RawDataError, RecipeError, BeamlineError, StorageError]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_where_what_and_what_next(kind: type[TwinbeamError]) -> None:
    error = kind("is damaged", where="run.tpx3, byte 8", hint="copy it again")
    assert str(error) == "run.tpx3, byte 8: is damaged (copy it again)"
    assert str(kind("is damaged", where="run.tpx3")) == "run.tpx3: is damaged"
    assert str(kind("is damaged", hint="copy it again")) == "is damaged (copy it again)"
    assert str(kind("is damaged")) == "is damaged"
    assert isinstance(error, TwinbeamError)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_crosses_processes_whole(kind: type[TwinbeamError]) -> None:
    error = pickle.loads(pickle.dumps(kind("what", where="where", hint="hint")))  # noqa: S301
    assert type(error) is kind
    assert (error.what, error.where, error.hint) == ("what", "where", "hint")

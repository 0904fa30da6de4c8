"""Messages: what goes in comes out, and nothing else does."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinbeam.errors import BeamlineError
from twinbeam.live.wire import decode, encode, new_token, to_json

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a loaded machine
@given(st.dictionaries(st.text(), values, max_size=5))
def test_a_document_comes_out_as_it_went_in(document: dict[str, object]) -> None:
    assert decode("t0ken", encode("t0ken", "event", document)) == ("event", document)


def test_arrays_are_lists_and_not_a_number_stays() -> None:
    name, doc = decode("t", encode("t", "event", {"a": np.arange(3), "b": math.nan}))
    assert (name, doc["a"]) == ("event", [0, 1, 2])
    assert math.isnan(doc["b"])


def test_bluesky_s_publisher_says_the_same() -> None:
    """Its message is prefix, name and what the serializer gives, with spaces between."""
    message = b" ".join([b"t0ken", b"start", to_json({"uid": "u"})])
    assert decode("t0ken", message) == ("start", {"uid": "u"})


@given(st.binary(max_size=60))
def test_noise_is_refused(noise: bytes) -> None:
    for message in (noise, b"t0ken " + noise, b"t0ken start " + noise):
        with pytest.raises(BeamlineError):
            decode("t0ken", message)


@pytest.mark.parametrize("token", ["", "t0ke", "t0kenn", "T0ken", "t0ken\0"])
def test_another_token_is_refused(token: str) -> None:
    with pytest.raises(BeamlineError, match="token"):
        decode("t0ken", encode(token, "start", {}))


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 32
    assert all(" " not in token for token in tokens)


def test_the_body_is_json() -> None:
    assert json.loads(encode("t", "stop", {"a": 1}).split(b" ", 2)[2])["doc"] == {"a": 1}

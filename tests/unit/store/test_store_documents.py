from __future__ import annotations

import enum
import json
import math
from collections import ChainMap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbeam.errors import StorageError
from twinbeam.store import read_documents
from twinbeam.store.documents import decode_line, encode_line

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def same(a: object, b: object) -> bool:
    """Equality of type and value in which NaN equals itself and -0.0 is not 0.0."""
    return json.dumps(a) == json.dumps(b)


@given(doc=st.dictionaries(st.text(), json_values, max_size=6))
def test_any_document_comes_back_as_it_was_on_one_line(doc: dict[str, object]) -> None:
    line = encode_line("event", doc)
    assert line.count(b"\n") == 1
    name, back = decode_line(line)
    assert name == "event"
    assert same(back, doc)


@given(value=st.floats(width=32) | st.floats())
def test_numpy_numbers_come_back_bit_for_bit(value: float) -> None:
    with np.errstate(over="ignore"):
        numbers = [np.float64(value), np.array(value), np.float32(value)]
    for number in numbers:
        _, back = decode_line(encode_line("event", {"v": number}))
        assert same(back["v"], float(number))


def test_what_json_does_not_know_is_written_as_its_plain_equal() -> None:
    class Mode(enum.Enum):
        LIVE = "live"

    doc = {
        "int": np.int64(2**62),
        "flag": np.bool_(True),
        "array": np.arange(6, dtype=np.uint16).reshape(2, 3),
        "tuple": (1, 2),
        "set": {3, 1, 2},
        "path": Path("/data/run"),
        "mode": Mode.LIVE,
        "map": ChainMap({"a": 1}, {"b": 2}),
        "bytes": b"\x00\x01",
    }
    _, back = decode_line(encode_line("start", doc))
    assert back == {
        "int": 2**62,
        "flag": True,
        "array": [[0, 1, 2], [3, 4, 5]],
        "tuple": [1, 2],
        "set": [1, 2, 3],
        "path": "/data/run",
        "mode": "live",
        "map": {"a": 1, "b": 2},
        "bytes": "data:application/octet-stream;base64,AAE=",
    }


@pytest.mark.parametrize(
    ("value", "kind"), [(object(), "object"), (1j, "complex"), (np.complex128(1j), "complex")]
)
def test_a_value_without_a_json_form_is_refused_by_its_type(value: object, kind: str) -> None:
    with pytest.raises(StorageError, match=f"document u: .* a value of type {kind}"):
        encode_line("start", {"uid": "u", "sample": value})


def test_a_torn_last_line_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "run.jsonl"
    whole = encode_line("start", {"uid": "a"}) + encode_line("event", {"data": {"x": 1.5}})
    for cut in range(1, len(encode_line("stop", {"uid": "z"}))):
        path.write_bytes(whole + encode_line("stop", {"uid": "z"})[:cut])
        names = [name for name, _ in read_documents(path)]
        # The last line is whole but for its newline at the last cut.
        assert names == ["start", "event"] or cut == len(encode_line("stop", {"uid": "z"})) - 1
    assert "torn" in caplog.text


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(encode_line("start", {"uid": "a"}) + b"[1, 2]\n" + b"{}\n")
    documents = read_documents(path)
    assert next(documents)[0] == "start"
    with pytest.raises(StorageError, match=r"run\.jsonl, line 2"):
        next(documents)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"gone\.jsonl: documents cannot be read"):
        list(read_documents(tmp_path / "gone.jsonl"))


def test_not_a_number_stays_one() -> None:
    _, back = decode_line(encode_line("event", {"a": math.nan, "b": math.inf, "c": -0.0}))
    assert math.isnan(back["a"])
    assert back["b"] == math.inf
    assert math.copysign(1, back["c"]) == -1

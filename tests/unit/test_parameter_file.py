"""Parameter files: plain values, each key once, and errors that name the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinbeam.errors import RecipeError
from twinbeam.parameter_file import read_parameter_file

RULE = "a recipe is a mapping"


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_plain_values_are_read_as_they_are(tmp_path: Path) -> None:
    path = write(tmp_path / "p.yaml", "a: {b: [1, 2.5, µ]}\nc: null\n".encode())
    assert read_parameter_file(path, RULE) == {"a": {"b": [1, 2.5, "µ"]}, "c": None}
    assert read_parameter_file(write(path, b"# nothing\n"), RULE) == {}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"- 1", RULE),
        (b"text", RULE),
        (b"\xff\xfe", "cannot be read"),
        (b"a: !!python/object:os.system {}", "no valid YAML"),
        (b"a: 2024-13-45", "no valid YAML"),
        (b"a: 1\n\na: 2", "'a' is there twice, in lines 1 and 3"),
    ],
)
def test_what_is_none_is_an_error_that_names_the_file(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = write(tmp_path / "p.yaml", content)
    with pytest.raises(RecipeError, match=says) as caught:
        read_parameter_file(path, RULE)
    assert caught.value.where == str(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"missing\.yaml"):
        read_parameter_file(tmp_path / "missing.yaml", RULE)

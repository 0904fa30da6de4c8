"""Every command line in the documents and README has a command and options that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from twinbeam.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.M | re.S)
_INLINE = re.compile(r"`+((?:[A-Z_]+=\S+ )*twinbeam [^`]+)`+")


def command_lines(text: str) -> Iterator[str]:
    """What stands behind `twinbeam` in blocks and between backticks."""
    for block in _FENCED.findall(text):
        joined = block.replace("\\\n", " ")
        yield from re.findall(r"^(?:[A-Z_]+=\S+ )*(?:! )?twinbeam (.+)$", joined, re.M)
    for line in _INLINE.findall(_FENCED.sub("", text)):
        yield line.partition("twinbeam ")[2].replace("\n", " ")


def problem(line: str) -> str:
    """What is wrong with a command line; empty when nothing is."""
    command: Any = get_command(app)
    words = [word for word in re.split(r"[\s|>&;#]+", line.split(" #")[0]) if word]
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        word = words.pop(0)
        if word not in command.commands:
            return "" if not re.fullmatch(r"[a-z-]+", word) else f"no command '{word}'"
        command = command.commands[word]
    known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    known |= {"--help", "-h"}
    unknown = [w for w in words if re.match(r"--[a-z]", w) and w.split("=")[0] not in known]
    return f"no option {', '.join(unknown)}" if unknown else ""


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_command_lines_exist(page: Path) -> None:
    lines = list(command_lines(page.read_text(encoding="utf-8")))
    wrong = {line: what for line in lines if (what := problem(line))}
    assert wrong == {}


def test_a_wrong_option_would_be_found() -> None:
    assert problem("process a.tpx3 --ouf b.h5") == "no option --ouf"
    assert problem("proces a.tpx3") == "no command 'proces'"
    assert list(command_lines("see `twinbeam info RAW`")) == ["info RAW"]

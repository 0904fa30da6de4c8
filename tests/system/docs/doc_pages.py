"""Pages of the documents as a list of blocks, each with the marks that stand before it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DOCS", "Block", "blocks_of", "says", "titles"]

DOCS = Path(__file__).parents[3] / "docs"

_FENCE = re.compile(
    r"^(?P<fence>`{3,})(?P<language>[^\n`]*)\n(?P<text>.*?)^(?P=fence)\s*$", re.M | re.S
)
_MARKS = re.compile(r"(?:<!--[^>]*-->\s*)+\Z")
_MARK = re.compile(r"<!--\s*(?P<name>[a-z ]+?)\s*(?::\s*(?P<value>.*?))?\s*-->")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes
    ----------
    page
        Path below the folder of documents.
    language
        What stands behind the fence.
    text
        Its lines.
    marks
        Comments before it: `not run`, `output`, `file`, `status`.
    """

    page: str
    language: str
    text: str
    marks: dict[str, str]


def blocks_of(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    content = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(content):
        before = _MARKS.search(content[: match.start()])
        marks = {m["name"]: m["value"] or "" for m in _MARK.finditer(before[0] if before else "")}
        name = page.relative_to(DOCS).as_posix()
        found.append(Block(name, match["language"].strip(), match["text"], marks))
    return found


def titles(page: Path) -> list[str]:
    """Marks of a page as a whole: those above its title."""
    head = page.read_text(encoding="utf-8").partition("\n# ")[0]
    return [match["name"] for match in _MARK.finditer(head)]


def says(printed: str, shown: str) -> str:
    """What of the shown lines was not printed; empty when all of it was.

    In a line `…` stands for anything; a line that is nothing else stands for any lines. Lengths of
    spaces and rules do not count, for they depend on the widest value.
    """
    there = [_plain(line) for line in printed.splitlines() if line.strip()]
    at, anywhere = 0, True
    for line in (line for line in shown.splitlines() if line.strip()):
        if line.strip() == "…":
            anywhere = True
            continue
        pattern = re.compile(re.sub(r"(?:\\ )?…(?:\\ )?", ".*", re.escape(_plain(line))))
        here = range(at, len(there)) if anywhere else range(at, min(at + 1, len(there)))
        hit = next((n for n in here if pattern.fullmatch(there[n])), None)
        if hit is None:
            return line
        at, anywhere = hit + 1, False
    return ""


def _plain(line: str) -> str:
    line = re.sub(r"[─]+", "─", line)
    return re.sub(r"\s+", " ", line).strip()

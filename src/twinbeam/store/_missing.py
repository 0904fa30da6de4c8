"""Raw files that a run names and that are not there, as one sentence however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["describe_missing"]


def describe_missing(paths: Sequence[Path]) -> str:
    """What is missing, and what to do; empty for no files."""
    if not paths:
        return ""
    places = str(paths[0]) if len(paths) == 1 else f"{paths[0]} … {paths[-1]}"
    what = "no such file" if len(paths) == 1 else f"no such file, {len(paths)} times"
    return f"{places}: {what} (check the path; when moved: 'twinbeam relocate OLD NEW')"

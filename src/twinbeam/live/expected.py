"""Where the raw files of an acquisition that has just begun will be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinbeam.errors import RawDataError
from twinbeam.store import raw_files

__all__ = ["ExpectedFiles", "expected_files"]


@dataclass(frozen=True)
class ExpectedFiles:
    """Files `template.format(index)` in a folder, numbered from 0.

    Attributes
    ----------
    acquisition
        As in `RawFiles`.
    folder, template
        Their folder, and the python format of their names.
    """

    acquisition: str
    folder: Path
    template: str


def expected_files(descriptor: Mapping[str, Any], detector: str) -> ExpectedFiles | None:
    """What the configuration of a detector says of the files it is going to write.

    The detector tells it when it is staged, before an event can name files that are complete. None
    when it does not, or what it says makes no sense; the events tell in any case.
    """
    of_detector = descriptor.get("configuration", {}).get(detector, {})
    said = of_detector.get("data", {}) if isinstance(of_detector, Mapping) else {}
    uri, template = said.get(f"{detector}_next_uri"), said.get(f"{detector}_next_template")
    if not uri or not template:
        return None
    one = {"uri": uri, "template": template, "first": 0, "count": 1, "bytes": 0}
    try:
        files = raw_files({f"{detector}_raw_{key}": value for key, value in one.items()}, detector)
    except RawDataError:
        return None
    return ExpectedFiles(files.acquisition, files.paths[0].parent, str(template))

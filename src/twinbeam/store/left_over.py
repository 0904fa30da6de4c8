"""Raw files on the disk that belong to a run's acquisitions and that no event of it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinbeam.errors import RawDataError
from twinbeam.store.raw_keys import raw_detectors, raw_files
from twinbeam.store.relocations import Relocations

if TYPE_CHECKING:
    from twinbeam.store.catalog import Catalog

__all__ = ["LeftOver", "LeftOverFinder", "left_over"]


@dataclass(frozen=True)
class LeftOver:
    """A raw file that the detector wrote and the run does not name.

    Attributes
    ----------
    path
        The file.
    n_bytes
        Its size.
    complete
        Whether a later file of the acquisition has bytes, so that this one will not change; the
        last file may have been cut short.
    """

    path: Path
    n_bytes: int
    complete: bool


class LeftOverFinder:
    """A callback for the documents of one run, in their order, that then finds such files.

    The detector numbers the files of an acquisition from 0 without a hole, so they are the ones
    behind the last that is named. Acquisitions are known from the events, and from what the
    detector said when it was staged, so one that ended before its first event counts too. Runs of
    the CHX profile list their files and tell no template; nothing is left over of them.
    """

    def __init__(self) -> None:
        self._detectors: dict[str, tuple[str, ...]] = {}
        self._named: dict[tuple[str, str], int] = {}  # folder and template → files named

    def __call__(self, name: str, doc: Mapping[str, Any]) -> None:
        """Take one document."""
        if name == "descriptor":
            self._detectors[doc["uid"]] = raw_detectors(doc)
            for detector in self._detectors[doc["uid"]]:
                said = doc.get("configuration", {}).get(detector, {}).get("data", {})
                uri, template = (said.get(f"{detector}_next_{key}") for key in ("uri", "template"))
                if uri and template:
                    self._named.setdefault((str(uri), str(template)), 0)
        elif name in ("event", "event_page"):
            for detector in self._detectors.get(doc["descriptor"], ()):
                self._note(doc["data"], detector, paged=name == "event_page")

    def _note(self, data: Mapping[str, Any], detector: str, *, paged: bool) -> None:
        keys = [f"{detector}_raw_{key}" for key in ("uri", "template", "first", "count")]
        if not all(key in data for key in keys):
            return
        rows = zip(*(data[key] if paged else [data[key]] for key in keys), strict=True)
        for uri, template, first, count in rows:
            acquisition = str(uri), str(template)
            self._named[acquisition] = max(self._named.get(acquisition, 0), int(first) + int(count))

    def found(self, relocations: Relocations | None = None) -> tuple[LeftOver, ...]:
        """The files there are now.

        Parameters
        ----------
        relocations
            Folders of raw files that were moved since the run.
        """
        found: list[LeftOver] = []
        for (uri, template), count in self._named.items():
            found += _behind(uri, template, count, relocations)
        return tuple(found)


def left_over(catalog: Catalog, run_uid: str) -> tuple[LeftOver, ...]:
    """Files that a stored run does not name, as after an IOC that died in its acquisition."""
    finder = LeftOverFinder()
    for name, doc in catalog.raw[run_uid].documents():
        finder(name, doc)
    return finder.found(Relocations.of(catalog))


def _behind(uri: str, template: str, first: int, relocations: Relocations | None) -> list[LeftOver]:
    """Files of an acquisition from an index on, as far as there are any."""
    sizes: list[tuple[Path, int]] = []
    while (path := _path(uri, template, first + len(sizes), relocations)) is not None:
        try:
            sizes.append((path, path.stat().st_size))
        except OSError:
            break
    last = max((n for n, (_, size) in enumerate(sizes) if size), default=-1)
    return [LeftOver(path, size, n < last) for n, (path, size) in enumerate(sizes)]


def _path(uri: str, template: str, index: int, relocations: Relocations | None) -> Path | None:
    one = {"uri": uri, "template": template, "first": index, "count": 1, "bytes": 0}
    try:
        files = raw_files({f"d_raw_{key}": value for key, value in one.items()}, "d", relocations)
    except RawDataError:
        return None
    return files.paths[0]

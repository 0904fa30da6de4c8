"""One run's documents → its result; no threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from twinbeam.errors import RawDataError, RecipeError, TwinbeamError
from twinbeam.live.health import Health
from twinbeam.pipeline import Pipeline, Recipe, Result
from twinbeam.store import RawFiles, raw_detectors, raw_files
from twinbeam.tpx3 import iterate_file

__all__ = ["Reduction"]


class Reduction:
    """Feeds the raw files that a run's documents name to a pipeline.

    Parameters
    ----------
    start
        The run's start document; its ``recipe`` is used unless another is given.
    recipe
        Recipe to use instead.
    on_file
        Called with this reduction after every file.
    """

    def __init__(
        self,
        start: Mapping[str, Any],
        recipe: Recipe | None = None,
        on_file: Callable[[Reduction], None] | None = None,
    ) -> None:
        self.start = start
        self._on_file = on_file
        self._detectors: dict[str, tuple[str, ...]] = {}
        self._acquisition: str | None = None
        self._named: set[Path] = set()
        self.health = Health(run=str(start["uid"]), state="running")
        if recipe is None:
            try:
                recipe = Recipe.from_mapping(start.get("recipe") or {}, where="start document")
            except RecipeError as error:
                recipe = Recipe()
                self.note(f"{error}; the default recipe is used")
        self._pipeline = Pipeline(recipe)
        self.result: Result = self._pipeline.snapshot()

    @property
    def has_raw_data(self) -> bool:
        """Whether a stream of the run names raw files."""
        return bool(self._detectors)

    def note(self, problem: str) -> None:
        """Remember what went wrong."""
        self.health = replace(self.health, problems=(*self.health.problems, problem))

    def descriptor(self, doc: Mapping[str, Any]) -> None:
        """Learn which detectors a stream names raw files of."""
        detectors = raw_detectors(doc)
        if detectors:
            self._detectors[str(doc["uid"])] = detectors

    def event(self, descriptor: str, data: Mapping[str, Any]) -> None:
        """Process the raw files one event names."""
        for detector in self._detectors.get(descriptor, ()):
            try:
                files = raw_files(data, detector)
            except RawDataError as error:
                self.note(str(error))
                continue
            self._process(files)

    def _process(self, files: RawFiles) -> None:
        if files.paths and self._named.issuperset(files.paths):
            return  # read again without a new exposure, as in a second stream: the same data
        self._named.update(files.paths)
        self.health = replace(
            self.health,
            files_named=self.health.files_named + len(files.paths),
            bytes_named=self.health.bytes_named + files.n_bytes,
        )
        if files.acquisition != self._acquisition:
            self._pipeline.next_acquisition()
            self._acquisition = files.acquisition
        size, failed = 0, 0
        for path in files.paths:
            try:
                for block in iterate_file(path):
                    self._pipeline.feed(block)
                    size += len(block)
            except TwinbeamError as error:
                self.note(str(error))
                failed += 1
        self.health = replace(
            self.health,
            files_read=self.health.files_read + len(files.paths) - failed,
            files_failed=self.health.files_failed + failed,
            bytes_read=self.health.bytes_read + size,
        )
        if size != files.n_bytes and not failed:
            names = " … ".join(dict.fromkeys(str(p) for p in (files.paths[0], files.paths[-1])))
            self.note(f"{names}: {size:,} bytes on disk, the run says {files.n_bytes:,}")
        self.publish(self._pipeline.snapshot())

    def publish(self, result: Result) -> None:
        """Make a result the present one."""
        self.result = result
        self.health = replace(self.health, version=self.health.version + 1)
        if self._on_file is not None:
            self._on_file(self)

    def stop(self) -> None:
        """Finish: everything held back is decided."""
        result = self._pipeline.finish()
        damage = result.census.describe_damage()
        if damage:
            self.note(f"the raw data are damaged: {damage}")
        state = "damaged" if self.health.problems else "complete"
        self.health = replace(self.health, state=state)
        self.publish(result)

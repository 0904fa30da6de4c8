"""One run's documents and raw files → its result; no threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from twinbeam.errors import RawDataError, RecipeError, TwinbeamError
from twinbeam.live.expected import expected_files
from twinbeam.live.fed import Part, part_from_json, unfed
from twinbeam.live.growing import GrowingFiles
from twinbeam.live.health import Health
from twinbeam.pipeline import (
    Pipeline,
    Recipe,
    Result,
    load_checkpoint,
    recipe_of_start,
    save_checkpoint,
)
from twinbeam.store import RawFiles, Relocations, raw_detectors, raw_files
from twinbeam.tpx3 import check_raw_file, iterate_bytes

__all__ = ["Reduction"]


class Reduction:
    """Feeds the raw files that a run's documents name to a pipeline.

    The result is that of the named files in their order, however and whenever they were read. With
    `grow` bytes are read before an event names their file; when it turns out that they are no part
    of the run, as those of a frame that was cut short, the pipeline is made anew without them.

    Parameters
    ----------
    start
        The run's start document; its recipe, or the geometry its older keys tell, is used unless
        another is given.
    recipe
        Recipe to use instead.
    on_file
        Called with this reduction after every event that names files; without it a result is only
        made when `refresh` is called.
    relocations
        Folders of raw files that were moved since the run.
    """

    def __init__(
        self,
        start: Mapping[str, Any],
        recipe: Recipe | None = None,
        on_file: Callable[[Reduction], None] | None = None,
        relocations: Relocations | None = None,
    ) -> None:
        self.start = start
        self._relocations = relocations
        self._on_file = on_file
        self._detectors: dict[str, tuple[str, ...]] = {}
        self._named: list[Part] = []
        self._known: set[Path] = set()
        self._fed: list[Part] = []
        self._agreed = 0  # so many files were fed as they were named
        self._growing: tuple[str, GrowingFiles] | None = None
        self._checkpoints: list[Path] = []
        self.health = Health(run=str(start["uid"]), state="running")
        if recipe is None:
            try:
                recipe = recipe_of_start(start) or Recipe()
            except RecipeError as error:
                recipe = Recipe()
                self.note(f"{error}; the default recipe is used")
        self.recipe = recipe
        self._pipeline = Pipeline(recipe)
        self.result: Result = self._pipeline.snapshot()

    @property
    def has_raw_data(self) -> bool:
        """Whether a stream of the run names raw files."""
        return bool(self._detectors)

    @property
    def newest_path(self) -> Path | None:
        """The file the newest bytes are from."""
        return self._fed[-1].path if self._fed else None

    @property
    def behind_bytes(self) -> int:
        """Bytes on disk behind those that were fed, in the file that grows."""
        if self._growing is None or not self._fed:
            return 0
        last = self._fed[-1]
        return max(0, _size(last.path) - last.n_bytes)

    def note(self, problem: str) -> None:
        """Remember what went wrong, once."""
        if problem not in self.health.problems:
            self.health = replace(self.health, problems=(*self.health.problems, problem))

    # --- documents --------------------------------------------------------------------------

    def descriptor(self, doc: Mapping[str, Any]) -> None:
        """Learn which detectors a stream names raw files of, and where the first ones will be."""
        detectors = raw_detectors(doc)
        if not detectors:
            return
        self._detectors[str(doc["uid"])] = detectors
        expected = expected_files(doc, detectors[0]) if len(detectors) == 1 else None
        if expected is None or self._growing is not None or self._named:
            return
        growing = GrowingFiles(expected.folder, expected.template)
        self._growing = expected.acquisition, growing
        last = self._fed[-1] if self._fed else None
        if last is not None and last.acquisition == expected.acquisition:
            growing.go_on(last.path, last.n_bytes)

    def event(self, descriptor: str, data: Mapping[str, Any]) -> None:
        """Process the raw files one event names."""
        for detector in self._detectors.get(descriptor, ()):
            try:
                files = raw_files(data, detector, self._relocations)
            except RawDataError as error:
                self.note(str(error))
                continue
            self._name(files)

    def stop(self) -> None:
        """Finish: everything held back is decided."""
        self._growing = None
        if len(self._fed) > len(self._named):
            self._feed_named(final=True)
        result = self._pipeline.finish()
        damage = result.census.describe_damage()
        if damage:
            self.note(f"the raw data are damaged: {damage}")
        state = "damaged" if self.health.problems else "complete"
        self.health = replace(self.health, state=state)
        self.publish(result)

    def _name(self, files: RawFiles) -> None:
        if files.paths and self._known.issuperset(files.paths):
            return  # read again without a new exposure, as in a second stream: the same data
        self._known.update(files.paths)
        before = len(self._named)
        sound = [path for path in files.paths if self._is_sound(files.acquisition, path)]
        sizes = [(path, _size(path)) for path in sound]
        self._named += [Part(files.acquisition, path, size) for path, size in sizes if size]
        failed = len(files.paths) - len(sound) + self._feed_named()
        n_bytes = sum(part.n_bytes for part in self._named[before:])
        announced = files.n_bytes if files.recorded else n_bytes
        health = self.health
        self.health = replace(
            health,
            files_named=health.files_named + len(files.paths),
            files_read=health.files_read + len(files.paths) - failed,
            files_failed=health.files_failed + failed,
            bytes_named=health.bytes_named + announced,
            bytes_read=health.bytes_read + n_bytes,
        )
        if n_bytes != announced and not failed:
            names = " … ".join(dict.fromkeys(str(p) for p in (files.paths[0], files.paths[-1])))
            self.note(f"{names}: {n_bytes:,} bytes on disk, the run says {announced:,}")
        if self._on_file is not None:
            self.refresh()

    def _is_sound(self, acquisition: str, path: Path) -> bool:
        """Whether a named file is there; the first of an acquisition must hold a chunk header."""
        goes_on = bool(self._named) and self._named[-1].acquisition == acquisition
        if goes_on and path.is_file():
            return True
        try:
            check_raw_file(path)
        except TwinbeamError as error:
            self.note(str(error))
            return False
        return True

    # --- bytes ------------------------------------------------------------------------------

    def grow(self, most_bytes: int) -> int:
        """Read what is new in files that no event has named yet; return how many bytes.

        Parameters
        ----------
        most_bytes
            At most about so many, so that whoever calls can do something else in between.
        """
        if self._growing is None:
            return 0
        acquisition, growing = self._growing
        n = 0
        for block in growing.new_blocks(most_bytes):
            assert growing.open_path is not None
            if not self._fed or self._fed[-1].path != growing.open_path:
                self._begin(acquisition, growing.open_path)
            self._feed(block)
            n += len(block)
        return n

    def _begin(self, acquisition: str, path: Path) -> None:
        if not self._fed or self._fed[-1].acquisition != acquisition:
            self._pipeline.next_acquisition()
        self._fed.append(Part(acquisition, path, 0))

    def _feed(self, block: memoryview | bytes) -> None:
        self._pipeline.feed(block)
        last = self._fed[-1]
        self._fed[-1] = replace(last, n_bytes=last.n_bytes + len(block))

    def _feed_named(self, *, final: bool = False) -> int:
        """Feed what was named and not fed, from anew if need be; return how many files failed."""
        ahead = len(self._fed) > len(self._named)
        left = self._left()
        # Bytes that were read ahead stand where they are when they follow all that was named.
        if left is None or (ahead and (left or final)):
            self._again()
            ahead = False
            left = self._left() or []
        failed = sum(not self._feed_file(at, first) for at, first in left)
        self._agreed = len(self._named)
        if self._growing is not None and self._named and not ahead:
            self._go_on_behind(self._named[-1])
        return failed

    def _left(self) -> list[tuple[int, int]] | None:
        """Rows of what was named that are not fed, each with the byte to go on from."""
        n = self._agreed
        left = unfed(self._fed[n : len(self._named)], self._named[n:])
        return None if left is None else [(n + at, first) for at, first in left]

    def _feed_file(self, at: int, first: int) -> bool:
        """Feed a named file from a byte on; whether that was possible."""
        part = self._named[at]
        if not first:
            self._begin(part.acquisition, part.path)
        try:
            for block in iterate_bytes(part.path, first):
                self._feed(block)
        except TwinbeamError as error:
            self.note(str(error))
            return False
        finally:
            self._named[at] = self._fed[at]  # what is read now is what the run has
        return True

    def _go_on_behind(self, part: Part) -> None:
        """Files from the one behind `part` on are the ones that grow."""
        assert self._growing is not None
        acquisition, growing = self._growing
        if part.acquisition != acquisition:
            self._growing = None
            return
        growing.skip_behind(part.path)

    def _again(self) -> None:
        """Bytes were fed that are no part of the run: begin anew, from a checkpoint if one fits."""
        self._agreed = 0
        if self._growing is not None:
            self._growing[1].restart()
        for path in reversed(self._checkpoints):
            if self._load(path) and self._left() is not None:
                return
        self._pipeline, self._fed = Pipeline(self.recipe), []

    # --- results ----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Make a result of what was fed so far."""
        self.publish(self._pipeline.snapshot())

    def publish(self, result: Result) -> None:
        """Make a result the present one."""
        self.result = result
        self.health = replace(self.health, version=self.health.version + 1)
        if self._on_file is not None:
            self._on_file(self)

    # --- checkpoints ------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Write a checkpoint, from which a new reduction of the same run can go on.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        about = {"run": self.health.run, "fed": [part.as_json() for part in self._fed]}
        save_checkpoint(path, self._pipeline, about)
        if path not in self._checkpoints:
            self._checkpoints.append(path)

    def restore(self, path: Path) -> bool:
        """Go on from a checkpoint, before the first document; whether that was possible.

        It is not when a file has changed since, or it is of another run, recipe or version.
        """
        if not self._load(path):
            return False
        self._checkpoints.append(path)
        return True

    def _load(self, path: Path) -> bool:
        try:
            pipeline, about = load_checkpoint(path, self.recipe.hash)
            fed = [part_from_json(values) for values in about["fed"]]
        except (TwinbeamError, LookupError, TypeError, ValueError):
            return False
        whole = all(_size(part.path) == part.n_bytes for part in fed[:-1])
        begun = not fed or _size(fed[-1].path) >= fed[-1].n_bytes
        if about.get("run") != self.health.run or not (whole and begun):
            return False
        self._pipeline, self._fed = pipeline, fed
        return True


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0

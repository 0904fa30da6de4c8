"""One run's documents and raw files → its result; no threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from twinbeam.errors import RawDataError, RecipeError, TwinbeamError
from twinbeam.live.expected import expected_files
from twinbeam.live.fed import Part, unfed
from twinbeam.live.fed_pipeline import BESIDE_FROM_BYTES, FedPipeline, size_of
from twinbeam.live.growing import GrowingFiles
from twinbeam.live.health import Health
from twinbeam.pipeline import Recipe, Result, recipe_of_start
from twinbeam.pipeline.slabs import Slab
from twinbeam.store import RawFiles, Relocations, raw_detectors, raw_files
from twinbeam.store._missing import describe_missing
from twinbeam.tpx3 import check_raw_file, iterate_bytes

__all__ = ["Reduction"]


class Reduction:
    """Feeds the raw files that a run's documents name to a pipeline.

    The result is that of the named files in their order, however and whenever they were read. With
    `grow` bytes are read before an event names their file; when it turns out that they are no part
    of the run, as those of a frame that was cut short, the pipeline is made anew without them.

    A recipe describes one detector. When the events of a run name raw files of several, those of
    the first by name are analysed, and the others counted.

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
    workers
        Threads that read files beside each other when many bytes are named at once.
    """

    def __init__(
        self,
        start: Mapping[str, Any],
        recipe: Recipe | None = None,
        on_file: Callable[[Reduction], None] | None = None,
        relocations: Relocations | None = None,
        *,
        workers: int = 1,
    ) -> None:
        self.start = start
        self._relocations = relocations
        self._on_file = on_file
        self._detectors: dict[str, tuple[str, ...]] = {}
        self._detector = ""
        self._named: list[Part] = []
        self._known: set[Path] = set()
        self._missing: list[Path] = []
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
        self._fed = FedPipeline(recipe, workers)
        self.result: Result = self._fed.pipeline.snapshot()

    @property
    def has_raw_data(self) -> bool:
        """Whether a stream of the run names raw files."""
        return bool(self._detectors)

    @property
    def files_named(self) -> bool:
        """Whether files with bytes in them were named."""
        return bool(self._named)

    @property
    def n_bytes(self) -> int:
        """Bytes of files that were fed."""
        return self._fed.n_bytes

    @property
    def newest_path(self) -> Path | None:
        """The file the newest bytes are from."""
        return self._fed.parts[-1].path if self._fed.parts else None

    @property
    def behind_bytes(self) -> int:
        """Bytes on disk behind those that were fed, in the file that grows."""
        if self._growing is None or not self._fed.parts:
            return 0
        last = self._fed.parts[-1]
        return max(0, size_of(last.path) - last.n_bytes)

    def note(self, problem: str) -> None:
        """Remember what went wrong, once."""
        self.health = self.health.noted(problem)

    # --- documents --------------------------------------------------------------------------

    def descriptor(self, doc: Mapping[str, Any]) -> None:
        """Learn which detectors a stream names raw files of, and where the first ones will be."""
        detectors = raw_detectors(doc)
        if not detectors:
            return
        self._detectors[str(doc["uid"])] = detectors
        self._detector = self._detector or detectors[0]
        if self._detector not in detectors:
            return
        expected = expected_files(doc, self._detector)
        if expected is None or self._growing is not None or self._named:
            return
        growing = GrowingFiles(expected.folder, expected.template)
        self._growing = expected.acquisition, growing
        last = self._fed.parts[-1] if self._fed.parts else None
        if last is not None and last.acquisition == expected.acquisition:
            growing.go_on(last.path, last.n_bytes)

    def event(self, descriptor: str, data: Mapping[str, Any]) -> None:
        """Process the raw files one event names."""
        self.events([(descriptor, data)])

    def events(self, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Process the raw files that events name, given with the uids of their descriptors.

        Many at once can be read beside each other; the result is the same.
        """
        accounts = []
        for descriptor, data in rows:
            for detector in self._detectors.get(descriptor, ()):
                try:
                    files = raw_files(data, detector, self._relocations)
                except RawDataError as error:
                    self.note(str(error))
                    continue
                if detector != self._detector:
                    self._leave_out(detector, files)
                elif not files.paths or not self._known.issuperset(files.paths):
                    # read again without a new exposure, as in a second stream, it is the same data
                    accounts.append(self._name(files))
        if not accounts:
            return
        failed = self._feed_named()
        for account in accounts:
            self._settle(account, failed)
        if self._on_file is not None:
            self.refresh()

    def stop(self, *, interrupted: bool = False) -> None:
        """Finish: everything held back is decided.

        Parameters
        ----------
        interrupted
            Whether the run has no stop document and gets none any more.
        """
        self._growing = None
        if len(self._fed.parts) > len(self._named):
            self._feed_named(final=True)
        result = self._fed.pipeline.finish()
        if damage := result.census.describe_damage():
            self.note(f"the raw data are damaged: {damage}")
        self.end(result, interrupted=interrupted)

    def end(self, result: Result, *, interrupted: bool = False, **about: Any) -> None:
        """Make a result the last one of the run, which may be from elsewhere, as with `publish`."""
        if interrupted:
            self.note("the run was interrupted: its documents end without a stop")
            state = "interrupted"
        else:
            state = "damaged" if self.health.problems else "complete"
        self.health = replace(self.health, state=state)
        self.publish(result, **about)

    def _leave_out(self, detector: str, files: RawFiles) -> None:
        n = self.health.files_left_out + len(files.paths)
        self.health = replace(self.health, files_left_out=n)
        self.note(
            f"the run names raw files of {self._detector} and {detector}: the recipe describes one"
            f" detector, those of {detector} are left out"
        )

    def _name(self, files: RawFiles) -> _Account:
        self._known.update(files.paths)
        first = len(self._named)
        sound = [path for path in files.paths if self._is_sound(files.acquisition, path)]
        sizes = [(path, size_of(path)) for path in sound]
        self._named += [Part(files.acquisition, path, size) for path, size in sizes if size]
        return _Account(files, range(first, len(self._named)), len(files.paths) - len(sound))

    def _settle(self, account: _Account, failed_rows: set[int]) -> None:
        """Count what became of named files."""
        files, rows = account.files, account.rows
        failed = account.n_unsound + len(failed_rows.intersection(rows))
        n_bytes = sum(self._named[row].n_bytes for row in rows)
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

    def _is_sound(self, acquisition: str, path: Path) -> bool:
        """Whether a named file is there; the first of an acquisition must hold a chunk header."""
        goes_on = bool(self._named) and self._named[-1].acquisition == acquisition
        if goes_on and path.is_file():
            return True
        if not path.exists():
            told = describe_missing(self._missing)
            self._missing.append(path)
            self.health = self.health.noted(describe_missing(self._missing), instead_of=told)
            return False
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

        def blocks() -> Iterator[tuple[Path, memoryview]]:
            nonlocal n
            for block in growing.new_blocks(most_bytes):
                assert growing.open_path is not None
                n += len(block)
                yield growing.open_path, block

        self._fed.feed(acquisition, blocks(), growing.waiting_bytes(most_bytes))
        return n

    def _feed_named(self, *, final: bool = False) -> set[int]:
        """Feed what was named and not fed, from anew if need be; return rows that failed."""
        ahead = len(self._fed.parts) > len(self._named)
        left = self._left()
        # Bytes that were read ahead stand where they are when they follow all that was named.
        if left is None or (ahead and (left or final)):
            self._again()
            ahead = False
            left = self._left() or []
        try:
            self._feed_beside(left)
        except TwinbeamError:  # read again, one after the other, which tells which file it is
            self._again()
        left = self._left() or []
        failed = {at for at, first in left if not self._feed_file(at, first)}
        self._agreed = len(self._named)
        if self._growing is not None and self._named and not ahead:
            self._go_on_behind(self._named[-1])
        return failed

    def _left(self) -> list[tuple[int, int]] | None:
        """Rows of what was named that are not fed, each with the byte to go on from."""
        n = self._agreed
        left = unfed(self._fed.parts[n : len(self._named)], self._named[n:])
        return None if left is None else [(n + at, first) for at, first in left]

    def _feed_file(self, at: int, first: int) -> bool:
        """Feed a named file from a byte on; whether that was possible."""
        part = self._named[at]
        blocks = chain([b""], iterate_bytes(part.path, first))
        try:
            self._fed.feed(part.acquisition, ((part.path, memoryview(b)) for b in blocks), 0)
        except TwinbeamError as error:
            self.note(str(error))
            return False
        finally:
            self._named[at] = self._fed.parts[at]  # what is read now is what the run has
        return True

    def _feed_beside(self, left: Sequence[tuple[int, int]]) -> None:
        """Feed named files on several threads where there are many bytes.

        Raises
        ------
        TwinbeamError
            If a file cannot be read; everything has to be fed again then.
        """
        for acquisition, rows in groupby(left, lambda row: self._named[row[0]].acquisition):
            files = [(self._named[at], first) for at, first in rows]
            size = sum(part.n_bytes - first for part, first in files)
            if size < BESIDE_FROM_BYTES:
                return
            self._fed.feed(acquisition, _blocks(files), size)

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
            if self._fed.load(path, self.health.run) and self._left() is not None:
                return
        self._fed.restart()

    # --- results ----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Make a result of what was fed so far."""
        self.publish(self._fed.pipeline.snapshot())

    def publish(self, result: Result, **about: Any) -> None:
        """Make a result the present one, which may be from elsewhere.

        Parameters
        ----------
        about
            Fields of the health that tell where it is from; of files when there are none.
        """
        self.result = result
        about.setdefault("source", "files")
        self.health = replace(self.health, version=self.health.version + 1, **about)
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
        self._fed.save(path, self.health.run)
        if path not in self._checkpoints:
            self._checkpoints.append(path)

    def restore(self, path: Path) -> bool:
        """Go on from a checkpoint, before the first document; whether that was possible.

        It is not when a file has changed since, or it is of another run, recipe or version.
        """
        if not self._fed.load(path, self.health.run):
            return False
        self._checkpoints.append(path)
        return True


def _blocks(files: Sequence[tuple[Part, int]]) -> Iterator[tuple[Path, memoryview]]:
    """Bytes of files from their first byte on, as many as were named."""
    for part, first in files:
        yield part.path, memoryview(b"")
        for block in Slab(first, ((part.path, first, part.n_bytes),)).blocks():
            yield part.path, block


@dataclass(frozen=True)
class _Account:
    """Files that an event named: their rows in all that was named, and how many are unusable."""

    files: RawFiles
    rows: range
    n_unsound: int

"""What workers do: values that travel to another process, and the functions that do the work."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from twinbeam.errors import RawDataError, StorageError
from twinbeam.pipeline import Recipe
from twinbeam.pipeline.partial import Partial, count_range
from twinbeam.pipeline.slabs import Slab
from twinbeam.pipeline.tables import Tables
from twinbeam.replay.code_version import code_version
from twinbeam.tpx3 import Decoder

__all__ = ["CountTask", "SkimTask", "Skimmed", "Task", "run_task", "stamps_of", "where_of"]

Stamp = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class SkimTask:
    """Read a slab for the clock only.

    Attributes
    ----------
    slab
        What is read.
    decoder
        One that has read everything before; None at the start of the acquisition.
    stamps
        Of its files, as they were when the work was planned.
    digest
        Whether the content is wanted as a digest too.
    """

    slab: Slab
    decoder: Decoder | None
    stamps: tuple[Stamp, ...]
    digest: bool
    version: str = field(default_factory=code_version)


@dataclass(frozen=True, eq=False)
class Skimmed:
    """A decoder that has read a slab and everything before, and the SHA-256 of the slab."""

    decoder: Decoder
    sha256: str | None


@dataclass(frozen=True, eq=False)
class CountTask:
    """Process a range of an acquisition, see `count_range`."""

    recipe: Recipe
    slabs: tuple[Slab, ...]
    following: Slab | None
    decoder: Decoder | None
    version: str = field(default_factory=code_version)


Task = SkimTask | CountTask


def run_task(task: Task) -> Skimmed | Partial:
    """Do what a task asks for.

    Raises
    ------
    RawDataError
        If a file is unreadable, or was changed since the work was planned.
    RecipeError
        If a file the recipe names cannot be read or was changed.
    StorageError
        If the task comes from another version of the program.
    """
    if task.version != code_version():
        raise StorageError(
            f"a worker runs twinbeam {code_version()}, the work is of {task.version}",
            hint="install the same version everywhere and start the workers again",
        )
    if isinstance(task, SkimTask):
        return _skim(task)
    # the task stays as it is: it may have to be done again
    decoder = None if task.decoder is None else task.decoder.fork()
    return count_range(_tables(task.recipe), task.slabs, task.following, decoder)


def stamps_of(slab: Slab) -> tuple[Stamp, ...]:
    """What changes when a file of the slab does: device, inode, size, times of its change."""
    stamps = []
    for path, _, _ in slab.parts:
        try:
            s = path.stat()
        except OSError as error:
            raise RawDataError(f"cannot be read: {error.strerror}", where=str(path)) from error
        stamps.append((s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns))
    return tuple(stamps)


def where_of(slabs: Sequence[Slab]) -> str:
    """Files and bytes, for people."""
    path, start, _ = slabs[0].parts[0]
    last, _, stop = slabs[-1].parts[-1]
    return f"{path}, bytes {start:,} to {'' if last == path else f'{last}, byte '}{stop:,}"


def _skim(task: SkimTask) -> Skimmed:
    decoder = Decoder(task.slab.first_byte) if task.decoder is None else task.decoder.fork()
    digest = hashlib.sha256()
    for block in task.slab.blocks():
        decoder.skim(block)
        if task.digest:
            digest.update(block)
    if stamps_of(task.slab) != task.stamps:
        raise RawDataError(
            "was changed while it was read",
            where=where_of([task.slab]),
            hint="process it when nobody writes it any more",
        )
    return Skimmed(decoder.fork(), digest.hexdigest() if task.digest else None)


_known_tables: dict[str, Tables] = {}


def _tables(recipe: Recipe) -> Tables:
    """Tables of a recipe, which a worker needs for every range."""
    key = recipe.model_dump_json()
    if key not in _known_tables:
        _known_tables.clear()
        _known_tables[key] = Tables.of(recipe)
    return _known_tables[key]

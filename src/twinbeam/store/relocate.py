"""Raw files that were moved: where the catalogue looks for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinbeam.errors import StorageError
from twinbeam.store._answers import told_by_tiled
from twinbeam.store._paths import servable_path
from twinbeam.store._raw_node import has_readable_files, put_node, raw_source
from twinbeam.store.registered import RegisteredFiles, files_of_node
from twinbeam.store.relocations import Relocations

if TYPE_CHECKING:
    from twinbeam.store.catalog import Catalog

__all__ = ["MovedRun", "relocate"]


@dataclass(frozen=True)
class MovedRun:
    """What became of the raw files of one run.

    Attributes
    ----------
    run
        Uid of the run.
    files
        Old and new place of each file that is under the old folder.
    problem
        Why nothing of the run was changed; None when it was, or can be.
    """

    run: str
    files: tuple[tuple[Path, Path], ...]
    problem: str | None = None


@dataclass(frozen=True)
class _Node:
    """A table made from raw files: hits, or photons of one recipe."""

    container: tuple[str, ...]
    key: str
    client: Any
    files: RegisteredFiles


def relocate(
    catalog: Catalog, old: str | Path, new: str | Path, *, dry_run: bool = False
) -> list[MovedRun]:
    """Tell the catalogue that the raw files in the folder `old` are now in the folder `new`.

    Of every run with registered files there, all files must be at their new place, as they were
    registered; then their places are changed. A run is changed as a whole or not at all. The move
    is noted in the catalogue for runs whose events name files in `old`: see `Relocations`.

    Parameters
    ----------
    catalog
        An open catalogue that may read the new folder.
    old, new
        Folders; files keep their places below them.
    dry_run
        Only check.

    Returns
    -------
    list
        Every run with files in `old`, in the order in which they were registered.

    Raises
    ------
    StorageError
        If there is no new folder, or the catalogue cannot be written.
    """
    before, after = servable_path(old), servable_path(new)
    if not after.is_dir():
        raise StorageError("there is no such folder", where=str(after), hint="move the files first")
    if before == after:
        raise StorageError("the old and the new folder are the same", where=str(after))
    if not dry_run:
        catalog.require_writable()
    with told_by_tiled(catalog.where):
        by_run: dict[str, list[_Node]] = {}
        for run, node in _nodes(catalog):
            if any(path.is_relative_to(before) for path in node.files.paths):
                by_run.setdefault(run, []).append(node)
        moved = [
            _move(catalog, run, nodes, before, after, dry_run) for run, nodes in by_run.items()
        ]
    if not dry_run and (not moved or any(run.problem is None for run in moved)):
        Relocations.of(catalog).moved(before, after).note(catalog)
    return moved


def _nodes(catalog: Catalog) -> Iterator[tuple[str, _Node]]:
    hits = catalog.client["hits"].include_data_sources()
    for run, client in hits.items():
        yield run, _Node(("hits",), run, client, files_of_node(client))
    photons = catalog.client["photons"]
    for run in photons:
        for key, client in photons[run].include_data_sources().items():
            yield run, _Node(("photons", run), key, client, files_of_node(client))


def _move(
    catalog: Catalog, run: str, nodes: list[_Node], old: Path, new: Path, dry_run: bool
) -> MovedRun:
    """Check all nodes of a run, then change them; a node that fails takes the others back."""

    def place(path: Path) -> Path:
        return new / path.relative_to(old) if path.is_relative_to(old) else path

    files = {path: place(path) for node in nodes for path in node.files.paths}
    changed = tuple((path, target) for path, target in files.items() if path != target)
    problem = _problem(catalog, nodes, files)
    if problem is not None or dry_run:
        return MovedRun(run, changed, problem)
    done: list[_Node] = []
    for node in nodes:
        done.append(node)
        try:
            _put(catalog, node, tuple(files[path] for path in node.files.paths))
        except Exception as error:
            for one in done:
                with suppress(Exception):
                    _put(catalog, one, one.files.paths, check=False)
            return MovedRun(run, changed, f"cannot be changed: {error}")
    return MovedRun(run, changed)


def _problem(catalog: Catalog, nodes: list[_Node], files: dict[Path, Path]) -> str | None:
    """What speaks against the new places of a run's files."""
    for node in nodes:
        for path, mark in zip(node.files.paths, node.files.marks, strict=True):
            target = files[path]
            if target == path:
                continue
            different = mark.difference(target)
            if different is not None:
                return f"{target} {different}"
            if catalog.embedded and not any(target.is_relative_to(r) for r in catalog.readable):
                return f"{target} is outside the folders the catalogue may read"
    return None


def _put(catalog: Catalog, node: _Node, paths: tuple[Path, ...], *, check: bool = True) -> None:
    """Have a node point to these files."""
    (source,) = node.client.data_sources()
    (spec,) = (spec.name for spec in node.client.specs)
    anew = raw_source(source.mimetype, paths, node.files.marks, node.files.part_bytes)
    container = catalog.client[node.container]
    client = put_node(container, node.key, anew, dict(node.client.metadata), spec)
    if check and not has_readable_files(client):
        raise StorageError("the server does not read there", where=str(paths[0]))

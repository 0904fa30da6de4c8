"""Folders of raw files that were moved after the runs that name them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twinbeam.store._answers import told_by_tiled

if TYPE_CHECKING:
    from twinbeam.store.catalog import Catalog

__all__ = ["Relocations"]

_KEY = "relocations"  # in the metadata of the container `hits`


@dataclass(frozen=True)
class Relocations:
    """Moves of folders, in the order in which they happened.

    Attributes
    ----------
    moves
        Pairs of old and new folder.
    """

    moves: tuple[tuple[Path, Path], ...] = ()

    def resolve(self, path: Path) -> Path:
        """Where a file is now that was at `path` when its run was taken.

        The moves are followed in their order. The last place on the way where there is a file
        counts; when there is none anywhere, it is `path` itself.
        """
        places = [path]
        for old, new in self.moves:
            if places[-1].is_relative_to(old):
                places.append(new / places[-1].relative_to(old))
        return next((place for place in reversed(places[1:]) if place.exists()), path)

    def moved(self, old: Path, new: Path) -> Relocations:
        """These and one more move."""
        if self.moves[-1:] == ((old, new),):
            return self
        return Relocations((*self.moves, (old, new)))

    @classmethod
    def of(cls, catalog: Catalog) -> Relocations:
        """The moves that are noted in a catalogue.

        Raises
        ------
        StorageError
            If the server does not give them.
        """
        with told_by_tiled(catalog.where):
            noted = catalog.client["hits"].metadata.get(_KEY, ())
        return cls(tuple((Path(move["old"]), Path(move["new"])) for move in noted))

    def note(self, catalog: Catalog) -> None:
        """Write these moves into a catalogue, in the place of those that are there.

        Raises
        ------
        StorageError
            If the server does not take them.
        """
        noted = [{"old": str(old), "new": str(new)} for old, new in self.moves]
        with told_by_tiled(catalog.where):
            hits = catalog.client["hits"]
            hits.replace_metadata({**hits.metadata, _KEY: noted}, drop_revision=True)

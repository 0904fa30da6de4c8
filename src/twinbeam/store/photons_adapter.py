"""Raw Timepix3 files as a table of photons, for tiled, found when read."""

from __future__ import annotations

import copy
import json
from functools import lru_cache

from twinbeam.errors import RecipeError, StorageError
from twinbeam.photons import PhotonFinder, Photons
from twinbeam.pipeline import Recipe
from twinbeam.pipeline.tables import Tables
from twinbeam.store._raw_parts import KeptStates, Stream
from twinbeam.store.raw_adapter import RawTableAdapter
from twinbeam.tpx3 import Decoder

__all__ = ["PHOTONS_MIMETYPE", "PhotonsAdapter"]

PHOTONS_MIMETYPE = "application/x-tpx3-photons"

_kept_photons = KeptStates(8)  # twelve megabytes each


class PhotonStream:
    """Bytes → photons, in order of time."""

    def __init__(self, decoder: Decoder, finder: PhotonFinder, rows: int = 0) -> None:
        self._decoder, self._finder, self.rows = decoder, finder, rows

    @classmethod
    def of(cls, tables: Tables) -> PhotonStream:
        """A stream at its beginning."""
        recipe = tables.recipe
        finder = PhotonFinder(
            recipe.clustering,
            recipe.response,
            recipe.geometry.gap_px,
            tables.rules,
            tables.response,
        )
        return cls(Decoder(), finder)

    def fork(self) -> PhotonStream:
        """Another one that goes on from here."""
        return PhotonStream(self._decoder.fork(), copy.deepcopy(self._finder), self.rows)

    def skip(self, block: bytes) -> None:
        """Take bytes whose photons are not wanted."""
        self.take(block)

    def take(self, block: bytes) -> Photons:
        """Photons that are complete with the next bytes."""
        photons = self._finder.feed(self._decoder.feed(block))[0]
        self.rows += len(photons)
        return photons

    def finish(self) -> Photons:
        """Photons that were held back."""
        return self._finder.finish()


class PhotonsAdapter(RawTableAdapter):
    """Photons of the recipe in the node's metadata; columns of `twinbeam.photons.Photons`."""

    columns = Photons

    def _fresh(self) -> Stream:
        try:
            return PhotonStream.of(_tables(self._recipe_text()))
        except RecipeError as error:
            raise StorageError(
                f"the photons cannot be found anew: {error.what}",
                where=error.where,
                hint=error.hint,
            ) from error

    def _kind(self) -> str:
        return f"photons {self._recipe_text()}"

    def _kept(self) -> KeptStates:
        return _kept_photons

    def _recipe_text(self) -> str:
        return json.dumps(self.metadata()["recipe"], sort_keys=True)


@lru_cache(maxsize=4)
def _tables(recipe: str) -> Tables:
    """Tables of a recipe given as JSON."""
    return Tables.of(Recipe.from_mapping(json.loads(recipe), where="recipe of the photons"))

"""Raw files → photons, for a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twinbeam.errors import RawDataError
from twinbeam.photons import PhotonFinder, Photons
from twinbeam.pipeline.acquisitions import check_pieces
from twinbeam.pipeline.recipe import Recipe
from twinbeam.pipeline.tables import Tables
from twinbeam.tpx3 import Decoder, WordKind, iterate_bytes

__all__ = ["read_photons"]


def read_photons(paths: str | Path | Sequence[str | Path], recipe: Recipe | None = None) -> Photons:
    """All photons of one raw file, or of the consecutive files of one acquisition, in time order.

    They are those that `process(..., keep_photons=True)` gives; no pairs are searched.

    Parameters
    ----------
    paths
        One raw `.tpx3` file or several in their order.
    recipe
        Which hits are one photon, their energies and times; the default recipe when left out.

    Raises
    ------
    RawDataError
        If no file is given, one is missing or unreadable, or they do not begin as raw data do.
    RecipeError
        If a file the recipe names cannot be read or was changed.
    """
    files = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    if not files:
        raise RawDataError("no raw files given", hint="name at least one .tpx3 file")
    check_pieces(files)
    tables = Tables.of(recipe or Recipe())
    decoder = Decoder()
    finder = PhotonFinder(
        tables.recipe.clustering,
        tables.recipe.response,
        tables.recipe.geometry.gap_px,
        tables.rules,
        tables.response,
    )
    photons = [
        finder.feed(decoder.feed(block))[0] for path in files for block in iterate_bytes(path)
    ]
    photons.append(finder.finish())
    census = decoder.census()
    if census.n_bytes and not census.count(WordKind.HEADER):
        raise RawDataError("holds no Timepix3 chunk", where=str(files[0]))
    return Photons.concatenate(photons)

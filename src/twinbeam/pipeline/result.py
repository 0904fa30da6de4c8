"""What a pipeline has found up to some moment."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import TwinbeamError
from twinbeam.images import Axes
from twinbeam.pairs import Estimate, Pairs
from twinbeam.photons import Photons
from twinbeam.pipeline.ledger import Ledger
from twinbeam.pipeline.recipe import Recipe
from twinbeam.tpx3 import Census

__all__ = ["Result", "check_result"]


@dataclass(frozen=True, eq=False)
class Result:
    """Counts, pairs, images and the ledger; consistent with each other.

    Attributes
    ----------
    recipe
        The parameters it was made with.
    census
        What the raw bytes held.
    ledger
        The account of every stage.
    acquisitions
        Number of acquisitions (clocks) that were fed.
    duration_s
        Time covered by hits whose time is credible, summed over acquisitions.
    estimate
        Prompt pairs against replicas after all cuts.
    pairs
        Prompt pairs and replica pairs after all cuts.
    arrays
        Images and histograms by name, see `twinbeam.images.Images`.
    axes
        Edges of the histograms.
    photons
        All photons, when the pipeline was asked to keep them.
    """

    recipe: Recipe
    census: Census
    ledger: Ledger
    acquisitions: int
    duration_s: float
    estimate: Estimate
    pairs: Pairs
    arrays: Mapping[str, NDArray[np.int64]]
    axes: Axes
    photons: Photons | None = None

    @property
    def n_hits(self) -> int:
        """Hits decoded."""
        return self.census.n_hits

    @property
    def n_photons(self) -> int:
        """Photons found."""
        return self.ledger.stages["photons"].taken

    def digest(self) -> str:
        """SHA-256 over every array, the pair table, the ledger and the recipe."""
        sha = hashlib.sha256(self.recipe.hash.encode())
        sha.update(repr(self.ledger.as_dict()).encode())
        for name in sorted(self.arrays):
            sha.update(name.encode())
            sha.update(np.ascontiguousarray(self.arrays[name]).tobytes())
        for name, column in self.pairs.columns().items():
            sha.update(name.encode())
            sha.update(column.tobytes())
        return sha.hexdigest()

    def differences(self, other: Result) -> list[str]:
        """Names of arrays, pair columns, ledger and recipe that are not bit-identical."""
        different = [
            f"array {name}"
            for name in sorted(set(self.arrays) | set(other.arrays))
            if name not in self.arrays
            or name not in other.arrays
            or self.arrays[name].tobytes() != other.arrays[name].tobytes()
        ]
        for name, column in self.pairs.columns().items():
            if column.tobytes() != getattr(other.pairs, name).tobytes():
                different.append(f"pairs.{name}")
        if self.ledger.as_dict() != other.ledger.as_dict():
            different.append("ledger")
        if self.recipe.hash != other.recipe.hash:
            different.append("recipe")
        return different


def check_result(result: object, where: str) -> None:
    """Make sure that there is a result, as `live.result` is none before the first run.

    Raises
    ------
    TwinbeamError
        If it is something else.
    """
    if isinstance(result, Result):
        return
    if result is None:
        raise TwinbeamError(
            "there is no result yet", where=where, hint="take a run first, or replay one"
        )
    raise TwinbeamError(
        f"takes a result, not a {type(result).__name__}",
        where=where,
        hint="such as live.result, or what replay(run) returns",
    )

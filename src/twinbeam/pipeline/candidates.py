"""Candidate pairs on their way through the cuts, into the images and the counts."""

from __future__ import annotations

import numpy as np

from twinbeam.images import Images
from twinbeam.pairs import Pairs, SelectedPairs
from twinbeam.pipeline.stages import Counts, add_counts
from twinbeam.pipeline.tables import Tables

__all__ = ["Candidates"]

_AT_ONCE = 1 << 13


class Candidates:
    """Gathers candidates until there are enough of them to be selected and counted together.

    Parameters
    ----------
    tables
        Of the recipe, with its selection.
    images
        Where pairs are added up.

    Attributes
    ----------
    counts
        Used and rejected ones of the stages `pairs` and `accidentals`.
    """

    def __init__(self, tables: Tables, images: Images) -> None:
        self._tables = tables
        self._images = images
        self._waiting: list[Pairs] = []
        self._n_waiting = 0
        self._kept: list[Pairs] = []
        self.counts: Counts = {}

    def gather(self, pairs: Pairs) -> bool:
        """Take candidates; whether there are enough now to count them."""
        if len(pairs):
            self._waiting.append(pairs)
            self._n_waiting += len(pairs)
        return self._n_waiting >= _AT_ONCE

    def count(self) -> Pairs:
        """Select and count what was gathered; the pairs that passed all cuts."""
        pairs = Pairs.concatenate(self._waiting)
        self._waiting, self._n_waiting = [], 0
        if not len(pairs):
            return pairs
        selected = SelectedPairs(pairs, self._tables.selection, self._tables.recipe.geometry)
        self._images.add_pairs(pairs, selected)
        kept = pairs[selected.passed]
        self.keep(kept)
        n_prompt = int(np.count_nonzero(kept.replica == 0))
        add_counts(
            self.counts,
            {
                "pairs": {"used": n_prompt, **selected.rejected},
                "accidentals": {"used": len(kept) - n_prompt, **selected.rejected_replicas},
            },
        )
        return kept

    def keep(self, pairs: Pairs) -> None:
        """Take pairs that passed all cuts elsewhere and were counted there."""
        if len(pairs):
            self._kept.append(pairs)

    @property
    def passed(self) -> Pairs:
        """All pairs so far that passed all cuts."""
        if len(self._kept) != 1:
            self._kept = [Pairs.concatenate(self._kept)]
        return self._kept[0]

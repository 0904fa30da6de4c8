"""The one data path: bytes → hits → photons → pairs → images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbeam.images import Axes, Images
from twinbeam.pairs import Estimate, PairFinder, Pairs, SelectedPairs
from twinbeam.photons import PhotonFinder, Photons
from twinbeam.pipeline.ledger import Ledger, Stage
from twinbeam.pipeline.recipe import Recipe
from twinbeam.pipeline.result import Result
from twinbeam.tpx3 import BLOCK_BYTES, Census, Decoder

__all__ = ["Pipeline"]


class Pipeline:
    """Takes raw bytes, cut anywhere, and keeps the result up to date.

    Live, replay and offline work feed the same class. The finished result does not depend on how
    the bytes were cut. Bytes of one acquisition share a clock; `next_acquisition` starts another.

    Parameters
    ----------
    recipe
        All parameters; the default recipe when left out.
    masked
        512 × 512 array indexed [y, x], True for pixels that do not count.
    keep_photons
        Whether the result carries the photon table; its memory grows with the run.
    """

    def __init__(
        self,
        recipe: Recipe | None = None,
        *,
        masked: NDArray[np.bool_] | None = None,
        keep_photons: bool = False,
    ) -> None:
        self.recipe = recipe or Recipe()
        self._masked = masked
        self._kept_photons: list[Photons] | None = [] if keep_photons else None
        axes = Axes.of(self.recipe.images, self.recipe.geometry, self.recipe.pairing.window_ns)
        self._images = Images(axes, self.recipe.geometry)
        self._pairs: list[Pairs] = []
        self._counts: dict[str, dict[str, int]] = {
            stage: {"in": 0, "used": 0} for stage in ("hits", "photons", "pairs", "accidentals")
        }
        for cut in self.recipe.selection.cuts:
            self._counts["pairs"][cut.quantity] = 0
            self._counts["accidentals"][cut.quantity] = 0
        self._past: list[Census] = []
        self._past_s = 0.0
        self._open()
        for stage, counts in self._current().items():
            self._counts[stage] = dict.fromkeys(counts, 0)

    def _open(self) -> None:
        recipe = self.recipe
        self._decoder = Decoder()
        self._photon_finder = PhotonFinder(
            recipe.clustering, recipe.response, recipe.geometry.gap_px, self._masked
        )
        self._pair_finder = PairFinder(recipe.pairing, recipe.replicas, recipe.geometry)
        self._fed = False

    def feed(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the present acquisition, however many."""
        view = memoryview(chunk)
        for at in range(0, len(view), BLOCK_BYTES):
            self._fed = True
            hits = self._decoder.feed(view[at : at + BLOCK_BYTES])
            photons, bound = self._photon_finder.feed(hits)
            self._take(photons, self._pair_finder.feed(photons, bound))

    def next_acquisition(self) -> None:
        """Finish the present acquisition; the next bytes start with a new clock."""
        if not self._fed:
            return
        photons = self._photon_finder.finish()
        pairs = self._pair_finder.feed(photons, float("inf"))
        self._take(photons, pairs)
        for stage, counts in self._current().items():
            for name, n in counts.items():
                self._counts[stage][name] += n
        self._past.append(self._decoder.census())
        self._past_s += self._photon_finder.span_s
        self._open()

    def finish(self) -> Result:
        """Finish everything that was fed and return the result."""
        self.next_acquisition()
        return self.snapshot()

    def _take(self, photons: Photons, pairs: Pairs) -> None:
        self._images.add_photons(photons)
        if self._kept_photons is not None:
            self._kept_photons.append(photons)
        if not len(pairs):
            return
        selected = SelectedPairs(pairs, self.recipe.selection)
        self._images.add_pairs(pairs, selected)
        kept = pairs[selected.passed]
        self._pairs.append(kept)
        for stage, group, rejected in (
            ("pairs", pairs.replica == 0, selected.rejected),
            ("accidentals", pairs.replica != 0, selected.rejected_replicas),
        ):
            self._counts[stage]["in"] += int(np.count_nonzero(group))
            self._counts[stage]["used"] += int(np.count_nonzero(group & selected.passed))
            for name, n in rejected.items():
                self._counts[stage][name] += n

    def _current(self) -> dict[str, dict[str, int]]:
        """Counts of the acquisition that is open."""
        photons, pairs = self._photon_finder, self._pair_finder
        return {
            "hits": {"in": photons.n_in, "used": photons.n_used, **photons.rejected},
            "photons": {
                "in": pairs.n_in,
                "used": pairs.n_signal + pairs.n_idler,
                **pairs.rejected,
            },
        }

    def _ledger(self, census: Census) -> Ledger:
        counts = {stage: dict(values) for stage, values in self._counts.items()}
        for stage, values in self._current().items():
            for name, n in values.items():
                counts[stage][name] += n
        held = {"hits": self._photon_finder.n_held}
        stages = {
            "bytes": Stage(census.n_bytes, 8 * census.n_hits, census.bytes_not_hits()),
        }
        for stage, values in counts.items():
            rejected = {name: n for name, n in values.items() if name not in ("in", "used")}
            stages[stage] = Stage(values["in"], values["used"], rejected, held=held.get(stage, 0))
        return Ledger(stages)

    def snapshot(self) -> Result:
        """The result so far; what is still held back is in it as held."""
        census = Census.total([*self._past, self._decoder.census()])
        counts = self._counts
        if len(self._pairs) > 1:
            self._pairs = [Pairs.concatenate(self._pairs)]
        return Result(
            recipe=self.recipe,
            census=census,
            ledger=self._ledger(census),
            acquisitions=len(self._past) + int(self._fed),
            duration_s=self._past_s + self._photon_finder.span_s,
            estimate=Estimate(
                n_prompt=counts["pairs"]["used"],
                n_replicas=counts["accidentals"]["used"],
                replicas=2 * self.recipe.replicas.n_turns,
            ),
            pairs=Pairs.concatenate(self._pairs),
            arrays=self._images.copy_arrays(),
            axes=self._images.axes,
            photons=None if self._kept_photons is None else Photons.concatenate(self._kept_photons),
        )

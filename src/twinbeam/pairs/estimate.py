"""What remains when the accidentals are subtracted."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Estimate"]


@dataclass(frozen=True)
class Estimate:
    """Counts of the prompt window and of the replicas, and what follows from them.

    ``net = N(0) - N(replicas)/n``; ``variance = N(0) + N(replicas)/n²``. The replicas share their
    single photons, which the variance leaves out; at the rates of this experiment, where a photon
    is in far less than one accidental, that is negligible.

    Attributes
    ----------
    n_prompt
        Prompt pairs.
    n_replicas
        Pairs of all replicas together.
    replicas
        Number of replicas.
    """

    n_prompt: int
    n_replicas: int
    replicas: int

    @property
    def accidental(self) -> float:
        """Expected accidental pairs among the prompt ones."""
        return self.n_replicas / self.replicas

    @property
    def net(self) -> float:
        """Prompt pairs minus accidentals."""
        return self.n_prompt - self.accidental

    @property
    def net_err(self) -> float:
        """Standard error of `net`."""
        return math.sqrt(self.n_prompt + self.n_replicas / self.replicas**2)

    @property
    def s_over_b(self) -> float | None:
        """Net pairs per accidental; None while no accidental has been seen."""
        return self.net / self.accidental if self.n_replicas else None

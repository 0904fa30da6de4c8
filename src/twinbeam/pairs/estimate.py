"""What remains when the accidentals are subtracted."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import betaincinv, gammaincinv

from twinbeam.pairs.shared import SharedCounts

__all__ = ["Estimate"]


@dataclass(frozen=True)
class Estimate:
    """Counts of the prompt window and of n replicas, and what follows from them.

    ``net = N(0) - R/n`` with R pairs in all replicas together. Every pair enters with the weight
    f = 1 (prompt) or -1/n (replica), so with pairs (i, j) of signal photon i and idler photon j

    ``Var(net) = Σ_i (Σ_j f)² + Σ_j (Σ_i f)² - Σ_ij f²``,

    the second-order (Campbell) variance of a sum over pairs of two point processes. The diagonal is
    the Poisson part ``N(0) + R/n²``; the rest counts pairs that share a photon. That is unbiased if
    one of the two streams is a Poisson process whose rate is the same at all shifts, whatever the
    other is: bunched, bursting, or with photons that were split in two.

    If *both* are such Poisson processes the shared part of `net` is zero on average, because what
    a photon adds to the prompt pairs it also adds to the mean replica; that of `accidental` alone
    is not: at high occupancy it is most of `accidental_err`.

    Attributes
    ----------
    n_prompt
        Prompt pairs.
    n_replicas
        Pairs of all replicas together.
    replicas
        Number of replicas.
    shared
        How often two of these pairs share a photon; without it the Poisson part alone is used.
    """

    n_prompt: int
    n_replicas: int
    replicas: int
    shared: SharedCounts | None = None

    def __add__(self, other: Estimate) -> Estimate:
        """The estimate of two sets of pairs that share no photon.

        Raises
        ------
        ValueError
            If the numbers of replicas differ.
        """
        if self.replicas != other.replicas:
            raise ValueError(f"{self.replicas} and {other.replicas} replicas cannot be added")
        shared = None
        if self.shared is not None and other.shared is not None:
            shared = self.shared + other.shared
        return Estimate(
            self.n_prompt + other.n_prompt,
            self.n_replicas + other.n_replicas,
            self.replicas,
            shared,
        )

    @property
    def accidental(self) -> float:
        """Expected accidental pairs among the prompt ones."""
        return self.n_replicas / self.replicas

    @property
    def accidental_err(self) -> float:
        """Standard error of `accidental`: ``√(R + Σ r(r - 1)) / n``, for two Poisson streams."""
        extra = self.shared.replica if self.shared is not None else 0
        return math.sqrt(self.n_replicas + extra) / self.replicas

    @property
    def net(self) -> float:
        """Prompt pairs minus accidentals."""
        return self.n_prompt - self.accidental

    @property
    def poisson_variance(self) -> float:
        """Variance of `net` if no two pairs shared a photon: ``N(0) + R/n²``."""
        return self.n_prompt + self.n_replicas / self.replicas**2

    @property
    def shared_variance(self) -> float:
        """Unbiased estimate of what shared photons add to the variance of `net`.

        ``Σ p(p - 1) - 2 Σ p r / n + Σ r(r - 1) / n²``; by chance it may be negative.
        """
        if self.shared is None:
            return 0.0
        n = self.replicas
        return self.shared.prompt - 2.0 * self.shared.mixed / n + self.shared.replica / n**2

    @property
    def net_err(self) -> float:
        """Standard error of `net`; a shared part that came out negative counts as zero."""
        return math.sqrt(self.poisson_variance + max(self.shared_variance, 0.0))

    @property
    def pull(self) -> float | None:
        """`net` in units of its standard error; None without any pair."""
        return self.net / self.net_err if self.net_err > 0.0 else None

    @property
    def significance(self) -> float:
        """Significance of the prompt excess in standard deviations, negative for a deficit.

        Likelihood ratio of Li and Ma, Astrophys. J. 272, 317 (1983), eq. 17, with N_on prompt
        pairs, N_off pairs of all replicas and α = 1/n. It tests "no true pairs" and stays right
        where the replicas hold few counts or none, where `pull` does not; it takes all counts as
        independent, so photons that come in clusters make it too large, which `pull` knows.
        """
        on, off, alpha = self.n_prompt, self.n_replicas, 1.0 / self.replicas
        total = on + off
        log_ratio = 0.0
        if on:
            log_ratio += on * math.log((1.0 + alpha) / alpha * on / total)
        if off:
            log_ratio += off * math.log((1.0 + alpha) * off / total)
        return math.copysign(math.sqrt(2.0 * max(log_ratio, 0.0)), self.net)

    @property
    def s_over_b(self) -> float | None:
        """Net pairs per accidental; None while no accidental has been seen."""
        return self.net / self.accidental if self.n_replicas else None

    def s_over_b_lower(self, confidence: float = 0.95) -> float:
        """One-sided lower limit of the true net pairs per accidental; exists with no accidental.

        Given N(0) + R, the prompt pairs are binomial; the exact (Clopper-Pearson) lower limit of
        their odds, times n, minus 1. Never below -1.
        """
        if not self.n_prompt:
            return -1.0
        share = float(betaincinv(self.n_prompt, self.n_replicas + 1.0, 1.0 - confidence))
        return self.replicas * share / (1.0 - share) - 1.0

    def accidental_upper(self, confidence: float = 0.95) -> float:
        """One-sided upper limit of the expected accidentals.

        The exact (Garwood) Poisson limit of R, divided by n: 3.0/n at 95 % for no count.
        """
        return float(gammaincinv(self.n_replicas + 1.0, confidence)) / self.replicas

    def peak_over_floor(self, half_width: float, sigma: float) -> float | None:
        """Height of a Gaussian peak over a flat floor, from the counts alone; None as `s_over_b`.

        Parameters
        ----------
        half_width
            Half the width of the window in which the pairs were counted, centred on the peak.
        sigma
            Standard deviation of the peak in the same unit.
        """
        ratio = self.s_over_b
        return None if ratio is None else ratio * _height_factor(half_width, sigma)

    def peak_over_floor_lower(
        self, half_width: float, sigma: float, confidence: float = 0.95
    ) -> float:
        """One-sided lower limit of `peak_over_floor`; exists while no accidental has been seen."""
        return self.s_over_b_lower(confidence) * _height_factor(half_width, sigma)


def _height_factor(half_width: float, sigma: float) -> float:
    """Peak/floor over S/B within ±half_width of a Gaussian: 1/0.598 for ±2σ."""
    inside = math.erf(half_width / (math.sqrt(2.0) * sigma))
    return 2.0 * half_width / (math.sqrt(2.0 * math.pi) * sigma * inside)

"""Live results as plans need them, wherever the analysis runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from twinbeam.errors import BeamlineError
from twinbeam.physics import ring_radius_px
from twinbeam.pipeline import Recipe, Result, summary

__all__ = ["LiveNumbers", "LiveResults", "live_results"]

_FINAL = ("complete", "damaged", "failed")
_PULL_DEG = 7e-5  # at most, between 0.02 and 0.05 degrees on the whole sensor
_LEAST_PEAK_PAIRS = 20.0  # of fewer the fit's error says too little


@dataclass(frozen=True)
class LiveNumbers:
    """The numbers of one result that plans decide by.

    Attributes
    ----------
    run
        Uid of the run.
    final
        Whether the run is over and everything is in them.
    seconds
        Duration of the data, in seconds.
    photons
        Photons found.
    prompt, accidental, accidental_err
        Pairs in the prompt window, and the accidental ones expected among them.
    net, net_err
        Their difference, and its standard error.
    significance
        Of the excess, in standard deviations.
    s_over_b
        Net pairs per accidental; None while there is no accidental.
    detuning_deg, detuning_err_deg
        Detuning as the pairs show it and its standard error, in degrees; None without a peak of
        at least 20 pairs.
    problems
        What is wrong with the data or the analysis.
    """

    run: str
    final: bool
    seconds: float
    photons: int
    prompt: int
    accidental: float
    accidental_err: float
    net: float
    net_err: float
    significance: float
    s_over_b: float | None
    detuning_deg: float | None = None
    detuning_err_deg: float | None = None
    problems: tuple[str, ...] = ()

    @classmethod
    def of_summary(
        cls,
        run: str,
        values: Mapping[str, Any],
        *,
        final: bool = True,
        problems: tuple[str, ...] = (),
    ) -> LiveNumbers:
        """From the plain values that `twinbeam.pipeline.summary` gives."""
        pairs, estimates = values["pairs"], values["estimates"]
        error = estimates["detuning_err_deg"]
        peak = float(pairs["net"]) >= _LEAST_PEAK_PAIRS and error is not None
        return cls(
            run=run,
            final=final,
            seconds=float(values["duration_s"]),
            photons=int(values["photons"]),
            prompt=int(pairs["prompt"]),
            accidental=float(pairs["accidental"]),
            accidental_err=float(pairs["accidental_err"]),
            net=float(pairs["net"]),
            net_err=float(pairs["net_err"]),
            significance=float(pairs["significance"]),
            s_over_b=pairs["s_over_b"],
            detuning_deg=estimates["detuning_deg"] if peak else None,
            detuning_err_deg=error if peak else None,
            problems=problems,
        )

    @property
    def relative_error(self) -> float:
        """Standard error of `net` over `net`; infinite while there are no net pairs."""
        return self.net_err / self.net if self.net > 0.0 else math.inf

    @property
    def quality(self) -> float:
        """Signal to noise of the net pairs per square root of a second, what a scan maximises."""
        if self.net_err <= 0.0 or self.seconds <= 0.0:
            return 0.0
        return self.net / self.net_err / math.sqrt(self.seconds)

    @property
    def quality_err(self) -> float:
        """Standard error of `quality`: the signal to noise is known to about 1."""
        return 1.0 / math.sqrt(self.seconds) if self.seconds > 0.0 else math.inf

    @property
    def detuning_whole_err_deg(self) -> float | None:
        """How far the detuning may be from that of the crystal; None where it is not known.

        Pairs of a larger ring miss the sensor more often, which pulls the mean of those that are
        seen down by some 7e-5 degrees, however many there are. `find_center` corrects for it.
        """
        error = self.detuning_err_deg
        return None if error is None else math.hypot(error, _PULL_DEG)

    def image_sn(self, elements: int) -> float:
        """Mean signal to noise of one of so many resolution elements of the pair image."""
        return self.net / self.net_err / math.sqrt(elements) if self.net_err > 0.0 else 0.0

    def ring_radius_px(self, recipe: Recipe) -> float | None:
        """Radius of the ring of equal energies at the measured detuning, in pixels."""
        g = recipe.geometry
        if self.detuning_deg is None or self.detuning_deg <= 0.0:
            return None
        return float(ring_radius_px(self.detuning_deg, g.bragg_deg, g.distance_m, g.pixel_um))


class LiveResults(Protocol):
    """Gives the newest numbers of a run; None while there are none. Never blocks."""

    def __call__(self, run: str) -> LiveNumbers | None:
        """Numbers of the run with this uid."""


class _Health(Protocol):
    @property
    def run(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def problems(self) -> tuple[str, ...]: ...


class _Update(Protocol):
    @property
    def summary(self) -> Mapping[str, Any]: ...
    @property
    def final(self) -> bool: ...
    @property
    def health(self) -> Any: ...


@runtime_checkable
class _Service(Protocol):
    """A `twinbeam.live.LiveLink`."""

    def of(self, run: str) -> _Update | None: ...


@runtime_checkable
class _InProcess(Protocol):
    """A `twinbeam.live.CoincidenceCallback`."""

    @property
    def latest(self) -> tuple[Result | None, _Health]: ...


def live_results(source: Any) -> LiveResults:
    """Make a source of live results fit for plans.

    Parameters
    ----------
    source
        A `LiveLink` (the live service), a `CoincidenceCallback` (in this process), or something
        that is fit already.

    Raises
    ------
    BeamlineError
        If it is none of these.
    """
    if isinstance(source, _Service):
        return _OfService(source)
    if isinstance(source, _InProcess):
        return _OfCallback(source)
    if callable(source):
        return source
    raise BeamlineError(
        f"a {type(source).__name__} gives no live results",
        where="live_results",
        hint="pass a LiveLink, a CoincidenceCallback or a function of a run's uid",
    )


class _OfService:
    def __init__(self, link: _Service) -> None:
        self._link = link

    def __call__(self, run: str) -> LiveNumbers | None:
        update = self._link.of(run)
        if update is None:
            return None
        problems = tuple(update.health.problems)
        return LiveNumbers.of_summary(run, update.summary, final=update.final, problems=problems)


class _OfCallback:
    """Sums up each result once: a summary fits peaks and takes tens of milliseconds."""

    def __init__(self, callback: _InProcess) -> None:
        self._callback = callback
        self._known: tuple[str, int, str] = ("", -1, "")
        self._numbers: LiveNumbers | None = None

    def __call__(self, run: str) -> LiveNumbers | None:
        result, health = self._callback.latest
        if result is None or health.run != run:
            return None
        known = (health.run, health.version, health.state)
        if known != self._known:
            self._numbers = LiveNumbers.of_summary(
                run, summary(result), final=health.state in _FINAL, problems=health.problems
            )
            self._known = known
        return self._numbers

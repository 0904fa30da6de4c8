"""A rocking curve fitted with several models: which describes it, and whether it can be trusted."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import OptimizeWarning, brentq, curve_fit

from twinbeam.physics import rocking_curve
from twinbeam.plans.peak import PeakFit, fit_peak

__all__ = ["CurveModel", "RockingFit", "fit_rocking_curve"]

#: Bandpass and divergence of the instrument, FWHM in mdeg, as in `twinbeam.physics.rocking_curve`.
INSTRUMENT_MDEG = 1.005
_LN2_4 = 4.0 * np.log(2.0)
_AGREE_FWHM = 0.08
_MOST_CHI2 = 8.0

Model = Callable[..., NDArray[np.float64]]


@dataclass(frozen=True)
class CurveModel:
    """One model fitted to a rocking curve.

    Attributes
    ----------
    name
        ``darwin`` (Darwin profile ⊗ Gaussian), ``gauss``, ``pseudo-voigt`` or ``split`` (a
        pseudo-Voigt with a width of its own on either side).
    centre_deg, centre_err_deg
        Angle of the maximum and its standard error, in degrees.
    fwhm_mdeg, fwhm_err_mdeg
        Full width at half maximum and its standard error, in millidegrees.
    amplitude_hz, background_hz
        Height of the peak and what is under it, in counts per second.
    chi2, ndf
        Of the fit; errors are widened by √(chi2/ndf) where that is above 1.
    """

    name: str
    centre_deg: float
    centre_err_deg: float
    fwhm_mdeg: float
    fwhm_err_mdeg: float
    amplitude_hz: float
    background_hz: float
    chi2: float
    ndf: int


@dataclass(frozen=True)
class RockingFit:
    """All models, and what they say together.

    Attributes
    ----------
    best
        The model with the smallest chi2 per degree of freedom among the symmetric ones.
    models
        All that could be fitted.
    mosaic_mdeg, mosaic_err_mdeg
        Mosaic spread (FWHM) left of the Darwin model's Gaussian without the instrument's share, in
        millidegrees; NaN when that model could not be fitted.
    asymmetry, asymmetry_err
        Right half width less left half width over their sum.
    doubts
        Why the centre should not be trusted; empty when it can be.
    """

    best: CurveModel
    models: tuple[CurveModel, ...]
    mosaic_mdeg: float
    mosaic_err_mdeg: float
    asymmetry: float
    asymmetry_err: float
    doubts: tuple[str, ...]


def fit_rocking_curve(
    angles_deg: ArrayLike,
    rates_hz: ArrayLike,
    errors_hz: ArrayLike,
    *,
    instrument_mdeg: float = INSTRUMENT_MDEG,
) -> RockingFit:
    """Fit a rocking curve.

    Parameters
    ----------
    angles_deg, rates_hz, errors_hz
        Points of the curve in any order, at least 7, and standard errors of the rates.
    instrument_mdeg
        Width (FWHM) in millidegrees that bandpass and divergence add to the mosaic spread.

    Raises
    ------
    BeamlineError
        If there are too few points, or nothing that looks like a peak.
    """
    order = np.argsort(np.asarray(angles_deg, dtype=np.float64))
    x = np.asarray(angles_deg, dtype=np.float64)[order]
    y = np.asarray(rates_hz, dtype=np.float64)[order]
    e = np.asarray(errors_hz, dtype=np.float64)[order]
    plain = fit_peak(x, y, e)
    curve = _Curve(x, y, e, plain)
    voigt = curve.plain("pseudo-voigt")
    gauss = curve.fit("gauss", _gauss, (1.0,), (0.02,), (50.0,), lambda p: p[0])
    darwin, width, width_err = _fit_darwin(curve)
    split = curve.fit("split", _split, (1.0, 0.1, 0.0), (0.02, 0.0, -0.95), (50.0, 1.0, 0.95),
                      lambda p: p[0])  # fmt: skip
    models = tuple(each for each in (darwin, gauss, voigt, split) if each is not None)
    symmetric = [each for each in models if each.name != "split"]
    best = min(symmetric, key=lambda each: each.chi2 / max(each.ndf, 1))
    asymmetry, asymmetry_err = curve.last if split is not None else (math.nan, math.nan)
    square = width * width - instrument_mdeg**2
    mosaic = math.sqrt(square) if square > 0.0 else (0.0 if width > 0.0 else math.nan)
    return RockingFit(
        best=best,
        models=models,
        mosaic_mdeg=mosaic,
        mosaic_err_mdeg=width_err * width / mosaic if mosaic else width_err,
        asymmetry=asymmetry,
        asymmetry_err=asymmetry_err,
        doubts=tuple(_doubts(x, best, symmetric)),
    )


def _doubts(x: NDArray[np.float64], best: CurveModel, models: list[CurveModel]) -> list[str]:
    doubts = []
    span, fwhm = float(x[-1] - x[0]), 1e-3 * best.fwhm_mdeg
    if min(best.centre_deg - x[0], x[-1] - best.centre_deg) < 0.5 * fwhm:
        doubts.append("the maximum lies at the edge of the scan")
    if fwhm > 0.7 * span:
        doubts.append("the curve is about as wide as the scan")
    if fwhm < 1.5 * span / (x.size - 1):
        doubts.append("the curve is narrower than 1.5 steps")
    if best.centre_err_deg > 0.1 * fwhm or not math.isfinite(best.centre_err_deg):
        doubts.append("the centre is not known to a tenth of the width")
    centres = [each.centre_deg for each in models]
    spread = max(centres) - min(centres)
    if spread > max(5.0 * best.centre_err_deg, _AGREE_FWHM * fwhm):
        doubts.append(f"the models disagree about the centre by {1e3 * spread:.2f} mdeg")
    if best.chi2 / max(best.ndf, 1) > _MOST_CHI2:
        doubts.append(f"no model describes it (chi2/ndf {best.chi2 / max(best.ndf, 1):.1f})")
    return doubts


class _Curve:
    """The points in units of the first fit, so that one step size suits all parameters."""

    def __init__(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        e: NDArray[np.float64],
        first: PeakFit,
    ) -> None:
        self.first = first
        self.width = max(first.fwhm, 1e-9)
        self.scale = max(float(y.max()), 1e-9)
        self.u = (x - first.centre) / self.width
        self.y, self.e = y / self.scale, e / self.scale
        self.last = (math.nan, math.nan)  # the last parameter of the latest fit, and its error

    def plain(self, name: str) -> CurveModel:
        """The first fit."""
        f = self.first
        square = ((self.u * self.width) / f.fwhm) ** 2
        mix = f.lorentz_fraction
        shape = (1.0 - mix) * np.exp(-_LN2_4 * square) + mix / (1.0 + 4.0 * square)
        residual = self.y - (f.background + f.amplitude * shape) / self.scale
        chi2 = float(np.sum((residual / self.e) ** 2))
        values = f.centre, f.centre_err, 1e3 * f.fwhm, 1e3 * f.fwhm_err, f.amplitude, f.background
        return CurveModel(name, *values, chi2=chi2, ndf=max(self.u.size - 5, 1))

    def fit(
        self,
        name: str,
        shape: Model,
        start: tuple[float, ...],
        low: tuple[float, ...],
        high: tuple[float, ...],
        fwhm: Callable[[NDArray[np.float64]], float],
    ) -> CurveModel | None:
        """Fit ``base + amplitude shape(u - centre, *parameters)``; None when that fails.

        `fwhm` gives the width of a shape, in units of the first fit's, from its parameters.
        """

        def model(
            u: NDArray[np.float64], at: float, high: float, base: float, *p: float
        ) -> NDArray[np.float64]:
            return np.asarray(base + high * shape(u - at, *p))

        f = self.first
        p0 = (0.0, f.amplitude / self.scale, max(f.background, 0.0) / self.scale, *start)
        bounds: Any = ((self.u[0], 0.0, 0.0, *low), (self.u[-1], np.inf, np.inf, *high))
        p0 = tuple(np.clip(p0, bounds[0], bounds[1]))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", OptimizeWarning)
                best, covariance = curve_fit(
                    model, self.u, self.y, p0=p0, sigma=self.e, absolute_sigma=True, bounds=bounds
                )
        except (RuntimeError, ValueError, OptimizeWarning):
            return None
        chi2 = float(np.sum(((self.y - model(self.u, *best)) / self.e) ** 2))
        ndf = max(self.u.size - best.size, 1)
        errors = np.sqrt(np.diag(covariance) * max(1.0, chi2 / ndf))
        self.last = float(best[-1]), float(errors[-1])
        slope = (fwhm(best[3:] + 1e-3 * np.eye(best.size - 3)[0]) - fwhm(best[3:])) / 1e-3
        return CurveModel(
            name=name,
            centre_deg=f.centre + self.width * float(best[0]),
            centre_err_deg=self.width * float(errors[0]),
            fwhm_mdeg=1e3 * self.width * float(fwhm(best[3:])),
            fwhm_err_mdeg=1e3 * self.width * abs(float(slope)) * float(errors[3]),
            amplitude_hz=self.scale * float(best[1]),
            background_hz=self.scale * float(best[2]),
            chi2=chi2,
            ndf=ndf,
        )


def _fit_darwin(curve: _Curve) -> tuple[CurveModel | None, float, float]:
    """The Darwin model, and width and error of its Gaussian in millidegrees."""
    mdeg = 1e3 * curve.width

    def shape(u: NDArray[np.float64], gauss: float) -> NDArray[np.float64]:
        return rocking_curve(u * mdeg, gauss * mdeg, 0.0)

    def fwhm(p: NDArray[np.float64]) -> float:
        wide = p[0] * mdeg
        half = brentq(lambda v: float(rocking_curve(v, wide, 0.0)) - 0.5, 0.0, 2.0 * wide + 5.0)
        return 2.0 * float(half) / mdeg

    low = max(0.05, 0.1 / mdeg)
    model = curve.fit("darwin", shape, (0.95,), (low,), (20.0,), fwhm)
    if model is None:
        return None, math.nan, math.nan
    return model, curve.last[0] * mdeg, curve.last[1] * mdeg


def _gauss(u: NDArray[np.float64], fwhm: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-_LN2_4 * (u / fwhm) ** 2))


def _split(
    u: NDArray[np.float64], fwhm: float, mix: float, asymmetry: float
) -> NDArray[np.float64]:
    square = (u / (fwhm * (1.0 + np.where(u < 0.0, -asymmetry, asymmetry)))) ** 2
    return np.asarray((1.0 - mix) * np.exp(-_LN2_4 * square) + mix / (1.0 + 4.0 * square))

"""The histograms and curves of a page, as numbers.

Each chart is a mapping of series to mappings of columns; histograms have columns left, right, top.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.images import g2, net_array
from twinbeam.pipeline import GaussianFit
from twinbeam.tpx3 import TICK_NS
from twinbeam.view.looking import Looking
from twinbeam.view.map_panels import ring_circle
from twinbeam.view.rates import pair_rate, rates
from twinbeam.view.scan_chart import scan_chart
from twinbeam.view.shown import Shown
from twinbeam.view.spectra import Spectra, pair_spectra, region_spectra

__all__ = ["CHARTS", "charts"]

Series = dict[str, NDArray[Any]]
Chart = dict[str, Series]

_SPECTRUM_BIN_KEV = 1.0  # finer ones show the steps of ToT
_RADIAL_BIN_PX = 4.0


def _bars(edges: NDArray[np.float64], top: NDArray[Any]) -> Series:
    return {"left": edges[:-1], "right": edges[1:], "top": np.asarray(top, dtype=np.float64)}


def _coarser(
    edges: NDArray[np.float64], counts: NDArray[Any], times: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Several bins made one; a rest at the end is left out."""
    n = counts.size // times * times
    return edges[: n + 1 : times], counts[:n].reshape(-1, times).sum(axis=1).astype(np.float64)


def _bell(fit: GaussianFit | None, edges: NDArray[np.float64], floor: NDArray[Any]) -> Series:
    """The fitted peak on top of the accidentals."""
    if fit is None:
        return {"x": np.empty(0), "y": np.empty(0)}
    x = np.linspace(edges[0], edges[-1], 301)
    bell = fit.amplitude * np.exp(-0.5 * ((x - fit.centre) / fit.sigma) ** 2) + fit.constant
    return {"x": x, "y": bell + np.interp(x, 0.5 * (edges[1:] + edges[:-1]), floor)}


def time_difference(shown: Shown, looking: Looking) -> Chart:
    """Prompt pairs, mean replica and fit against the time difference in ns."""
    return _peak(shown, "dt", shown.result.axes.dt_ns, shown.dt_fit)


def detuning(shown: Shown, looking: Looking) -> Chart:
    """The same against the pair detuning in mdeg."""
    chart = _peak(shown, "detuning", shown.result.axes.detuning_deg, shown.detuning_fit)
    for series in chart.values():
        for column in ("left", "right", "x"):
            if column in series:
                series[column] = series[column] * 1e3
    return chart


def _peak(shown: Shown, name: str, edges: NDArray[Any], fit: GaussianFit | None) -> Chart:
    arrays, replicas = shown.result.arrays, shown.result.estimate.replicas
    floor = arrays[f"{name}_accidental"] / replicas
    return {
        "prompt": _bars(edges, arrays[name]),
        "floor": _bars(edges, floor),
        "fit": _bell(fit, edges, floor),
    }


def ring(shown: Shown, looking: Looking) -> Chart:
    """Signal and idler photons by radius in px, without accidentals; and the predicted ring."""
    result = shown.result
    if "radial_signal" not in result.arrays:
        return {}
    edges = result.axes.radius_px
    cx, cy = result.recipe.geometry.centre_px
    side = result.axes.side_px
    corner = float(np.hypot(max(cx, side - cx), max(cy, side - cy)))
    n = min(edges.size - 1, int(np.searchsorted(edges, corner)))  # there is nothing farther out
    times = max(1, round(_RADIAL_BIN_PX / result.axes.parameters.radial_bin_px))
    chart: Chart = {}
    for name in ("signal", "idler"):
        net, _ = net_array(result.arrays, f"radial_{name}", result.estimate.replicas)
        chart[name] = _bars(*_coarser(edges[: n + 1], net[:n], times))
    chart["predicted"] = {"x": np.array([ring_circle(result)[2]])}
    return chart


def spectra(shown: Shown, looking: Looking) -> Spectra:
    """The spectra somebody wants to see; bins of about 1 keV."""
    result = shown.result
    edges = result.axes.energy_kev
    times = max(1, round(_SPECTRUM_BIN_KEV / result.axes.parameters.energy_bin_kev))
    edges = edges[::times]
    edges = edges[: int(np.searchsorted(edges, result.axes.pump_kev + 1e-9, side="right"))]
    replicas = result.estimate.replicas
    if looking.region is None:
        return pair_spectra(result.pairs, edges, replicas)
    return region_spectra(result.pairs, edges, replicas, looking.region)


def energy(shown: Shown, looking: Looking) -> Chart:
    """Energies in keV of photons of pairs, and all photons scaled to as many."""
    found = spectra(shown, looking)
    edges, every = shown.result.axes.energy_kev, shown.result.arrays["energy"]
    times = max(1, round((found.edges_kev[1] - found.edges_kev[0]) / (edges[1] - edges[0])))
    coarse, counts = _coarser(edges, every, times)
    n = found.one.size
    total = counts[:n].sum()
    scale = max(found.one.sum(), 0.0) / total if total > 0 else 0.0
    return {
        "all": _bars(coarse[: n + 1], counts[:n] * scale),
        "one": _bars(found.edges_kev, found.one),
        "two": _bars(found.edges_kev, found.two),
    }


def rate(shown: Shown, looking: Looking) -> Chart:
    """Hits, photons and pairs per second against the measured time in s."""
    if shown.moments:
        return rates(shown.moments)
    return pair_rate(shown.result)


def correlation(shown: Shown, looking: Looking) -> Chart:
    """g² of all photons against the delay in µs, where it is counted."""
    result = shown.result
    if "g2" not in result.arrays:
        return {}
    delay = result.axes.g2_ns
    width = result.axes.parameters.g2_bin_ticks * TICK_NS
    value, _ = g2(result.arrays["g2"], delay, width, result.n_photons, result.duration_s)
    return {"g2": {"x": delay * 1e-3, "y": np.nan_to_num(value)}}


def scan(shown: Shown, looking: Looking) -> Chart:
    """The curve of the scan the run belongs to, if it does to any."""
    return scan_chart(shown)


#: Charts of a page by name.
CHARTS: dict[str, Callable[[Shown, Looking], Chart]] = {
    "dt": time_difference,
    "detuning": detuning,
    "ring": ring,
    "energy": energy,
    "rates": rate,
    "g2": correlation,
    "scan": scan,
}


def charts(shown: Shown, looking: Looking) -> dict[str, Chart]:
    """All charts of a page by name; empty where the result holds nothing of the kind."""
    return {name: make(shown, looking) for name, make in CHARTS.items()}

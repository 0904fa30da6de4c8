"""The groups of a result file, one a kind of result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from twinbeam.images import coincidence_probability, g2
from twinbeam.pairs import DERIVED_UNITS
from twinbeam.pipeline.result import Result
from twinbeam.tpx3 import TICK_NS

__all__ = ["fill_results", "fill_table"]

_IMAGES = {
    "singles": "all photons",
    "signal": "photon 1 of the pairs that pass all cuts",
    "idler": "photon 2 of the pairs that pass all cuts",
    "idler_sharpened": "photon 2 at the nominal detuning, corrected by Eq. 6 of Optica 13, 135",
    "coincidence": "both photons of the pairs that pass all cuts",
    "signal_symmetric": "photon 1 at the nominal detuning, the correction shared by both",
    "idler_symmetric": "photon 2 at the nominal detuning, the correction shared by both",
    "signal_slices": "photon 1 in slices of its energy",
    "idler_slices": "photon 2 in slices of its energy",
}
_HISTOGRAMS = {
    "dt": ("ns", "time of photon 2 minus time of photon 1; all cuts but the one on it"),
    "detuning": ("deg", "pair detuning by Eq. 1 of Optica 13, 135; all cuts but the one on it"),
    "detuning_exact": ("deg", "exact pair detuning; all cuts but those on a detuning"),
    "radial_signal": ("px", "photon 1 by distance from the axis, counts per ring"),
    "radial_idler": ("px", "photon 2 by distance from the axis, counts per ring"),
    "azimuth_signal": ("deg", "photon 1 by azimuth from x towards y"),
    "azimuth_idler": ("deg", "photon 2 by azimuth from x towards y"),
}
_MAPS = {
    "e1_e2": ("keV", "pairs by the energies of photon 1 (columns) and 2 (rows), from ToT"),
    "r1_r2": ("px", "pairs by the radii of photon 1 (columns) and 2 (rows)"),
}
_UNITS = {
    "t": "1.5625 ns",
    "dt_ns": "ns",
    "x": "px",
    "y": "px",
    "x1": "px",
    "y1": "px",
    "x2": "px",
    "y2": "px",
    "r1": "px",
    "r2": "px",
    "e1": "keV",
    "e2": "keV",
    "energy_kev": "keV",
    "tot1": "ns",
    "tot2": "ns",
    "tot_ns": "ns",
    "detuning_deg": "deg",
    "dp_px": "px",
    **DERIVED_UNITS,
}


def fill_results(entry: h5py.Group, result: Result) -> None:
    """Write everything that was counted: estimate, images, histograms, maps."""
    _fill_estimate(entry.create_group("estimate"), result)
    _fill_images(entry.create_group("images"), result)
    for name, (unit, about) in _HISTOGRAMS.items():
        if name in result.arrays:
            _fill_histogram(entry.create_group(name), result, name, unit, about)
    for name, (unit, about) in _MAPS.items():
        if name in result.arrays:
            _fill_map(entry.create_group(name), result, name, unit, about)
    _fill_spectrum(entry.create_group("energy"), result)
    if "g2" in result.arrays:
        _fill_g2(entry.create_group("g2"), result)
    if "distance" in result.arrays:
        _fill_distance(entry.create_group("distance"), result)


def fill_table(group: h5py.Group, columns: Mapping[str, NDArray[Any]]) -> None:
    """Write a table, a dataset a column, with its units."""
    group.attrs["NX_class"] = "NXcollection"
    for column, values in columns.items():
        dataset = group.create_dataset(
            column,
            data=values,
            chunks=True if values.size else None,
            compression="gzip" if values.size else None,
            compression_opts=1 if values.size else None,
        )
        if column in _UNITS:
            dataset.attrs["units"] = _UNITS[column]


def _fill_estimate(group: h5py.Group, result: Result) -> None:
    estimate = result.estimate
    group.attrs["NX_class"] = "NXcollection"
    group.attrs["confidence"] = 0.95
    values = {
        "n_prompt": estimate.n_prompt,
        "n_replicas": estimate.n_replicas,
        "replicas": estimate.replicas,
        "net": estimate.net,
        "net_err": estimate.net_err,
        "accidental": estimate.accidental,
        "accidental_err": estimate.accidental_err,
        "accidental_upper": estimate.accidental_upper(),
        "significance": estimate.significance,
        "s_over_b_lower": estimate.s_over_b_lower(),
    }
    for name, value in values.items():
        group[name] = value
    group["significance"].attrs["formula"] = "Li and Ma, Astrophys. J. 272, 317 (1983), eq. 17"


def _plot(group: h5py.Group, signal: str, axes: str | list[str], about: str) -> None:
    group.attrs["NX_class"] = "NXdata"
    group.attrs["signal"] = signal
    group.attrs["axes"] = axes
    group.attrs["title"] = about


def _edges(group: h5py.Group, name: str, values: NDArray[Any], unit: str) -> None:
    group[name] = values
    group[name].attrs["units"] = unit


def _fill_images(images: h5py.Group, result: Result) -> None:
    axes = result.axes
    _plot(images, "coincidence", ["y_px", "x_px"], "images, places on the grid with the gap")
    images.attrs["bin_px"] = axes.parameters.bin_px
    for name in ("x_px", "y_px"):
        _edges(images, name, 0.5 * (axes.image_px[1:] + axes.image_px[:-1]), "px")
    for name, about in _IMAGES.items():
        for suffix in ("", "_accidental"):
            if name + suffix not in result.arrays:
                continue
            image = images.create_dataset(
                name + suffix, data=result.arrays[name + suffix], compression="gzip"
            )
            image.attrs["units"] = "counts"
            image.attrs["long_name"] = about + (", summed over the replicas" if suffix else "")
            if suffix:
                image.attrs["summed_replicas"] = result.estimate.replicas
            if name.endswith("slices"):
                image.attrs["slices_kev"] = axes.slices_kev
                image.attrs["slice_by"] = axes.parameters.slice_by


def _fill_histogram(group: h5py.Group, result: Result, name: str, unit: str, about: str) -> None:
    axes = {
        "dt": result.axes.dt_ns,
        "detuning": result.axes.detuning_deg,
        "radial": result.axes.radius_px,
        "azimuth": result.axes.azimuth_deg,
    }
    _plot(group, "prompt", f"edges_{unit}", about)
    _edges(group, f"edges_{unit}", axes[name.partition("_")[0]], unit)
    _fill_counts(group, result, name)


def _fill_map(group: h5py.Group, result: Result, name: str, unit: str, about: str) -> None:
    edges = result.axes.map_energy_kev if name == "e1_e2" else result.axes.map_radius_px
    one, two = name.split("_")
    _plot(group, "prompt", [f"edges_{two}", f"edges_{one}"], about)
    for axis in (one, two):
        _edges(group, f"edges_{axis}", edges, unit)
    _fill_counts(group, result, name)


def _fill_counts(group: h5py.Group, result: Result, name: str) -> None:
    """Prompt pairs, and accidentals per replica, so that their difference is the signal."""
    group["prompt"] = result.arrays[name]
    group["accidental"] = result.arrays[name + "_accidental"] / np.float64(result.estimate.replicas)


def _fill_spectrum(group: h5py.Group, result: Result) -> None:
    _plot(group, "photons", "edges_keV", "energies of all photons, from ToT")
    _edges(group, "edges_keV", result.axes.energy_kev, "keV")
    group["photons"] = result.arrays["energy"]


def _fill_g2(group: h5py.Group, result: Result) -> None:
    delay = result.axes.g2_ns
    bin_ns = result.axes.parameters.g2_bin_ticks * TICK_NS
    value, error = g2(result.arrays["g2"], delay, bin_ns, result.n_photons, result.duration_s)
    _plot(group, "g2", "delay_ns", "normalised correlation of all photons, H T² / (N² δ (T - τ))")
    _edges(group, "delay_ns", delay, "ns")
    group["counts"], group["g2"], group["g2_err"] = result.arrays["g2"], value, error
    group.attrs["photons_with_too_many_partners"] = int(result.arrays["g2_overflow"][0])


def _fill_distance(group: h5py.Group, result: Result) -> None:
    counts = result.arrays["distance"], result.arrays["distance_accidental"]
    value, error = coincidence_probability(*counts, result.n_photons)
    _plot(group, "probability", "distance_px", "true companions of a photon by their distance")
    _edges(group, "distance_px", result.axes.distance_px, "px")
    group["prompt"], group["accidental"] = counts
    group["probability"], group["probability_err"] = value, error
    group.attrs["window_ns"] = result.axes.parameters.distance_window_ns
    group.attrs["photons_with_too_many_partners"] = int(result.arrays["distance_overflow"][0])

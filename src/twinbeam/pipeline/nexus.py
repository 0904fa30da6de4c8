"""Results as NeXus/HDF5 files."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import h5py
import numpy as np

from twinbeam._version import __version__
from twinbeam.errors import StorageError
from twinbeam.pipeline.result import Result

__all__ = ["write_nexus"]

_IMAGES = ("singles", "signal", "idler", "idler_sharpened", "coincidence")
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
}


def write_nexus(result: Result, path: str | Path, *, sources: dict[str, str] | None = None) -> None:
    """Write a result; the file appears under its name only when it is complete.

    Parameters
    ----------
    sources
        Raw files by path with their SHA-256, kept as provenance.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        # made in memory: HDF5 cannot close a file that it could not write on a full disk
        with h5py.File(part.name, "w", driver="core", backing_store=False) as file:
            _fill(file, result, sources or {})
            file.flush()
            content = file.id.get_file_image()
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise StorageError(
            f"cannot write the result: {error}",
            where=str(path),
            hint="check that the folder exists and has space",
        ) from error


def _fill(file: h5py.File, result: Result, sources: dict[str, str]) -> None:
    file.attrs["default"] = "entry"
    entry = file.create_group("entry")
    entry.attrs["NX_class"] = "NXentry"
    entry.attrs["default"] = "dt"
    entry["program_name"] = "twinbeam"
    entry["program_name"].attrs["version"] = __version__
    entry["ledger"] = json.dumps(result.ledger.as_dict())
    entry["recipe"] = json.dumps(result.recipe.as_dict())
    entry["recipe"].attrs["hash"] = result.recipe.hash
    entry["sources"] = json.dumps(sources)
    tables = {"pairs": result.pairs.columns()}
    if result.photons is not None:
        tables["photons"] = result.photons.columns()
    for name, columns in tables.items():
        group = entry.create_group(name)
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
    images = entry.create_group("images")
    images.attrs["NX_class"] = "NXdata"
    images.attrs["signal"] = "coincidence"
    for name in _IMAGES:
        for suffix in ("", "_accidental"):
            if name + suffix in result.arrays:
                image = images.create_dataset(
                    name + suffix, data=result.arrays[name + suffix], compression="gzip"
                )
                if suffix:
                    image.attrs["summed_replicas"] = result.estimate.replicas
    for name, unit, edges in (
        ("dt", "ns", result.axes.dt_ns),
        ("detuning", "deg", result.axes.detuning_deg),
    ):
        group = entry.create_group(name)
        group.attrs["NX_class"] = "NXdata"
        group.attrs["signal"] = "prompt"
        group.attrs["axes"] = f"edges_{unit}"
        group[f"edges_{unit}"] = edges
        group[f"edges_{unit}"].attrs["units"] = unit
        group["prompt"] = result.arrays[name]
        group["accidental"] = result.arrays[name + "_accidental"] / np.float64(
            result.estimate.replicas
        )

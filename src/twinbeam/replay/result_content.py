"""What two results are compared by, whatever they were stored as."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import StorageError
from twinbeam.images import net_array
from twinbeam.pairs import Pairs
from twinbeam.pipeline import Result, fit_gaussian, fitted_centre, summary
from twinbeam.store import stored_recipes
from twinbeam.store._own_recipe import own_recipe_hash

if TYPE_CHECKING:
    import h5py

    from twinbeam.store import Catalog

__all__ = ["Number", "ResultContent", "content_of_file", "content_of_result", "content_of_stored"]

Number = tuple[float | None, float | None]
_FITS = {"dt": "ns", "detuning": "deg", "detuning_exact": "deg"}
_EDGES = ("_px", "_ns", "_deg", "_kev")  # how the names of edges and bin centres end
_HASH_DIGITS = frozenset("0123456789abcdef")


@dataclass(frozen=True, eq=False)
class ResultContent:
    """A result as plain values.

    Attributes
    ----------
    name
        What it is called in a comparison.
    recipe, recipe_hash
        The parameters it was made with.
    ledger
        The account of every stage.
    numbers
        Estimates, each with its error or None.
    arrays
        Images and histograms, whole numbers; accidentals summed over the replicas.
    pairs
        Columns of the pair table.
    """

    name: str
    recipe: Mapping[str, Any]
    recipe_hash: str
    ledger: Mapping[str, Any]
    numbers: Mapping[str, Number]
    arrays: Mapping[str, NDArray[Any]]
    pairs: Mapping[str, NDArray[Any]]


def content_of_result(result: Result, name: str) -> ResultContent:
    """A result that is in memory."""
    return ResultContent(
        name,
        result.recipe.as_dict(),
        result.recipe.hash,
        result.ledger.as_dict(),
        _summary_numbers(summary(result)),
        result.arrays,
        result.pairs.columns(),
    )


def content_of_stored(catalog: Catalog, run_uid: str, which: str | None = None) -> ResultContent:
    """A result that is stored with a run.

    Parameters
    ----------
    which
        The first digits of the recipe's hash. When left out: the only result, or that of the recipe
        in the run's start document.

    Raises
    ------
    StorageError
        If there is none, or more than one fits.
    """
    recipe_hash = _choose(catalog, run_uid, which)
    node = catalog.client["derived", run_uid, recipe_hash]
    about = node.metadata
    name = f"{run_uid[:8]}@{recipe_hash}"
    arrays: dict[str, NDArray[Any]] = {}
    pairs: dict[str, NDArray[Any]] = {}
    try:
        for key, item in node.items():
            if key == "pairs":
                table = item.read()
                pairs = {column: np.asarray(table[column]) for column in Pairs.DTYPES}
            elif not key.endswith(_EDGES):
                arrays[key] = np.asarray(item.read())
        found = about["summary"]
        return ResultContent(
            name,
            dict(about["recipe"]),
            recipe_hash,
            dict(found["ledger"]),
            _summary_numbers(found),
            arrays,
            pairs,
        )
    except (KeyError, TypeError) as error:
        raise StorageError(
            f"is no whole result: {error!r} is missing", where=f"derived/{run_uid}/{recipe_hash}"
        ) from error


def content_of_file(path: str | Path) -> ResultContent:
    """A result in an HDF5 file of `twinbeam process`.

    Raises
    ------
    StorageError
        If the file cannot be read or is no result.
    """
    import h5py

    where = str(path)
    if not Path(path).is_file():
        raise StorageError("no such file", where=where, hint="check the path")
    try:
        with h5py.File(path) as file:
            entry = file["entry"]
            recipe = entry["recipe"]
            arrays = _file_arrays(entry)
            pairs = {name: column[()] for name, column in entry["pairs"].items()}
            return ResultContent(
                Path(path).name,
                json.loads(recipe.asstr()[()]),
                str(recipe.attrs["hash"]),
                json.loads(entry["ledger"].asstr()[()]),
                _file_numbers(entry, arrays, pairs),
                arrays,
                pairs,
            )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise StorageError(
            f"is no result: {error}", where=where, hint="name a file that 'twinbeam process' wrote"
        ) from error
    except OSError as error:
        raise StorageError(f"no HDF5 file: {error}", where=where) from error


def _choose(catalog: Catalog, run_uid: str, which: str | None) -> str:
    hashes = sorted(stored_recipes(catalog, run_uid))
    where = f"run {run_uid}"
    if not hashes:
        raise StorageError(
            "has no stored result", where=where, hint="make one with 'twinbeam replay'"
        )
    listed = f"there are {', '.join(hashes)}"
    if which is None:
        if len(hashes) == 1:
            return hashes[0]
        own = own_recipe_hash(catalog, run_uid)
        if own is not None and own in hashes:
            return own
        raise StorageError(
            "has several results", where=where, hint=f"name one as RUN@HASH; {listed}"
        )
    fitting = [found for found in hashes if found.startswith(which)]
    if len(fitting) != 1 or not which or not set(which) <= _HASH_DIGITS:
        what = "several results fit" if len(fitting) > 1 else "no stored result is"
        raise StorageError(f"{what} of recipe '{which}'", where=where, hint=listed)
    return fitting[0]


def _summary_numbers(values: Mapping[str, Any]) -> dict[str, Number]:
    """Numbers of a summary, those of a fit with their errors."""
    pairs, fits = values["pairs"], values["estimates"]
    centre = fits.get("centre_px") or (None, None)
    return {
        "pairs, prompt": (pairs["prompt"], None),
        "accidentals": (pairs["accidental"], pairs["accidental_err"]),
        "pairs, net": (pairs["net"], pairs["net_err"]),
        "significance, σ": (pairs["significance"], None),
        "Δt, ns": (fits["dt_ns"], fits["dt_err_ns"]),
        "σ of Δt, ns": (fits["dt_sigma_ns"], fits["dt_sigma_err_ns"]),
        "detuning, °": (fits["detuning_deg"], fits["detuning_err_deg"]),
        "σ of detuning, °": (fits["detuning_sigma_deg"], None),
        "detuning, exact, °": (fits["detuning_exact_deg"], fits["detuning_exact_err_deg"]),
        "centre x, px": (centre[0], None),
        "centre y, px": (centre[1], None),
        "duration, s": (values["duration_s"], None),
    }


def _file_arrays(entry: h5py.Group) -> dict[str, NDArray[Any]]:
    """Images and histograms of a result file, as the pipeline has them."""
    replicas = int(entry["estimate/replicas"][()])
    images = entry["images"]
    arrays = {name: item[()] for name, item in images.items() if name not in ("x_px", "y_px")}
    for name, group in entry.items():
        if not hasattr(group, "keys"):  # a value, no group
            continue
        if name == "distance":
            arrays[name] = group["prompt"][()]
            arrays["distance_accidental"] = group["accidental"][()]
        elif name == "energy":
            arrays[name] = group["photons"][()]
        elif name == "g2":
            arrays[name] = group["counts"][()]
        elif "prompt" in group and "accidental" in group:  # in files they are per replica
            arrays[name] = group["prompt"][()]
            summed = np.rint(group["accidental"][()] * replicas)
            arrays[f"{name}_accidental"] = summed.astype(np.int64)
        else:
            continue
        overflow = group.attrs.get("photons_with_too_many_partners")
        if overflow is not None:
            arrays[f"{name}_overflow"] = np.array([overflow], np.int64)
    return arrays


def _file_numbers(
    entry: h5py.Group, arrays: Mapping[str, NDArray[Any]], pairs: Mapping[str, NDArray[Any]]
) -> dict[str, Number]:
    estimate = {name: item[()].item() for name, item in entry["estimate"].items()}
    numbers: dict[str, Number] = {
        "pairs, prompt": (estimate["n_prompt"], None),
        "accidentals": (estimate["accidental"], estimate["accidental_err"]),
        "pairs, net": (estimate["net"], estimate["net_err"]),
        "significance, σ": (estimate["significance"], None),
    }
    replicas = int(estimate["replicas"])
    fits = {
        name: fit_gaussian(entry[name][f"edges_{unit}"][()], *net_array(arrays, name, replicas))
        for name, unit in _FITS.items()
        if name in entry
    }
    for name, title in (("dt", "Δt, ns"), ("detuning", "detuning, °")):
        fit = fits.get(name)
        numbers[title] = (fit.centre, fit.centre_err) if fit else (None, None)
        error = fit.sigma_err if fit and name == "dt" else None
        numbers[f"σ of {title}"] = (fit.sigma if fit else None, error)
    exact = fits.get("detuning_exact")
    numbers["detuning, exact, °"] = (exact.centre, exact.centre_err) if exact else (None, None)
    centre = fitted_centre(Pairs(**{name: pairs[name] for name in Pairs.DTYPES})) or (None, None)
    numbers["centre x, px"], numbers["centre y, px"] = (centre[0], None), (centre[1], None)
    return numbers

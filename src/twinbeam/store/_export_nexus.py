"""A stored result as a NeXus/HDF5 file in the layout of `twinbeam process`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twinbeam.errors import StorageError

if TYPE_CHECKING:
    from twinbeam.pipeline import Ledger, Result
    from twinbeam.store.stored_result import StoredResult

__all__ = ["write_nexus_export"]


def write_nexus_export(stored: StoredResult, path: Path) -> None:
    """Write the file that the pipeline would have, and what the catalogue knows besides."""
    import h5py

    from twinbeam.pipeline import write_nexus

    sources = {str(source.path): source.sha256 or "" for source in stored.sources}
    write_nexus(_result(stored), path, sources=sources)
    with h5py.File(path, "r+") as file:
        entry = file["entry"]
        entry["entry_identifier"] = stored.run
        entry["title"] = str(stored.start.get("plan_name", "run"))
        for name, document in (("start_time", stored.start), ("end_time", stored.stop)):
            if "time" in document:
                entry[name] = datetime.fromtimestamp(float(document["time"]), UTC).isoformat()
        provenance = entry.create_group("provenance")
        provenance.attrs["NX_class"] = "NXcollection"
        for name, value in stored.provenance.items():
            provenance[name] = json.dumps(value, default=str)
        provenance["summary"] = json.dumps(stored.metadata["summary"])
        # Which pairs share a photon is not stored, only what followed from it for the errors.
        pairs = stored.metadata["summary"]["pairs"]
        for name in ("net_err", "accidental_err"):
            entry["estimate"][name][()] = pairs[name]


def _result(stored: StoredResult) -> Result:
    """The result as far as its file needs it.

    Raises
    ------
    StorageError
        If it was stored by another version, whose histograms have other edges.
    RecipeError
        If its recipe has keys this version does not know.
    """
    from twinbeam.images import Axes
    from twinbeam.pairs import Estimate, Pairs
    from twinbeam.pipeline import Recipe, Result
    from twinbeam.tpx3 import Decoder

    where = f"run {stored.run}, recipe {stored.recipe_hash}"
    try:
        recipe = Recipe.from_mapping(stored.metadata["recipe"], where=where)
        axes = Axes.of(recipe.images, recipe.geometry, recipe.pairing.window_ns)
        edges = axes.named()
        if not all(np.array_equal(stored.arrays[name], values) for name, values in edges.items()):
            raise KeyError("edges")
        said = stored.metadata["summary"]
        ledger = _ledger(said["ledger"])
        return Result(
            recipe=recipe,
            census=Decoder().census(),  # not stored; only the summary tells of the raw data
            ledger=ledger,
            acquisitions=int(said["acquisitions"]),
            duration_s=float(said["duration_s"]),
            estimate=Estimate(
                ledger.stages["pairs"].used,
                ledger.stages["accidentals"].used,
                2 * recipe.replicas.n_turns,
            ),
            pairs=Pairs(**stored.tables["pairs"]),
            arrays={name: a for name, a in stored.arrays.items() if name not in edges},
            axes=axes,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(
            f"is no result of this version of twinbeam: {error}",
            where=where,
            hint="make it anew with 'twinbeam replay', or export it as zarr",
        ) from error


def _ledger(stages: dict[str, Any]) -> Ledger:
    from twinbeam.pipeline import Ledger, Stage

    return Ledger(
        {
            name: Stage(
                taken=stage["in"],
                used=stage["used"],
                rejected=stage["rejected"],
                dropped=stage["dropped"],
                held=stage["held"],
            )
            for name, stage in stages.items()
        }
    )

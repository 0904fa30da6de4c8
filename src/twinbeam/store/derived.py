"""Results of a run, next to it and never in it: a foreign node inside a run breaks its replay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import StorageError

if TYPE_CHECKING:
    from twinbeam.store.catalog import Catalog

__all__ = ["write_derived"]


def write_derived(
    catalog: Catalog,
    run_uid: str,
    recipe_hash: str,
    arrays: Mapping[str, NDArray[Any]],
    metadata: Mapping[str, Any] | None = None,
    *,
    tables: Mapping[str, Mapping[str, NDArray[Any]]] | None = None,
) -> Any:
    """Write results under `derived/<run uid>/<recipe hash>/`, over those of the same names.

    Results of other names stay. Meant to be called about once a second while a run is measured.

    Parameters
    ----------
    catalog
        An open catalogue.
    run_uid
        Uid of the run the results are of.
    recipe_hash
        Hash of the recipe they were made with.
    arrays
        Maps and histograms by name; numbers or booleans, of any shape without a zero in it.
    metadata
        Replaces the metadata of the results, to which the uid and the hash are added; None keeps
        what is there.
    tables
        Tables by name, each a mapping of equally long columns; written as parquet.

    Returns
    -------
    object
        Tiled client of the container of the results.

    Raises
    ------
    StorageError
        If an array or table cannot be stored as it is, before anything is written.
    """
    from tiled.structures.core import Spec

    tables = tables or {}
    where = f"derived/{run_uid}/{recipe_hash}"
    for name, array in arrays.items():
        _check_array(np.asarray(array), f"{where}/{name}")
    for name, columns in tables.items():
        _check_table(columns, f"{where}/{name}")
    both = sorted(set(arrays) & set(tables))
    if both:
        raise StorageError(f"'{both[0]}' is both an array and a table", where=where)

    own = {"run": run_uid, "recipe_hash": recipe_hash}
    of_run = _container(catalog.client["derived"], run_uid, {"run": run_uid}, [])
    node = _container(of_run, recipe_hash, own, [Spec("TwinbeamResult")])
    if metadata is not None:
        node.replace_metadata({**metadata, **own}, drop_revision=True)
    for name, array in arrays.items():
        _write_array(node, name, np.ascontiguousarray(array))
    for name, columns in tables.items():
        _write_table(node, name, {key: np.asarray(column) for key, column in columns.items()})
    return node


def _check_array(array: NDArray[Any], where: str) -> None:
    if array.dtype.kind not in "biufc" or array.size == 0:
        raise StorageError(
            f"an array of type {array.dtype} and shape {array.shape} cannot be stored",
            where=where,
            hint="give numbers and at least one of them; columns go into a table",
        )


def _check_table(columns: Mapping[str, NDArray[Any]], where: str) -> None:
    shapes = {name: np.shape(column) for name, column in columns.items()}
    if not shapes or len(set(shapes.values())) > 1 or any(len(s) != 1 for s in shapes.values()):
        raise StorageError(
            f"columns of a table are to be one-dimensional and equally long, not {shapes}",
            where=where,
        )


def _container(parent: Any, key: str, metadata: Mapping[str, Any], specs: list[Any]) -> Any:
    try:
        return parent[key]
    except KeyError:
        return parent.create_container(key, metadata=dict(metadata), specs=specs)


def _write_array(node: Any, name: str, array: NDArray[Any]) -> None:
    try:
        stored = node[name]
    except KeyError:
        node.write_array(array, key=name)
        return
    if getattr(stored, "shape", None) == array.shape and stored.dtype == array.dtype:
        stored.write(array)
    else:
        node.delete_contents(name, external_only=False)
        node.write_array(array, key=name)


def _write_table(node: Any, name: str, columns: Mapping[str, NDArray[Any]]) -> None:
    from tiled.structures.table import TableStructure

    try:
        stored = node[name]
    except KeyError:
        node.write_table(dict(columns), key=name)
        return
    structure = TableStructure.from_dict(columns)
    if getattr(stored.structure(), "arrow_schema", None) == structure.arrow_schema:
        stored.write(dict(columns))
    else:
        node.delete_contents(name, external_only=False)
        node.write_table(dict(columns), key=name)

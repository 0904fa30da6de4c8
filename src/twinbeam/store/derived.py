"""Results of a run, next to it and never in it: a foreign node inside a run breaks its replay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinbeam.errors import StorageError
from twinbeam.store._answers import told_by_tiled

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
        what is there. NaN in it is kept as None.
    tables
        Tables by name, each a mapping of equally long columns; written as parquet.

    Returns
    -------
    object
        Tiled client of the container of the results.

    Raises
    ------
    StorageError
        If an array or table cannot be stored as it is, before anything is written; or if the
        server does not take it.
    """
    tables = tables or {}
    where = f"derived/{run_uid}/{recipe_hash}"
    for name, array in arrays.items():
        _check_array(np.asarray(array), f"{where}/{name}")
    for name, columns in tables.items():
        _check_table(columns, f"{where}/{name}")
    both = sorted(set(arrays) & set(tables))
    if both:
        raise StorageError(f"'{both[0]}' is both an array and a table", where=where)

    with told_by_tiled(f"{catalog.where}, {where}"):
        node = _container(catalog.client, run_uid, recipe_hash)
        if metadata is not None:
            own = {"run": run_uid, "recipe_hash": recipe_hash}
            node.replace_metadata({**metadata, **own}, drop_revision=True)
        stored = dict(node.items())
        for name, array in arrays.items():
            _write_array(node, name, np.asarray(array, order="C"), stored.get(name))
        for name, columns in tables.items():
            plain = {key: np.asarray(column) for key, column in columns.items()}
            _write_table(node, name, plain, stored.get(name))
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


def _container(root: Any, run_uid: str, recipe_hash: str) -> Any:
    """The container of the results, made if need be."""
    from tiled.structures.core import Spec

    try:
        return root["derived", run_uid, recipe_hash]
    except KeyError:
        pass
    own = {"run": run_uid}
    try:
        of_run = root["derived", run_uid]
    except KeyError:
        of_run = root["derived"].create_container(run_uid, metadata=own)
    return of_run.create_container(
        recipe_hash,
        metadata={**own, "recipe_hash": recipe_hash},
        specs=[Spec("TwinbeamResult")],
    )


def _write_array(node: Any, name: str, array: NDArray[Any], stored: Any) -> None:
    """Write an array, over what is stored if it has the same shape and type, else in its place."""
    if (
        getattr(stored, "shape", None) == array.shape
        and getattr(stored, "dtype", None) == array.dtype
    ):
        stored.write(array)
        return
    if stored is not None:
        node.delete_contents(name, external_only=False)
    node.write_array(array, key=name)


def _write_table(node: Any, name: str, columns: dict[str, NDArray[Any]], stored: Any) -> None:
    """Write a table, over what is stored if it has the same columns, else in its place."""
    from tiled.structures.table import TableStructure

    schema = TableStructure.from_dict(columns).arrow_schema
    if stored is not None and getattr(stored.structure(), "arrow_schema", None) == schema:
        stored.write(columns)
        return
    if stored is not None:
        node.delete_contents(name, external_only=False)
    node.write_table(columns, key=name)

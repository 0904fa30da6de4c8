"""A result as it is stored beside its run, with everything that says where it is from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinbeam._version import __version__
from twinbeam.errors import StorageError
from twinbeam.store._answers import told_by_tiled
from twinbeam.store._own_recipe import own_recipe_hash
from twinbeam.store.sources import RawSource, raw_sources

if TYPE_CHECKING:
    from twinbeam.store.catalog import Catalog

__all__ = ["StoredResult", "read_result", "stored_recipes"]


@dataclass(frozen=True, eq=False)
class StoredResult:
    """Everything that is stored of a result of one run and one recipe.

    Attributes
    ----------
    run
        Uid of the run.
    recipe_hash
        Hash of the recipe.
    arrays
        Images and histograms, and their edges, by name.
    tables
        Tables by name, each a mapping of columns.
    metadata
        What was stored with it: summary, recipe, digest, problems, version.
    start, stop
        Documents of the run; empty when the catalogue does not have them.
    sources
        Its raw files.
    """

    run: str
    recipe_hash: str
    arrays: Mapping[str, NDArray[Any]]
    tables: Mapping[str, Mapping[str, NDArray[Any]]]
    metadata: Mapping[str, Any]
    start: Mapping[str, Any]
    stop: Mapping[str, Any]
    sources: tuple[RawSource, ...]

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the result is from, as plain values."""
        return {
            "run": self.run,
            "recipe": self.metadata.get("recipe"),
            "recipe_hash": self.recipe_hash,
            "raw_files": [source.as_dict() for source in self.sources],
            "versions": {"result": self.metadata.get("twinbeam"), "export": __version__},
            "digest": self.metadata.get("digest"),
            "problems": list(self.metadata.get("problems") or ()),
            "start": dict(self.start),
            "stop": dict(self.stop),
        }


def stored_recipes(catalog: Catalog, run_uid: str) -> tuple[str, ...]:
    """Hashes of the recipes of which a result is stored for a run."""
    with told_by_tiled(f"{catalog.where}, derived/{run_uid}"):
        results = catalog.client["derived"]
        return tuple(results[run_uid]) if run_uid in results else ()


def read_result(
    catalog: Catalog,
    run_uid: str,
    recipe_hash: str | None = None,
    *,
    on_progress: Callable[[int], object] | None = None,
) -> StoredResult:
    """Read a stored result; the raw files that can be read here are given their SHA-256.

    Parameters
    ----------
    catalog
        An open catalogue.
    run_uid
        Uid of the run.
    recipe_hash
        Hash of the recipe or its beginning. When left out: the only result, or that of the recipe
        the run was taken with.
    on_progress
        Called with the number of raw bytes that were digested since the last call.

    Raises
    ------
    StorageError
        If there is no such result, or there are several.
    """
    chosen = _chosen(catalog, run_uid, recipe_hash)
    with told_by_tiled(f"{catalog.where}, derived/{run_uid}/{chosen}"):
        node = catalog.client["derived", run_uid, chosen]
        arrays: dict[str, NDArray[Any]] = {}
        tables: dict[str, dict[str, NDArray[Any]]] = {}
        for name, client in node.items():
            if client.structure_family == "array":
                arrays[name] = np.asarray(client.read())
            elif client.structure_family == "table":
                frame = client.read()
                tables[name] = {str(column): frame[column].to_numpy() for column in frame}
        run = catalog.raw[run_uid].metadata if run_uid in catalog.raw else {}
        return StoredResult(
            run_uid,
            chosen,
            arrays,
            tables,
            _plain(node.metadata),
            _plain(run.get("start") or {}),
            _plain(run.get("stop") or {}),
            tuple(source.digested(on_progress) for source in raw_sources(catalog, run_uid)),
        )


def _chosen(catalog: Catalog, run_uid: str, wanted: str | None) -> str:
    hashes = stored_recipes(catalog, run_uid)
    fitting = [name for name in hashes if wanted is None or name.startswith(wanted)]
    if wanted is None and len(fitting) > 1:
        own = own_recipe_hash(catalog, run_uid)
        fitting = [own] if own in hashes else fitting
    if len(fitting) == 1:
        return fitting[0]
    where = f"run {run_uid}"
    if not hashes:
        raise StorageError(
            "no result is stored for the run", where=where, hint="make one: 'twinbeam replay'"
        )
    known = ", ".join(hashes)
    if not fitting:
        raise StorageError(
            f"no result of recipe '{wanted}' is stored", where=where, hint=f"there are {known}"
        )
    raise StorageError(
        f"{len(fitting)} results are stored",
        where=where,
        hint=f"choose by its hash: {known}",
    )


def _plain(value: Any) -> Any:
    """The same as dictionaries and lists: tiled wraps its own."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        return value
    return [_plain(item) for item in value]

"""The result of a run, written beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinbeam._version import __version__
from twinbeam.store._answers import told_by_tiled
from twinbeam.store.derived import write_derived

if TYPE_CHECKING:
    from twinbeam.pipeline import Result
    from twinbeam.store.catalog import Catalog

__all__ = ["store_result", "stored_digest"]


def store_result(
    catalog: Catalog, run_uid: str, result: Result, problems: Sequence[str] = ()
) -> None:
    """Write images, histograms, pairs and summary under `derived/<run uid>/<recipe hash>/`.

    Raises
    ------
    StorageError
        If the catalogue refuses them.
    """
    from twinbeam.pipeline import summary

    write_derived(
        catalog,
        run_uid,
        result.recipe.hash,
        {**result.arrays, **result.axes.named()},
        {
            "summary": summary(result),
            "recipe": result.recipe.as_dict(),
            "digest": result.digest(),
            "problems": list(problems),
            "twinbeam": __version__,
        },
        tables={"pairs": result.pairs.columns()},
    )


def stored_digest(catalog: Catalog, run_uid: str, recipe_hash: str) -> str | None:
    """Digest of the result that was stored for a run and recipe; None when there is none."""
    with told_by_tiled(f"{catalog.where}, derived/{run_uid}"):
        results = catalog.client["derived"]
        if run_uid not in results or recipe_hash not in results[run_uid]:
            return None
        digest = results[run_uid][recipe_hash].metadata.get("digest")
    return str(digest) if digest else None

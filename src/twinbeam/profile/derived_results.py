"""Final results of a run, written beside it."""

from __future__ import annotations

from twinbeam._version import __version__
from twinbeam.live import Health
from twinbeam.pipeline import Result, summary
from twinbeam.store import Catalog, write_derived

__all__ = ["store_result"]


def store_result(catalog: Catalog, result: Result, health: Health) -> None:
    """Write images, histograms, pairs and summary under `derived/<run uid>/<recipe hash>/`.

    Raises
    ------
    StorageError
        If the catalogue refuses them.
    """
    write_derived(
        catalog,
        health.run,
        result.recipe.hash,
        {
            **result.arrays,
            **result.axes.named(),
        },
        {
            "summary": summary(result),
            "recipe": result.recipe.as_dict(),
            "digest": result.digest(),
            "problems": list(health.problems),
            "twinbeam": __version__,
        },
        tables={"pairs": result.pairs.columns()},
    )

"""The live result as a Matplotlib figure, for the prompt and for notebooks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twinbeam.errors import TwinbeamError
from twinbeam.live import CoincidenceCallback, LiveLink, Update
from twinbeam.pairs import Estimate
from twinbeam.pipeline import Pipeline, Recipe, Result
from twinbeam.view.figures import OVERVIEW_INCHES, draw_overview
from twinbeam.view.shown import Shown, shown_stored

if TYPE_CHECKING:
    from twinbeam.store import Catalog

__all__ = ["plot"]

_LIVE_PAIRS = "live_pairs"  # a table beside the maps
_WINDOW = "twinbeam live"
_WITHOUT_WINDOWS = ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")


def plot(
    live: CoincidenceCallback | LiveLink, catalog: Catalog | None = None, *, show: bool = True
) -> Any:
    """Draw the newest live result: time difference, coincidence map, twin images.

    Where Matplotlib can show windows it is drawn in one that stays, and drawn anew by the next
    call; nothing of Qt is needed otherwise.

    Parameters
    ----------
    live
        The live analysis: a callback in this process, or the link to the live service.
    catalog
        Where the live service stores its maps; not needed for a callback.
    show
        Whether a window may be used.

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it; ``savefig`` writes it to a file.

    Raises
    ------
    TwinbeamError
        If there is no result yet, or it cannot be read.
    """
    result, title = _newest(live, catalog)
    return draw_overview(result, title, figure=_window() if show else None)


def _newest(live: CoincidenceCallback | LiveLink, catalog: Catalog | None) -> tuple[Result, str]:
    if isinstance(live, CoincidenceCallback):
        result, health = live.latest
        if result is None:
            raise TwinbeamError("there is no live result yet", hint="it comes with the first file")
        return result, f"{health.run[:8]}, {health.state}"
    update = live.latest
    if update is None:
        raise TwinbeamError("there is no live result yet", hint="it comes with the first photons")
    if catalog is None:
        raise TwinbeamError(
            "the live service keeps its maps in the catalogue", hint="give the catalogue too"
        )
    return _stored(catalog, update), f"{update.run[:8]}, {update.health.state}"


def _stored(catalog: Catalog, update: Update) -> Result:
    """The newest maps of a run, which the live service stores about once a second."""
    try:
        node = catalog.client["derived", update.run, update.recipe_hash]
        if not node.metadata.get("live"):
            shown = shown_stored(catalog, update.run, update.recipe_hash)
            assert isinstance(shown, Shown)  # a result was asked for
            return shown.result
        arrays = {name: node[name].read() for name in node if name != _LIVE_PAIRS}
        recipe = Recipe.from_mapping(node.metadata["recipe"], where=f"run {update.run}")
        counted = node.metadata["summary"]
    except KeyError as error:
        raise TwinbeamError(
            "the live service has not stored the maps of this run yet",
            where=f"run {update.run}",
            hint="try again in a second",
        ) from error
    empty = Pipeline(recipe).snapshot()
    replicas = empty.estimate.replicas
    pairs = counted["pairs"]
    estimate = Estimate(int(pairs["prompt"]), round(pairs["accidental"] * replicas), replicas)
    return replace(
        empty,
        arrays={**empty.arrays, **arrays},
        estimate=estimate,
        duration_s=float(counted["duration_s"]),
    )


def _window() -> Any:
    """The window, empty; None where Matplotlib cannot show any."""
    import matplotlib

    backend = str(matplotlib.get_backend()).lower()
    if backend in _WITHOUT_WINDOWS or "inline" in backend:  # a notebook shows what is returned
        return None
    from matplotlib import pyplot

    return pyplot.figure(_WINDOW, figsize=OVERVIEW_INCHES, layout="constrained", clear=True)

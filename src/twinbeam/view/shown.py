"""What there is to see of a run, wherever its result is from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinbeam.images import Axes
from twinbeam.live.health import Health
from twinbeam.live.showcase import Moment, Scene, Step
from twinbeam.pairs import Estimate, Pairs, shared_counts
from twinbeam.pipeline import (
    GaussianFit,
    Ledger,
    Recipe,
    Result,
    Stage,
    detuning_fit,
    dt_fit,
    summary,
)
from twinbeam.replay import ResultContent, content_of_file, content_of_stored
from twinbeam.tpx3 import TICK_NS, Decoder, WordKind
from twinbeam.view.shown_scan import ShownScan, stored_story
from twinbeam.view.stories import Disk
from twinbeam.view.story import Story

if TYPE_CHECKING:
    from twinbeam.store import Catalog

__all__ = ["Shown", "shown_file", "shown_result", "shown_scene", "shown_stored"]


@dataclass(frozen=True, eq=False)
class Shown:
    """One result with what a page says about it.

    Attributes
    ----------
    key
        Names run, recipe and version; two that show the same have the same key.
    name
        What the run is called.
    state
        ``running``, ``complete``, ``damaged``, ``failed``, or ``stored``.
    version
        Number of the result within its run.
    result
        Arrays, pairs, ledger and recipe.
    numbers
        As `pipeline.summary` gives them.
    start
        Start document of the run; empty when it is not known.
    moments
        How the counts grew.
    time_s
        When it was published, in seconds since the epoch; None when that is not known.
    lag_s, behind_bytes
        Of a live result, see `live.Update`.
    files
        Raw files named, read and failed; None for a stored result.
    problems
        What went wrong.
    health
        Of a live result.
    story
        What else the documents of the run tell; None when they cannot be read.
    steps
        Earlier runs of the same detuning scan.
    disks
        Room on the disks, of a live result.
    """

    key: str
    name: str
    state: str
    version: int
    result: Result
    numbers: Mapping[str, Any]
    start: Mapping[str, Any] = field(default_factory=dict)
    moments: tuple[Moment, ...] = ()
    time_s: float | None = None
    lag_s: float | None = None
    behind_bytes: int = 0
    files: tuple[int, int, int] | None = None
    problems: tuple[str, ...] = ()
    health: Health | None = None
    story: Story | None = None
    steps: tuple[Step, ...] = ()
    disks: tuple[Disk, ...] = ()

    @cached_property
    def dt_fit(self) -> GaussianFit | None:
        """Fit of the time-difference peak; made once, however many look at it."""
        return dt_fit(self.result)

    @cached_property
    def detuning_fit(self) -> GaussianFit | None:
        """Fit of the detuning peak; made once."""
        return detuning_fit(self.result)


def shown_scene(scene: Scene, story: Story | None = None, disks: tuple[Disk, ...] = ()) -> Shown:
    """A live result, with what the documents of its run tell and the room on the disks."""
    update, health = scene.update, scene.update.health
    told = "" if story is None else f"{story.version}/"
    return Shown(
        key=f"{update.run}/{update.recipe_hash}/{told}{update.version}/{scene.number}",
        name=_name(scene.start, update.run),
        state=health.state,
        version=update.version,
        result=scene.result,
        numbers=update.summary,
        start=scene.start,
        moments=scene.moments,
        time_s=update.time_s,
        lag_s=update.lag_s,
        behind_bytes=update.behind_bytes,
        files=(health.files_named, health.files_read, health.files_failed),
        problems=health.problems,
        health=health,
        story=story,
        steps=scene.steps,
        disks=disks,
    )


def shown_result(result: Result, name: str, problems: Sequence[str] = ()) -> Shown:
    """A result in memory that is not live."""
    return Shown(
        key=f"{name}/{result.recipe.hash}/0",
        name=name,
        state="stored",
        version=0,
        result=result,
        numbers=summary(result),
        problems=tuple(problems),
    )


def shown_stored(
    catalog: Catalog, run_uid: str, recipe_hash: str | None = None
) -> Shown | ShownScan:
    """A result that is stored with a run; the run by its documents when it has no photons.

    Raises
    ------
    StorageError
        If there is none, or more than one fits.
    """
    from twinbeam.store import stored_recipes

    if recipe_hash is None and not stored_recipes(catalog, run_uid):
        story = stored_story(catalog, run_uid) if run_uid in catalog.raw else None
        if story is not None and not story.has_raw_data:
            return ShownScan(f"{run_uid}/documents/stored", story)
    content = content_of_stored(catalog, run_uid, recipe_hash)
    node = catalog.client["derived", run_uid, content.recipe_hash]
    about = node.metadata
    start = catalog.raw[run_uid].metadata["start"] if run_uid in catalog.raw else {}
    numbers = about["summary"]
    return Shown(
        key=f"{run_uid}/{content.recipe_hash}/stored",
        name=_name(start, run_uid),
        state="stored",
        version=0,
        result=_result(content, float(numbers["duration_s"]), int(numbers["acquisitions"])),
        numbers=numbers,
        start=dict(start),
        problems=tuple(about.get("problems") or ()),
        story=stored_story(catalog, run_uid),
    )


def shown_file(path: str | Path) -> Shown:
    """A result in a file of `twinbeam process`.

    Raises
    ------
    StorageError
        If the file cannot be read or is no result.
    """
    content = content_of_file(path)
    pairs = content.pairs["t"]
    # the file does not tell how long was measured; the pairs span nearly all of it
    seconds = float(pairs.max() - pairs.min()) * TICK_NS * 1e-9 if len(pairs) > 1 else 0.0
    return shown_result(_result(content, seconds, 1), content.name)


def _result(content: ResultContent, seconds: float, acquisitions: int) -> Result:
    """The result that was stored, as far as it was stored: of the raw data only the account."""
    recipe = Recipe.from_mapping(content.recipe, where=content.name)
    ledger = Ledger(
        {
            name: Stage(
                int(stage["in"]),
                int(stage["used"]),
                dict(stage["rejected"]),
                int(stage["dropped"]),
                int(stage["held"]),
            )
            for name, stage in content.ledger.items()
        }
    )
    pairs = Pairs(**{name: content.pairs[name] for name in Pairs.DTYPES})
    empty = Decoder().census()
    words = list(empty.words)
    words[WordKind.PIXEL] = ledger.stages["bytes"].used // 8
    return Result(
        recipe=recipe,
        census=replace(empty, n_bytes=ledger.stages["bytes"].taken, words=tuple(words)),
        ledger=ledger,
        acquisitions=acquisitions,
        duration_s=seconds,
        estimate=Estimate(
            ledger.stages["pairs"].used,
            ledger.stages["accidentals"].used,
            2 * recipe.replicas.n_turns,
            shared_counts(pairs, recipe.replicas, recipe.pairing),
        ),
        pairs=pairs,
        arrays=content.arrays,
        axes=Axes.of(recipe.images, recipe.geometry, recipe.pairing.window_ns),
    )


def _name(start: Mapping[str, Any], run: str) -> str:
    scan = f"scan {start['scan_id']} · " if "scan_id" in start else ""
    return f"{scan}{start.get('plan_name', 'run')} · {run[:8]}"

"""The replay of one run, and what becomes of its result."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinbeam.cli.progress import bar
from twinbeam.errors import StorageError

if TYPE_CHECKING:
    from twinbeam.live import CoincidenceCallback
    from twinbeam.pipeline import Recipe, Result
    from twinbeam.store import Catalog

__all__ = ["Source", "against_stored", "replay_run"]

_LOOK_S = 0.2  # how often the progress is told


@dataclass(frozen=True)
class Source:
    """Where the documents of a run come from.

    Attributes
    ----------
    uid, start
        The run and its start document.
    send
        Sends the documents to callbacks at a given speed.
    """

    uid: str
    start: dict[str, Any]
    send: Callable[..., str]

    @classmethod
    def of_run(cls, stored: Catalog, key: str) -> Source:
        """A stored run, through databroker."""
        from twinbeam.replay import find_run, replay

        start = dict(find_run(stored.broker(), key).start)
        uid = str(start["uid"])
        return cls(uid, start, lambda *to, speed: replay(stored, uid, *to, speed=speed))

    @classmethod
    def of_lines(cls, path: Path) -> Source:
        """The JSON lines of a run."""
        from twinbeam.replay import replay_jsonl

        starts: list[dict[str, Any]] = []
        replay_jsonl(path, lambda name, doc: starts.append(doc) if name == "start" else None)
        return cls(
            str(starts[0]["uid"]),
            starts[0],
            lambda *to, speed: replay_jsonl(path, *to, speed=speed),
        )


def replay_run(
    source: Source,
    stored: Catalog | None,
    recipe: Recipe | None,
    *,
    speed: float | None,
    store: bool,
    silent: bool = False,
) -> tuple[dict[str, Any], Result]:
    """Replay a run into the live analysis; what is to be printed, and the result.

    Parameters
    ----------
    silent
        Show no progress.

    Raises
    ------
    StorageError
        If the run names no raw files, or none that can be read.
    """
    from twinbeam.live import CoincidenceCallback
    from twinbeam.pipeline import summary
    from twinbeam.store import LeftOverFinder, Relocations

    started = time.perf_counter()
    moved = None if stored is None else Relocations.of(stored)
    callback = CoincidenceCallback(recipe, relocations=moved)
    unnamed = LeftOverFinder()
    try:
        _send(source, callback, unnamed, speed, silent)
    except KeyboardInterrupt:
        raise  # its thread is not waited for: it only reads, and ends with the process
    except BaseException:
        callback.close()
        raise
    callback.close()
    result, health = callback.latest
    problems = list(dict.fromkeys([*callback.errors, *health.problems]))
    if result is None:
        if problems:
            raise StorageError(f"cannot be analysed: {problems[0]}", where=f"run {source.uid}")
        raise StorageError(
            "the run names no raw files",
            where=f"run {source.uid}",
            hint="choose a run of collect_pairs",
        )
    whole = health.state != "running"
    if not whole:
        problems.append("the run has no stop document; this is what it had measured by then")
    before, stored_at = against_stored(
        source.uid, stored, result, problems, store=store and whole and not callback.errors
    )
    digest = result.digest()
    values: dict[str, Any] = {
        "run": source.uid,
        "state": health.state,
        **summary(result),
        "digest": digest,
        "same_as_stored": None if before is None else before == digest,
        "stored_at": stored_at,
        "problems": problems,
        "left_over": [str(file.path) for file in unnamed.found(moved)],
        "seconds": time.perf_counter() - started,
    }
    return values, result


def _send(
    source: Source,
    callback: CoincidenceCallback,
    also: Callable[..., None],
    speed: float | None,
    silent: bool,
) -> None:
    """Send the documents and wait until they are worked off, telling how far that is."""
    n = 0
    with bar(f"replaying {source.uid[:8]}", silent=silent) as shown:

        def tell(*_: object) -> None:
            nonlocal n
            n += bool(_)
            health = callback.health
            text = f"replaying {source.uid[:8]}: {n} documents, {1e-6 * health.bytes_read:,.0f} MB"
            shown.update(health.bytes_read, total=health.bytes_named or None, text=text)

        source.send(callback, also, tell, speed=speed)
        callback.interrupt()  # a run without a stop document ends here
        while not callback.wait(_LOOK_S):
            tell()


def against_stored(
    uid: str, stored: Catalog | None, result: Result, problems: list[str], *, store: bool
) -> tuple[str | None, str | None]:
    """Digest of the stored result of the same recipe, and where a new one was written.

    A stored result is never replaced; that the new one differs from it is added to `problems`.
    """
    from twinbeam.store import store_result, stored_digest

    if stored is None or uid not in stored.raw:
        return None, None
    before = stored_digest(stored, uid, result.recipe.hash)
    if before is None:
        if not store:
            return None, None
        store_result(stored, uid, result, problems)
        return None, f"derived/{uid}/{result.recipe.hash}"
    if before != result.digest():
        problems.append(
            "the result differs from the one stored with the run: raw files or program changed"
        )
    return before, None

"""How far long work is and how long it still takes, for people who look at it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from twinbeam.cli.console import err

__all__ = ["Bar", "QuietOption", "bar"]

_SHOWN_FROM_S = 1.0  # work that is done sooner needs no bar
_quiet = False


def _be_quiet(value: bool) -> bool:
    global _quiet
    _quiet = value
    return value


QuietOption = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        help="Show no progress; none is shown either with --json or without a terminal.",
        callback=_be_quiet,
    ),
]


class _Left(ProgressColumn):
    """The time that is left, said so; nothing while it is not known."""

    def render(self, task: Task) -> Text:
        """The cell of a task."""
        left_s = task.fields.get("left_s") or task.time_remaining
        if left_s is None:
            return Text()
        minutes, seconds = divmod(round(left_s), 60)
        hours, minutes = divmod(minutes, 60)
        return Text(f"{hours}:{minutes:02d}:{seconds:02d} left", style="progress.remaining")


class Bar:
    """Told how far the work is; made by `bar`."""

    def __init__(self, progress: Progress, task: Any) -> None:
        self._progress = progress
        self._task = task

    def advance(self, amount: float) -> None:
        """So much more is done."""
        self._progress.advance(self._task, amount)

    def update(
        self,
        done: float | None = None,
        *,
        total: float | None = None,
        text: str | None = None,
        left_s: float | None = None,
    ) -> None:
        """So much is done altogether, of so much; what is left out stays as it is.

        Parameters
        ----------
        left_s
            The time that is left in s, where the work itself knows it better.
        """
        values = {"completed": done, "total": total, "description": text, "left_s": left_s}
        given: dict[str, Any] = {k: v for k, v in values.items() if v is not None}
        self._progress.update(self._task, **given)

    def restart(self, text: str, total: float | None = None) -> None:
        """The next part of the work, from nothing."""
        self._progress.reset(self._task, total=total, description=text)


@contextmanager
def bar(text: str, total: float | None = None, *, silent: bool = False) -> Iterator[Bar]:
    """A bar with the time that is left, on stderr, once the work takes longer than a second.

    Nothing is shown when stderr is no terminal, or with `--quiet`.

    Parameters
    ----------
    text
        What is being done.
    total
        How much there is to do, in any unit; None when that is not known.
    silent
        Show nothing, as when JSON is wanted.
    """
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        _Left(),
        console=err,
        transient=True,
        disable=silent or _quiet or not err.is_terminal,
    )
    task = progress.add_task(text, total=total)
    if progress.disable:
        yield Bar(progress, task)
        return
    with _later(progress):
        yield Bar(progress, task)


@contextmanager
def _later(progress: Progress) -> Iterator[None]:
    """Show it from a second on, and take it away at the end."""
    lock, ended = threading.Lock(), False

    def show() -> None:
        with lock:
            if not ended:
                progress.start()

    timer = threading.Timer(_SHOWN_FROM_S, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:
            ended = True
        progress.stop()

"""The dashboard of the live service in a terminal, which is given back as it was."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.live import Live

from twinbeam.cli.live_dashboard import Dashboard

if TYPE_CHECKING:
    from twinbeam.live import Showcase

__all__ = ["dashboard", "require_terminal"]

_LOOK_S = 0.5
_REDRAW_S = 2.0
_MOST_KEPT = 20


def require_terminal(*, as_json: bool) -> None:
    """Refuse the dashboard where it cannot be.

    Raises
    ------
    typer.BadParameter
        If stdout is no terminal that can be drawn on, or JSON is wanted there.
    """
    if as_json:
        raise typer.BadParameter("give only one of --tui and --json")
    console = Console()
    if not (sys.stdout.isatty() and console.is_terminal) or console.is_dumb_terminal:
        raise typer.BadParameter(
            "stdout is no terminal to draw on; leave it out, or look with 'twinbeam view'",
            param_hint="--tui",
        )


@contextmanager
def dashboard(
    showcase: Showcase, about: Mapping[str, str], problems: Callable[[], Sequence[str]]
) -> Iterator[None]:
    """Draw on the whole terminal meanwhile, at most twice a second.

    What is logged meanwhile is among the problems that are shown, and said again at the end.
    """
    notes = _Notes()
    root = logging.getLogger()
    drawn = Dashboard(showcase, about, lambda: [*problems(), *notes.lines])
    root.addHandler(notes)
    try:
        with (
            Live(drawn, console=Console(highlight=False), screen=True, auto_refresh=False) as view,
            _redrawn(view, showcase),
        ):
            yield
    finally:
        root.removeHandler(notes)
        for line in notes.lines:
            print(line, file=sys.stderr)


@contextmanager
def _redrawn(view: Live, showcase: Showcase) -> Iterator[None]:
    """Draw again when there is something new, and now and then for what only the clock changes."""
    ended = threading.Event()

    def draw() -> None:
        seen, drawn_s = -1, 0.0
        while not ended.wait(_LOOK_S):
            number, now = showcase.number, time.monotonic()
            if number != seen or now - drawn_s > _REDRAW_S:
                seen, drawn_s = number, now
                view.refresh()

    thread = threading.Thread(target=draw, name="twinbeam-tui", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class _Notes(logging.Handler):
    """Keeps the last warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: deque[str] = deque(maxlen=_MOST_KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the first line of a message."""
        self.lines.append(record.getMessage().partition("\n")[0])

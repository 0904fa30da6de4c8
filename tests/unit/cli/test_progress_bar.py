"""Bars are for people: on a terminal, for work that takes a while, and never beside JSON."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import pytest
from rich.console import Console

from twinbeam.cli import progress
from twinbeam.cli.progress import bar

Work = Callable[..., str]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Do work of so many seconds under a bar; what stderr got."""

    def do(
        seconds: float,
        *,
        terminal: bool = True,
        quiet: bool = False,
        silent: bool = False,
        shows: str = "",
    ) -> str:
        written = io.StringIO()
        console = Console(file=written, force_terminal=terminal, width=100)
        monkeypatch.setattr(progress, "err", console)
        monkeypatch.setattr(progress, "_quiet", quiet)
        with bar("counting", 10, silent=silent) as shown:
            shown.advance(4)
            shown.update(5, text="counting on")
            time.sleep(seconds)
            deadline = time.monotonic() + 60.0
            while shows not in written.getvalue() and time.monotonic() < deadline:
                time.sleep(0.02)
        return written.getvalue()

    monkeypatch.setattr(progress, "_SHOWN_FROM_S", 0.1)
    return do


def test_long_work_is_shown_with_its_share(work: Work) -> None:
    said = work(0.3, shows="50%")
    assert "counting on" in said
    assert "50%" in said


def test_short_work_is_not_shown(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_SHOWN_FROM_S", 60.0)
    assert work(0.0).strip() == ""


@pytest.mark.parametrize("how", [{"terminal": False}, {"quiet": True}, {"silent": True}])
def test_nothing_is_shown_to_who_does_not_look(work: Work, how: dict[str, bool]) -> None:
    assert work(0.3, **how).strip() == ""

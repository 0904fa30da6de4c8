"""A browser sets the pace at which it is sent frames."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from bokeh.document import Document

from twinbeam.live import Health, Showcase, Update
from twinbeam.pipeline import Pipeline, Recipe, summary
from twinbeam.view.page.model import PageModel
from twinbeam.view.page.viewer import DEADLINES_S, Stage, Viewer
from twinbeam.view.sources import FrameCache, LiveSource


class Seat:
    """A viewer whose browser and clock are moved by hand."""

    def __init__(self, workers: ThreadPoolExecutor) -> None:
        self.showcase = Showcase()
        self._result = Pipeline(Recipe()).snapshot()
        self._numbers = summary(self._result)
        self.now_s = 100.0
        self.publish()
        stage = Stage(LiveSource(self.showcase), None, FrameCache(), workers)
        self.page = PageModel()
        document = Document()
        document.add_root(self.page)
        self.viewer = Viewer(document, self.page, stage, clock=lambda: self.now_s)

    def publish(self) -> int:
        """A new result; its number."""
        number = self.showcase.number + 1
        health = Health(run="run", state="running", version=number)
        recipe_hash = self._result.recipe.hash
        update = Update("run", recipe_hash, number, 1.0, 0.1, 0, self._numbers, health)
        self.showcase.update(update, replace(self._result))
        return number

    def sent(self) -> int:
        """Number of the result in the newest frame, after a turn of the server."""
        self.viewer.tick()
        return int(self.page.frame["key"].rpartition("/")[2])

    def paint(self) -> None:
        """Say that the newest frame was painted."""
        self.page.painted = self.page.frame["sent"]


@pytest.fixture
def seat() -> Iterator[Seat]:
    with ThreadPoolExecutor(1) as workers:
        yield Seat(workers)


def test_the_newest_frame_is_sent_when_the_one_before_is_painted(seat: Seat) -> None:
    assert seat.sent() == 1
    for _ in range(5):
        newest = seat.publish()
        assert seat.sent() == 1
    seat.paint()
    assert seat.sent() == newest  # those in between are left out
    first = seat.page.frame
    seat.paint()
    seat.viewer.tick()
    assert seat.page.frame is first  # nothing is sent when there is nothing new


def test_a_browser_that_stands_still_gets_a_few_frames_and_then_none(seat: Seat) -> None:
    frames = {seat.sent()}
    for _ in range(1000):
        seat.now_s += 1.0
        seat.publish()
        frames.add(seat.sent())
    assert len(frames) == 1 + len(DEADLINES_S)
    newest = seat.publish()
    seat.paint()
    assert seat.sent() == newest  # it has come back
    seat.now_s += DEADLINES_S[0] - 0.1
    seat.publish()
    assert seat.sent() == newest
    seat.now_s += 0.2
    assert seat.sent() == newest + 1


def test_a_page_that_is_not_seen_gets_nothing(seat: Seat) -> None:
    seat.sent()
    seat.paint()
    seat.page.visible = False
    for _ in range(50):
        seat.now_s += 10.0
        newest = seat.publish()
        assert seat.sent() == 1
    seat.page.visible = True
    assert seat.sent() == newest

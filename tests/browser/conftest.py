"""Chromium, and pages served to it."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from page_data import new_showcase, simulated_results, update_of

from twinbeam.live import Showcase
from twinbeam.pipeline import Result
from twinbeam.view.page import PageServer
from twinbeam.view.sources import LiveSource

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WAIT_MS = 60_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's Chromium."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=list(FLAGS), timeout=WAIT_MS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def results() -> list[Result]:
    """Results of a growing run."""
    return simulated_results()


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """Folder of the JSON lines of runs."""
    folder = tmp_path / "documents"
    folder.mkdir()
    return folder


@pytest.fixture
def showcase(results: list[Result], lines: Path) -> Showcase:
    """A showcase with the second of the results in it."""
    made = new_showcase(lines)
    made.update(update_of(results[0], 1), results[0])
    made.update(update_of(results[1], 2), results[1])
    return made


@pytest.fixture
def server(showcase: Showcase) -> Iterator[PageServer]:
    """The page of the showcase."""
    gc.collect()
    gc.freeze()  # as in the live process: who leaves must not stop everything else
    with PageServer(LiveSource(showcase)) as made:
        yield made
    gc.unfreeze()


class Look:
    """A page in the browser that remembers what went wrong in it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def open(self, url: str) -> None:
        """Open it and wait for the first frame to be painted."""
        answer = self.page.goto(url, timeout=WAIT_MS)
        assert answer.status == 200
        self.page.wait_for_selector("#page[data-painted]", timeout=WAIT_MS)

    def painted(self) -> str:
        """Key of the frame that was painted last."""
        return str(self.page.get_attribute("#page", "data-painted"))

    def wait_painted(self, ending: str) -> None:
        """Wait until a frame whose key ends so was painted."""
        self.page.wait_for_function(
            "end => document.getElementById('page').dataset.painted.endsWith(end)",
            arg=ending,
            timeout=WAIT_MS,
        )

    def wait_for(self, condition: str, arg: Any = None) -> None:
        """Wait until a condition holds in the page."""
        self.page.wait_for_function(condition, arg=arg, timeout=WAIT_MS)

    def wait_text(self, selector: str, text: str) -> None:
        """Wait until a text stands in an element."""
        self.wait_for(
            "([selector, text]) => document.querySelector(selector).innerText.includes(text)",
            [selector, text],
        )

    def column(self, source: str, name: str) -> list[Any]:
        """A column of a data source in the page; images as rows, one after the other."""
        return list(
            self.page.evaluate(
                """([source, name]) => {
                    const column = twinbeam.state().all.sources[source].data[name];
                    return name === "image" ? Array.from(column[0]) : Array.from(column);
                }""",
                [source, name],
            )
        )


@pytest.fixture
def look(
    chromium: Any, server: PageServer, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Look]]:
    """Function that opens the page in a context of its own; all are closed, without any error.

    Pictures of all pages are kept in the folder that TWINBEAM_SCREENSHOTS names.
    """
    contexts: list[Any] = []
    looks: list[Look] = []

    def make(**options: Any) -> Look:
        contexts.append(chromium.new_context(viewport={"width": 1280, "height": 800}, **options))
        contexts[-1].set_default_timeout(WAIT_MS)
        looks.append(Look(contexts[-1].new_page()))
        looks[-1].open(server.url)
        return looks[-1]

    yield make
    folder = os.environ.get("TWINBEAM_SCREENSHOTS")
    for number, each in enumerate(looks):
        if folder and not each.page.is_closed():
            name = f"{request.node.name}-{number}.png"
            each.page.screenshot(path=str(Path(folder) / name))
    for context in contexts:
        context.close()
    assert [error for each in looks for error in each.errors] == []

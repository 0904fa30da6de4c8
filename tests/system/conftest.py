"""What system tests share: a RunEngine, a catalogue, and instruments on the simulated beamline."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bluesky import RunEngine

# chooses caproto for ophyd; its threads live as long as the process
from twinbeam.devices import Beamline, Patience, make_beamline
from twinbeam.store import Catalog, RunWriter, open_catalog

Documents = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="session")
def instruments(beamline: Any) -> Iterator[Beamline]:
    """All instruments; tests leave them as they found them."""
    made = make_beamline(
        beamline.prefixes.beamline,
        beamline.prefixes.detector,
        data_root=beamline.data_dir / "instruments",
        # for all that is to go well, on a slow machine too
        patience=Patience(
            write_s=30.0, settings_s=30.0, start_s=60.0, stall_s=60.0, files_s=30.0, stop_s=20.0
        ),
    )
    made.connect(60.0)
    yield made
    made.destroy()


@pytest.fixture
def call_returns_result() -> bool:
    """Whether the engine gives plan results or only uids; folders override it."""
    return False


@pytest.fixture
def engine(call_returns_result: bool) -> Iterator[RunEngine]:
    """A RunEngine without its handling of signals; its thread is gone afterwards."""
    before = set(threading.enumerate())
    engine = RunEngine(context_managers=[], call_returns_result=call_returns_result)
    (thread,) = (
        t for t in threading.enumerate() if t not in before and t.name == "bluesky-run-engine"
    )
    yield engine
    engine.loop.call_soon_threadsafe(engine.loop.stop)
    thread.join(timeout=60)
    assert not thread.is_alive()
    engine.loop.close()


@pytest.fixture
def documents(engine: RunEngine) -> Documents:
    """All documents of the engine, in order."""
    received: Documents = []
    engine.subscribe(lambda name, doc: received.append((name, doc)))
    return received


@pytest.fixture
def meanwhile() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Function that does something in another thread, which has ended when the test has."""
    threads: list[threading.Thread] = []

    def start(action: Callable[[], None]) -> None:
        threads.append(threading.Thread(target=action, name="meanwhile"))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()


@pytest.fixture(scope="session", autouse=True)
def template_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cached catalogue template for all tests and workers, in pytest's own folder."""
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        yield cache


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """A catalogue that the tests of a file share; at the end every thread of it is gone."""
    before = set(threading.enumerate())
    folder = tmp_path_factory.mktemp("catalogue") / "with a space"
    with open_catalog(folder, readable=[tmp_path_factory.getbasetemp()]) as catalog:
        yield catalog
    _wait_for_end_of_threads(before)


@pytest.fixture
def writer(catalog: Catalog) -> Iterator[RunWriter]:
    """A writer of the test's own; a failure to store that the test did not expect fails it."""
    with RunWriter(catalog) as writer:
        yield writer


@pytest.fixture
def threads_end() -> Callable[[], None]:
    """Waits until every thread that came with the test is gone."""
    before = set(threading.enumerate())
    return lambda: _wait_for_end_of_threads(before)


def _wait_for_end_of_threads(before: set[threading.Thread], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while left := [t for t in threading.enumerate() if t not in before and not _of_a_library(t)]:
        assert time.monotonic() < deadline, f"still alive: {left}"
        time.sleep(0.01)


def _of_a_library(thread: threading.Thread) -> bool:
    """Whether it is of the pools that zarr and dask keep for the life of the process."""
    return thread.name.startswith(("zarr_io", "asyncio_", "ThreadPoolExecutor-"))

"""A catalogue and a writer behind a real RunEngine, for runs that are then replayed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OPHYD_CONTROL_LAYER", "caproto")

import ophyd  # noqa: F401  starts the client's threads, which live as long as the process
from bluesky import RunEngine

from twinbeam.store import Catalog, RunWriter, open_catalog


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
    wait_for_end_of_threads(before)


@pytest.fixture
def writer(catalog: Catalog) -> Iterator[RunWriter]:
    """A writer of the test's own; a failure to store that the test did not expect fails it."""
    with RunWriter(catalog) as writer:
        yield writer


@pytest.fixture
def engine() -> Iterator[RunEngine]:
    before = set(threading.enumerate())
    engine = RunEngine(context_managers=[])  # without its handling of signals
    (thread,) = [
        t for t in threading.enumerate() if t not in before and t.name == "bluesky-run-engine"
    ]
    yield engine
    engine.loop.call_soon_threadsafe(engine.loop.stop)
    thread.join(timeout=20)
    assert not thread.is_alive()
    engine.loop.close()


def wait_for_end_of_threads(before: set[threading.Thread], timeout_s: float = 20.0) -> None:
    """Wait until no thread is left that was not there before."""
    deadline = time.monotonic() + timeout_s
    while left := [t for t in threading.enumerate() if t not in before and not of_a_library(t)]:
        assert time.monotonic() < deadline, f"still alive: {left}"
        time.sleep(0.01)


def of_a_library(thread: threading.Thread) -> bool:
    """Whether it is of the pools that zarr and dask keep for the life of the process."""
    return thread.name.startswith(("zarr_io", "asyncio_", "ThreadPoolExecutor-"))

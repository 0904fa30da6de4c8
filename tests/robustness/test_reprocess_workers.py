"""Reprocessing with processes and clusters: workers die, files change, nothing is left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker, spawn
from pathlib import Path
from typing import Any

import pytest

from twinbeam.errors import RawDataError, RecipeError, StorageError
from twinbeam.pipeline import Recipe, Result, process
from twinbeam.replay import Progress, Reprocessed, raw_run_of_files, reprocess
from twinbeam.replay.process_pool import ProcessPool
from twinbeam.simulate import PRESETS, simulate

SLAB_BYTES = 1 << 20


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """12 MB in two files of one acquisition."""
    folder = tmp_path_factory.mktemp("raw")
    simulate(folder / "whole.tpx3", seconds=0.4, parameters=PRESETS["benchmark"])
    raw = (folder / "whole.tpx3").read_bytes()
    files = [folder / "run_000000.tpx3", folder / "run_000001.tpx3"]
    files[0].write_bytes(raw[:5_000_003])
    files[1].write_bytes(raw[5_000_003:])
    return files


@pytest.fixture(scope="module")
def expected(paths: list[Path]) -> Result:
    return process(paths)


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert multiprocessing.active_children() == []
    deadline = time.monotonic() + 20
    while left := [t for t in threading.enumerate() if t not in before and not _pooled(t)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


def _pooled(thread: threading.Thread) -> bool:
    """Of pools that Dask keeps for the life of the process."""
    return thread.name.startswith(
        ("Dask-Offload", "Profile", "TCP-Executor", "ThreadPoolExecutor-")
    )


def made(paths: list[Path], **options: Any) -> Reprocessed:
    (one,) = reprocess([raw_run_of_files(paths)], slab_bytes=SLAB_BYTES, **options)
    return one


def assert_same(found: Reprocessed, expected: Result) -> None:
    assert found.result.differences(expected) == []
    assert found.result.census == expected.census
    assert found.result.duration_s == expected.duration_s
    assert found.result.digest() == expected.digest()


class Pools:
    """The pools that are made, to find their workers."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.made: list[ProcessPool] = []
        self.tasks = 0
        init, submit = ProcessPool.__init__, ProcessPool.submit

        def noted(pool: ProcessPool, *arguments: Any) -> None:
            init(pool, *arguments)
            self.made.append(pool)

        def counted(pool: ProcessPool, *arguments: Any) -> None:
            self.tasks += 1
            submit(pool, *arguments)

        patch.setattr(ProcessPool, "__init__", noted)
        patch.setattr(ProcessPool, "submit", counted)


@pytest.fixture
def pools(monkeypatch: pytest.MonkeyPatch) -> Pools:
    return Pools(monkeypatch)


@pytest.mark.parametrize("workers", [2, 3])
def test_processes_make_no_difference(
    paths: list[Path], expected: Result, pools: Pools, workers: int
) -> None:
    pids: set[int] = set()
    found = made(paths, workers=workers, on_progress=lambda _: pids.update(pools.made[0].pids))
    assert_same(found, expected)
    assert len(pids) == workers
    assert os.getpid() not in pids


def test_ctrl_c_does_not_reach_workers_that_begin(
    paths: list[Path], expected: Result, pools: Pools, capfd: pytest.CaptureFixture[str]
) -> None:
    pids: set[int] = set()
    over = threading.Event()

    def interrupt() -> None:
        while not over.wait(0.01):
            for pid in [pid for pool in pools.made for pid in pool.pids]:
                pids.add(pid)
                os.kill(pid, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        found = made(paths, workers=2, on_progress=lambda _: over.set())
    finally:
        over.set()
        thread.join()
    assert_same(found, expected)
    assert len(pids) == 2
    assert "Traceback" not in capfd.readouterr().err


def test_killed_workers_cost_only_time(
    paths: list[Path], expected: Result, pools: Pools, process_exists: Callable[[int], bool]
) -> None:
    killed: list[int] = []

    def kill(now: Progress) -> None:
        alive = [pid for pid in pools.made[0].pids if pid not in killed]
        if len(killed) < 3 and alive:
            killed.append(alive[0])
            os.kill(killed[-1], signal.SIGKILL)

    found = made(paths, workers=2, on_progress=kill)
    assert_same(found, expected)
    assert len(set(killed)) == 3
    assert not any(process_exists(pid) for pid in killed)


def test_a_task_that_kills_every_worker_is_given_up_with_its_place(
    paths: list[Path], pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_out = ProcessPool._hand_out

    def fatal(pool: ProcessPool) -> None:
        hand_out(pool)
        for worker in pool._workers:
            if worker.job is not None and worker.job[0] == 3:
                worker.process.kill()

    monkeypatch.setattr(ProcessPool, "_hand_out", fatal)
    with pytest.raises(
        StorageError, match=r"run_00000.\.tpx3, bytes .*3 worker processes died.*signal 9"
    ):
        made(paths, workers=2)


def test_workers_that_cannot_begin_are_an_error(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    resource_tracker.ensure_running()  # it is started in the same way, and must not fail
    monkeypatch.setattr(spawn, "get_executable", lambda: b"/bin/false")
    with pytest.raises(StorageError, match="3 worker processes died, the last with status 1"):
        made(paths, workers=2)


def test_what_a_worker_complains_of_is_raised_here(paths: list[Path], tmp_path: Path) -> None:
    table = tmp_path / "pixels.npz"
    table.write_bytes(b"")
    run = raw_run_of_files(paths)
    recipe = Recipe.from_mapping({"geometry": {"pixels": str(table)}})
    with pytest.raises(RecipeError, match=r"pixels\.npz"):
        list(reprocess([run], recipe, workers=2, slab_bytes=SLAB_BYTES))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_that_changes_under_the_work_is_an_error(tmp_path: Path, workers: int) -> None:
    path = tmp_path / "growing.tpx3"
    simulate(path, seconds=0.2, parameters=PRESETS["benchmark"])
    content = path.read_bytes()

    def change(_: Progress) -> None:
        path.write_bytes(content[: len(content) // 2])

    with pytest.raises(RawDataError, match=r"growing\.tpx3.*(was changed|became shorter)"):
        made([path], workers=workers, on_progress=change)


def test_results_that_are_not_wanted_end_the_workers(paths: list[Path], pools: Pools) -> None:
    run = raw_run_of_files(paths)
    results = reprocess([run, run], workers=2, slab_bytes=SLAB_BYTES)
    next(results)
    (pool,) = pools.made
    assert len(pool.pids) == 2
    results.close()
    assert pool.pids == []


def test_killed_workers_leave_a_cache_that_can_be_used(
    paths: list[Path], expected: Result, pools: Pools, tmp_path: Path
) -> None:
    def stop(now: Progress) -> None:
        if now.done_bytes > 4 * SLAB_BYTES:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(paths, workers=2, cache=tmp_path / "cache", on_progress=stop)
    told: list[Progress] = []
    assert_same(made(paths, workers=2, cache=tmp_path / "cache", on_progress=told.append), expected)
    assert told[-1].cached_bytes >= 4 * SLAB_BYTES


def test_without_dask_it_says_how_to_get_it(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(StorageError, match=r"pip install 'twinbeam\[dask\]'"):
        made(paths, scheduler="local")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "somewhere", "tcp://127.0.0.1:port"])
def test_a_scheduler_that_does_not_answer(paths: list[Path], address: str) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(StorageError, match=f"{address}: the Dask scheduler does not answer"):
        made(paths, scheduler=address)


def test_a_dask_cluster_and_one_whose_worker_is_killed(
    paths: list[Path], expected: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    from twinbeam.replay.dask_pool import DaskPool

    pools: list[DaskPool] = []
    submit = DaskPool.submit

    def noted(pool: DaskPool, *arguments: Any) -> None:
        pools.append(pool)
        submit(pool, *arguments)

    monkeypatch.setattr(DaskPool, "submit", noted)
    killed: list[int] = []

    def kill(_: Progress) -> None:
        if not killed:
            worker = next(iter(pools[0]._cluster.workers.values()))
            killed.append(worker.pid)
            os.kill(worker.pid, signal.SIGKILL)

    assert_same(made(paths, workers=2, scheduler="local"), expected)
    pools.clear()
    assert_same(made(paths, workers=2, scheduler="local", on_progress=kill), expected)
    assert len(killed) == 1

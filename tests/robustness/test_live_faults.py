"""Disk and tiled fail the live service: the analysis goes on, and its result is the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harm import Proxy, no_room
from measurements import Measurement, Service
from storage_processes import KEY, ServerProcess

from twinbeam.pipeline import Recipe, process
from twinbeam.store import open_catalog, stored_digest

Start = Callable[..., Service]
Measure = Callable[..., Measurement]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tiled's client gives up after a second, not after 45; one template for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared / "cache"))
    monkeypatch.setenv("TILED_RETRY_TIMEOUT", "1.0")
    monkeypatch.setenv("TILED_RETRY_ATTEMPTS", "2")


def updates_of(one: Service) -> list[Any]:
    updates: list[Any] = []
    one.link.on_update(updates.append)
    return updates


@pytest.mark.timeout(280)
def test_a_full_disk_takes_checkpoints_but_no_results(
    service: Start, measure: Measure, wait_until: Callable[..., None]
) -> None:
    one = service(options={"checkpoint": "0.1"}).warm()
    updates = updates_of(one)
    run = measure(one.link)
    run.end_frame()
    wait_until(lambda: any(one.state.glob("*.checkpoint")), 60.0, "a checkpoint")
    with no_room(one.process.pid):
        while run.n_frames < 6:
            run.end_frame()
        wait_until(lambda: bool(updates) and updates[-1].health.files_read == 6, 60.0, "results")
        assert one.process.running
    run.end_frame()
    run.end_frame()
    run.stop()
    expected = process(run.paths)
    assert one.digest(run) == expected.digest()
    assert expected.ledger.closes
    last = updates[-1].health
    assert (last.files_named, last.files_read, last.files_failed) == (8, 8, 0)
    assert [sentence for sentence in one.told if "started again" in sentence] == []
    print("\nfull disk: 8 of 8 files in the result")


@pytest.mark.timeout(900)
def test_results_are_stored_once_tiled_is_back(
    service: Start, measure: Measure, tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    server = ServerProcess(tmp_path / "catalogue")
    try:
        with Proxy(server.port) as proxy:
            uri = f"http://127.0.0.1:{proxy.port}"
            one = service(catalog=uri, api_key=KEY).warm()
            # one after the other: of those that wait too long the service says that they broke off
            first = measure(one.link)
            first.end_frame()
            with proxy.slow(0.05):
                while first.n_frames < 8:
                    first.end_frame()
                first.stop()
                assert one.done(first, 240.0)
            second = measure(one.link)
            second.end_frame()
            with proxy.cut():
                while second.n_frames < 8:
                    second.end_frame()
                second.stop()
                final = one.link.wait_final(second.uid, 120.0)
                assert final is not None
                assert final.final  # published although it cannot be stored
                wait_until(lambda: bool(one.link.status(60.0)["problems"]), 60.0, "it is said")
                assert one.process.running
            assert one.done(second, 240.0)  # tried again until it is stored
            server.kill()
            third = measure(one.link)
            third.all()
            final = one.link.wait_final(third.uid, 120.0)
            assert final is not None
            assert final.final
            server = server.again()
            assert one.done(third, 240.0)
            runs = (first, second, third)
            with open_catalog(server.uri, api_key=KEY, documents=tmp_path / "d") as catalog:
                stored = [stored_digest(catalog, run.uid, Recipe().hash) for run in runs]
            assert stored == [process(run.paths).digest() for run in runs]
            problems = one.link.status(60.0)["problems"]
            assert len(problems) == len(set(problems))
            print(f"\ntiled slow, cut and killed: {len(stored)} of {len(runs)} results stored")
    finally:
        server.close()

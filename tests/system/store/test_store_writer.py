from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bluesky import RunEngine
from bluesky import plans as bp
from event_model import compose_run
from ophyd import Signal
from ophyd.sim import SynAxis
from tiled.client.dataframe import DataFrameClient

from twinbeam.errors import StorageError
from twinbeam.store import Catalog, RunWriter, ingest, open_catalog, read_documents

NUMBER = {"dtype": "number", "shape": [], "source": "test"}
INTEGER = {"dtype": "integer", "shape": [], "source": "test"}
TOO_LONG = "k" * 70  # tiled takes this for the name of a column and refuses it


def plain(document: Any) -> Any:
    """The document as JSON would have it, to compare with what was kept."""
    return json.loads(json.dumps(document, default=lambda value: value.tolist()))


class Run:
    """Documents of a run made by hand and sent to a writer one at a time."""

    def __init__(self, send: Callable[[str, Any], None], **keys: Any) -> None:
        self.send, self.keys = send, keys
        self.bundle = compose_run(metadata={"plan_name": "by hand"})
        self.uid = self.bundle.start_doc["uid"]
        self.sent: list[tuple[str, Any]] = []
        self.give("start", self.bundle.start_doc)
        self.stream = self.bundle.compose_descriptor(name="primary", data_keys=keys)
        self.give("descriptor", self.stream.descriptor_doc)

    def give(self, name: str, document: Any) -> None:
        self.sent.append((name, document))
        self.send(name, document)

    def event(self, **data: Any) -> None:
        stamps = dict.fromkeys(data, 1.0)
        self.give("event", self.stream.compose_event(data=data, timestamps=stamps))

    def page(self, **data: list[Any]) -> None:
        stamps = {key: [1.0] * len(values) for key, values in data.items()}
        page = self.stream.compose_event_page(
            data=data, timestamps=stamps, seq_num=list(range(1, 1 + len(next(iter(data.values())))))
        )
        self.give("event_page", {**page, "descriptor": self.stream.descriptor_doc["uid"]})

    def stop(self) -> None:
        self.give("stop", self.bundle.compose_stop())


def column(catalog: Catalog, uid: str, key: str) -> list[Any]:
    return list(catalog.raw[uid]["primary"][key].read())


def test_the_lines_are_the_documents_and_tiled_has_them(
    engine: RunEngine, catalog: Catalog, writer: RunWriter
) -> None:
    sent: list[tuple[str, Any]] = []
    engine.subscribe(writer)
    engine.subscribe(lambda name, document: sent.append((name, document)))
    motor, signal = SynAxis(name="motor"), Signal(name="signal", value="text")
    (uid,) = engine(bp.scan([signal], motor, -1, 1, 5), sample={"a": np.float32(0.1)})
    assert list(read_documents(writer.path(uid))) == [(n, plain(d)) for n, d in sent]
    assert writer.path(uid) == catalog.directory / "documents" / f"{uid}.jsonl"
    writer.join()
    assert writer.pending == 0
    assert column(catalog, uid, "motor") == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert column(catalog, uid, "signal") == ["text"] * 5
    assert catalog.raw[uid].stop == plain(sent[-1][1])


def test_events_are_in_tiled_while_the_run_goes_on(catalog: Catalog, writer: RunWriter) -> None:
    run = Run(writer, x=NUMBER)
    for number in range(4):
        run.event(x=number / 2)
        writer.join()
        assert column(catalog, run.uid, "x") == [n / 2 for n in range(number + 1)]
        assert "stop" not in catalog.raw[run.uid].metadata
    run.stop()
    writer.join()
    assert catalog.raw[run.uid].stop["num_events"] == {"primary": 4}


@pytest.fixture
def appends(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[int], threading.Event]]:
    """Rows of every append to a table of tiled, and what lets appends through; set at first."""
    rows: list[int] = []
    through = threading.Event()
    through.set()
    append = DataFrameClient.append_partition

    def counted(self: Any, partition: int, table: Any) -> Any:
        assert through.wait(60.0)
        rows.append(len(table))
        return append(self, partition, table)

    monkeypatch.setattr(DataFrameClient, "append_partition", counted)
    yield rows, through
    through.set()


@pytest.mark.parametrize("paged", [True, False])
def test_a_burst_of_events_is_stored_in_few_writes(
    catalog: Catalog,
    writer: RunWriter,
    appends: tuple[list[int], threading.Event],
    paged: bool,
) -> None:
    count = 600
    rows, _ = appends
    run = Run(writer, x=NUMBER)
    begin = time.perf_counter()
    if paged:
        run.page(x=[n / 4 for n in range(count)])
    else:
        for number in range(count):
            run.event(x=number / 4)
    given = time.perf_counter()
    run.stop()
    writer.join()
    seconds = time.perf_counter() - begin
    print(f"\n{count} events: {given - begin:.3f} s to hand over, {seconds:.2f} s to store")
    assert column(catalog, run.uid, "x") == [n / 4 for n in range(count)]
    assert sum(rows) == count
    assert len(rows) < 60  # each takes 30 ms and more


def test_the_callback_does_not_wait_for_tiled(
    catalog: Catalog, writer: RunWriter, appends: tuple[list[int], threading.Event]
) -> None:
    rows, through = appends
    run, durations = Run(writer, x=NUMBER), []
    through.clear()  # tiled takes nothing any more
    for _ in range(300):
        begin = time.perf_counter()
        run.event(x=1.0)
        durations.append(time.perf_counter() - begin)
    assert rows == []
    median, late = np.percentile(durations, [50, 99]) * 1e3
    print(f"\n{len(durations)} calls: median {median:.3f} ms, 99 % under {late:.3f} ms")
    assert median < 25.0  # a write to tiled takes 30 ms and more; alone it is 0.05 ms
    through.set()
    run.stop()
    writer.join()
    assert len(column(catalog, run.uid, "x")) == len(durations)


@pytest.mark.parametrize(
    ("declared", "values"),
    [
        (NUMBER, [0, 0.5, 2]),  # a motor that starts at 0
        (INTEGER, [0, 0.5, 2]),  # described when it stood at 0
        (INTEGER, [1, 2**40, -3]),
    ],
)
def test_a_column_whose_first_value_is_of_another_type_is_stored(
    catalog: Catalog, writer: RunWriter, declared: dict[str, Any], values: list[float]
) -> None:
    run = Run(writer, x=declared)
    for number, value in enumerate(values, 1):
        run.event(x=value)
        writer.join()
        assert column(catalog, run.uid, "x") == values[:number]
    run.stop()
    writer.join()
    assert catalog.raw[run.uid].stop["exit_status"] == "success"


def test_a_run_that_tiled_refuses_is_told_at_join_and_touches_nothing_else(
    engine: RunEngine, catalog: Catalog, writer: RunWriter
) -> None:
    engine.subscribe(writer)
    good, bad = Signal(name="good", value=1.0), Signal(name=TOO_LONG, value=1.0)
    (first,) = engine(bp.count([good]))
    (refused,) = engine(bp.count([bad], num=3))  # the plan ends well
    (last,) = engine(bp.count([good]))
    with pytest.raises(StorageError, match="max bytes is 63") as caught:
        writer.join()
    assert caught.value.where == str(writer.path(refused))
    assert "twinbeam.store.ingest" in str(caught.value)
    assert [n for n, _ in read_documents(writer.path(refused))].count("event") == 3
    for uid in (first, last):
        assert column(catalog, uid, "good") == [1.0]
    writer.join()  # said once
    writer.close()


def test_a_refusal_is_told_while_the_run_goes_on_and_again_at_its_stop(
    catalog: Catalog, writer: RunWriter
) -> None:
    run = Run(writer, **{TOO_LONG: NUMBER})
    run.event(**{TOO_LONG: 1.0})
    with pytest.raises(StorageError, match="it has not stopped"):
        writer.join()
    run.stop()
    with pytest.raises(StorageError, match="its JSON lines are complete"):
        writer.close()


@pytest.fixture
def full_disk(catalog: Catalog) -> Iterator[Callable[[str, Any], None]]:
    """Subscribed before the writer, puts the lines of runs on a device that is always full."""

    def fill(name: str, document: Any) -> None:
        if name == "start" and document.get("full"):
            folder = catalog.documents_directory
            folder.mkdir(exist_ok=True)
            (folder / f"{document['uid']}.jsonl").symlink_to("/dev/full")

    return fill


def test_a_full_disk_ends_the_run_and_says_so(
    engine: RunEngine, catalog: Catalog, writer: RunWriter, full_disk: Callable[[str, Any], None]
) -> None:
    sent: list[tuple[str, Any]] = []
    engine.subscribe(lambda name, document: sent.append((name, document)))
    engine.subscribe(full_disk)
    engine.subscribe(writer)
    signal = Signal(name="signal", value=1.0)
    with pytest.raises(StorageError, match="No space left on device") as caught:
        engine(bp.count([signal], num=100), full=True)
    assert caught.value.where == str(writer.path(sent[0][1]["uid"]))
    assert [name for name, _ in sent] == ["start", "stop"]
    assert sent[-1][1]["exit_status"] == "fail"
    assert "No space left on device" in sent[-1][1]["reason"]
    assert engine.state == "idle"
    with pytest.raises(StorageError, match="No space left on device"):
        writer.join()
    (uid,) = engine(bp.count([signal]))  # there is room again
    writer.join()
    assert column(catalog, uid, "signal") == [1.0]


def test_a_disk_that_fills_up_leaves_a_readable_file_and_the_rest_to_tiled(
    catalog: Catalog, writer: RunWriter
) -> None:
    run = Run(writer, x=NUMBER)
    run.event(x=1.0)
    writer._lines.close(run.uid)  # so that the next line opens the file anew
    whole = writer.path(run.uid).rename(catalog.documents_directory / "whole.jsonl")
    writer.path(run.uid).symlink_to("/dev/full")
    with pytest.raises(StorageError, match="No space left"):
        run.event(x=2.0)
    run.event(x=3.0)  # said once
    run.stop()
    assert [name for name, _ in read_documents(whole)] == ["start", "descriptor", "event"]
    with pytest.raises(StorageError, match="No space left"):
        writer.join()
    assert column(catalog, run.uid, "x") == [1.0, 2.0, 3.0]


def test_metadata_that_are_no_json_end_the_run_before_it_measures(
    engine: RunEngine, catalog: Catalog, writer: RunWriter
) -> None:
    before = list(catalog.raw)
    engine.subscribe(writer)
    signal = Signal(name="signal", value=1.0)
    with pytest.raises(StorageError, match="a value of type object"):
        engine(bp.count([signal]), holder=object())
    with pytest.raises(StorageError, match="a value of type object"):
        writer.join()
    assert list(catalog.raw) == before
    (uid,) = engine(bp.count([signal]))
    writer.join()
    assert list(catalog.raw) == [*before, uid]


def test_two_runs_open_at_once_keep_apart(catalog: Catalog, writer: RunWriter) -> None:
    one, two = Run(writer, x=NUMBER), Run(writer, y=NUMBER)
    for number in range(3):
        one.event(x=float(number))
        two.event(y=-float(number))
    one.stop()
    two.event(y=7.0)
    two.stop()
    writer.join()
    for run in (one, two):
        assert list(read_documents(writer.path(run.uid))) == [(n, plain(d)) for n, d in run.sent]
    assert column(catalog, one.uid, "x") == [0.0, 1.0, 2.0]
    assert column(catalog, two.uid, "y") == [-0.0, -1.0, -2.0, 7.0]


def test_a_writer_subscribed_too_late_says_so_at_join(writer: RunWriter) -> None:
    sent: list[tuple[str, Any]] = []
    run = Run(lambda name, document: sent.append((name, document)), x=NUMBER)
    run.event(x=1.0)
    for name, document in sent[1:]:
        writer(name, document)
    with pytest.raises(StorageError, match="whose start was not seen is not stored; and 1 more"):
        writer.join()


def test_join_gives_up_when_the_time_is_up_and_close_stores_the_rest(
    catalog: Catalog, writer: RunWriter
) -> None:
    run = Run(writer, x=NUMBER)
    run.event(x=1.0)
    with pytest.raises(StorageError, match=r"not yet in tiled after 0 s .*JSON lines"):
        writer.join(timeout_s=0)
    writer.close()
    writer.close()
    assert column(catalog, run.uid, "x") == [1.0]
    with pytest.raises(StorageError, match="the run writer is closed"):
        run.event(x=2.0)
    assert not any(t.name == "run-writer" for t in threading.enumerate())


def test_lines_are_taken_in_by_another_catalogue(
    engine: RunEngine, catalog: Catalog, writer: RunWriter, tmp_path: Path
) -> None:
    engine.subscribe(writer)
    signal = Signal(name="signal", value=2.5)
    (uid,) = engine(bp.count([signal], num=3))
    writer.join()
    with open_catalog(tmp_path / "other") as other:
        assert ingest(other, writer.path(uid)) == uid
        assert column(other, uid, "signal") == [2.5] * 3
        assert dict(other.raw[uid].metadata) == dict(catalog.raw[uid].metadata)
        with pytest.raises(StorageError, match="stored already"):
            ingest(other, writer.path(uid))
        lines = writer.path(uid).read_bytes().splitlines(keepends=True)
        cut = tmp_path / "cut.jsonl"
        cut.write_bytes(b"".join(lines[:4]))  # a run that was never stopped
        ingest(other, cut, replace=True)
        assert column(other, uid, "signal") == [2.5] * 2
        ingest(other, cut, container="processed")
        assert list(other.client["processed"]) == [uid]
        cut.write_bytes(b"".join(lines[1:]))
        with pytest.raises(StorageError, match="does not begin with a start document"):
            ingest(other, cut)


def test_a_derived_run_goes_to_its_own_container(catalog: Catalog) -> None:
    with RunWriter(catalog, container="processed") as writer:
        run = Run(writer, pairs=INTEGER)
        run.event(pairs=3)
        run.stop()
    assert list(catalog.client["processed"]) == [run.uid]
    assert run.uid not in catalog.raw
    assert catalog.broker("processed")[-1].uid == run.uid

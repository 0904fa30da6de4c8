from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from bluesky import RunEngine
from bluesky import plan_stubs as bps
from bluesky import plans as bp
from bluesky import preprocessors as bpp
from bluesky.utils import RunEngineInterrupted
from event_model import DocumentNames, compose_run, schema_validators, unpack_event_page
from ophyd import Signal
from ophyd.sim import SynAxis
from ophyd.status import StatusBase

from twinbeam.errors import StorageError
from twinbeam.replay import replay, replay_jsonl
from twinbeam.store import Catalog, RunWriter, ingest

Documents = list[tuple[str, dict[str, Any]]]

RAW_KEYS = {
    "tpx3_raw_uri": "string",
    "tpx3_raw_template": "string",
    "tpx3_raw_first": "integer",
    "tpx3_raw_count": "integer",
    "tpx3_raw_bytes": "integer",
}


def raw_values(number: int) -> dict[str, Any]:
    """What the detector says of the files of a frame group."""
    return {
        "tpx3_raw_uri": "file://localhost/data/raw files/2026-11-22/",
        "tpx3_raw_template": "run µ_{:06d}.tpx3",
        "tpx3_raw_first": 3 * number,
        "tpx3_raw_count": 3,
        "tpx3_raw_bytes": 2**40 + number,  # more than 32 bits
    }


class RawFiles:
    """A step detector whose readings are the raw-file keys, with numpy numbers among them."""

    name, parent = "tpx3", None

    def __init__(self) -> None:
        self.number = 0

    def trigger(self) -> StatusBase:
        self.number += 1
        status = StatusBase()
        status.set_finished()
        return status

    def read(self) -> dict[str, Any]:
        values = raw_values(self.number)
        values["tpx3_raw_bytes"] = np.int64(values["tpx3_raw_bytes"])
        return {key: {"value": value, "timestamp": 1.5} for key, value in values.items()}

    def describe(self) -> dict[str, Any]:
        return {
            key: {"source": "PV:TPX3", "dtype": dtype, "shape": []}
            for key, dtype in RAW_KEYS.items()
        }

    def read_configuration(self) -> dict[str, Any]:
        return {"tpx3_mode": {"value": "data-driven", "timestamp": 0.5}}

    def describe_configuration(self) -> dict[str, Any]:
        return {"tpx3_mode": {"source": "PV:MODE", "dtype": "string", "shape": []}}


class Flying(RawFiles):
    """The same, with two events at every collection while it runs, until there are six."""

    def __init__(self) -> None:
        super().__init__()
        self.done = StatusBase()

    def kickoff(self) -> StatusBase:
        self.done, self.number = StatusBase(), 0
        status = StatusBase()
        status.set_finished()
        return status

    def complete(self) -> StatusBase:
        return self.done

    def describe_collect(self) -> dict[str, Any]:
        return self.describe()

    def next_events(self) -> list[dict[str, Any]]:
        events = []
        for _ in range(2 if self.number < 6 else 0):
            self.number += 1
            now, values = time.time(), raw_values(self.number)
            stamps = dict.fromkeys(values, now)
            events.append({"time": now, "data": values, "timestamps": stamps})
        if self.number >= 6 and not self.done.done:
            self.done.set_finished()
        return events


class FlyingInEvents(Flying):
    """Hands over event by event."""

    def collect(self) -> Iterator[dict[str, Any]]:
        yield from self.next_events()


class FlyingInPages(Flying):
    """Hands over pages of events."""

    def collect_pages(self) -> Iterator[dict[str, Any]]:
        events = self.next_events()
        if events:
            page = {
                part: {key: [event[part][key] for event in events] for key in RAW_KEYS}
                for part in ("data", "timestamps")
            }
            times = [event["time"] for event in events]
            yield {"time": times, **page, "filled": {}, "seq_num": [], "uid": []}


def fly(detector: Flying) -> Iterator[Any]:
    yield from bps.open_run()
    yield from bps.declare_stream(detector, name="frames", collect=True)
    yield from bps.kickoff(detector, wait=True)
    yield from bps.collect_while_completing(
        [detector], [detector], flush_period=0.05, stream_name="frames"
    )
    yield from bps.close_run()


def step_with_baseline() -> Iterator[Any]:
    motor, temperature = SynAxis(name="motor", value=0.0), Signal(name="temperature", value=21.5)
    return bpp.baseline_wrapper(bp.scan([RawFiles()], motor, -1, 1, 4), [temperature, motor])


def nothing() -> Iterator[Any]:
    yield from bps.open_run(md={"plan_name": "nothing"})
    yield from bps.close_run()


def stream_without_events() -> Iterator[Any]:
    yield from bps.open_run()
    yield from bps.declare_stream(RawFiles(), name="primary")
    yield from bps.close_run()


def failing() -> Iterator[Any]:
    yield from bps.open_run()
    yield from bps.trigger_and_read([RawFiles()])
    raise RuntimeError("the detector is on fire")


def pausing() -> Iterator[Any]:
    yield from bps.open_run()
    yield from bps.trigger_and_read([RawFiles()])
    yield from bps.pause()


def plain(document: Any) -> Any:
    """The document as JSON would have it."""
    return json.loads(json.dumps(document, default=lambda value: value.tolist()))


def in_single_events(documents: Documents) -> Documents:
    single: Documents = []
    for name, doc in documents:
        if name == "event_page":
            single += [("event", dict(event)) for event in unpack_event_page(doc)]
        else:
            single.append((name, doc))
    return [(name, plain(doc)) for name, doc in single]


def assert_same_run(replayed: Documents, sent: Documents) -> None:
    """Names and order as sent, and in every document all that `replay` promises."""
    sent = in_single_events(sent)
    assert [name for name, _ in replayed] == [name for name, _ in sent]
    for (name, got), (_, want) in zip(replayed, sent, strict=True):
        assert type(got) is dict
        schema_validators[DocumentNames[name]].validate(got)
        if name == "event":
            for document in (got, want):
                document.pop("uid")
            want.pop("filled")
        if name == "descriptor":
            for key, about in got["data_keys"].items():
                assert set(about) - set(want["data_keys"][key]) <= {"dtype_numpy", "object_name"}
                got["data_keys"][key] = {k: about[k] for k in want["data_keys"][key]}
            for device, config in got["configuration"].items():
                for about in config["data_keys"].values():
                    about.pop("dtype_numpy", None)
                for about in want["configuration"][device]["data_keys"].values():
                    about.pop("dtype_numpy", None)
        # As text: so that 1 is not 1.0 and True is not 1.
        assert json.dumps(got, sort_keys=True) == json.dumps(want, sort_keys=True)


def replayed(source: Any, key: str | int) -> Documents:
    documents: Documents = []
    replay(source, key, lambda name, doc: documents.append((name, doc)))
    return documents


class Measured:
    """Runs a plan with the writer subscribed first, and keeps the documents that were sent."""

    def __init__(self, engine: RunEngine, catalog: Catalog, writer: RunWriter) -> None:
        self.engine, self.catalog, self.writer = engine, catalog, writer
        self.sent: Documents = []
        engine.subscribe(writer)
        engine.subscribe(lambda name, doc: self.sent.append((name, doc)))

    def run(self, plan: Any, **metadata: Any) -> str:
        self.sent.clear()
        self.engine(plan, **metadata)
        self.writer.join()
        return str(self.sent[0][1]["uid"])


@pytest.fixture
def measured(engine: RunEngine, catalog: Catalog, writer: RunWriter) -> Measured:
    return Measured(engine, catalog, writer)


@pytest.mark.parametrize(
    ("plan", "names"),
    [
        (step_with_baseline, {"baseline": 2, "primary": 4}),
        (lambda: fly(FlyingInEvents()), {"frames": 6}),
        (lambda: fly(FlyingInPages()), {"frames": 6}),
        (nothing, {}),
        (stream_without_events, {"primary": 0}),
    ],
    ids=["step-with-baseline", "fly-events", "fly-pages", "nothing", "stream-without-events"],
)
def test_a_run_comes_back_through_databroker_and_from_its_lines(
    measured: Measured, plan: Callable[[], Any], names: dict[str, int]
) -> None:
    uid = measured.run(plan(), recipe={"window_ns": 12.5, "mask": [1, 2]}, operator="Zoë")
    got = replayed(measured.catalog, uid)
    assert_same_run(got, measured.sent)
    streams = {doc["uid"]: doc["name"] for name, doc in got if name == "descriptor"}
    counts = dict.fromkeys(streams.values(), 0)
    for name, doc in got:
        if name == "event":
            counts[streams[doc["descriptor"]]] += 1
    assert counts == names

    lines: Documents = []
    path = measured.writer.path(uid)
    assert replay_jsonl(path, lambda name, doc: lines.append((name, doc))) == uid
    assert lines == [(name, plain(doc)) for name, doc in measured.sent]  # pages, uids and all


def test_raw_file_keys_come_back_as_they_were_set_and_as_plain_types(measured: Measured) -> None:
    for plan, stream in ((bp.count([RawFiles()], num=3), "primary"), (fly(FlyingInPages()), "f")):
        uid = measured.run(plan)
        for replayer in (
            lambda callback, uid=uid: replay(measured.catalog.broker(), uid, callback),
            lambda callback, uid=uid: replay_jsonl(
                measured.writer.path(uid),
                lambda name, doc: [callback(n, d) for n, d in in_single_events([(name, doc)])],
            ),
        ):
            data: list[dict[str, Any]] = []
            replayer(
                lambda name, doc, data=data: data.append(doc["data"]) if name == "event" else 0
            )
            assert data == [raw_values(number) for number in range(1, len(data) + 1)], stream
            for values in data:
                for key, dtype in RAW_KEYS.items():
                    assert type(values[key]) is {"string": str, "integer": int}[dtype]


def test_a_failed_and_an_aborted_run_come_back_with_their_reason(measured: Measured) -> None:
    with pytest.raises(RuntimeError, match="on fire"):
        measured.run(failing())
    with pytest.raises(RunEngineInterrupted):
        measured.engine(pausing())
    measured.engine.abort("no beam")
    measured.writer.join()
    middle = [name for name, _ in measured.sent].index("stop") + 1
    failed, aborted = measured.sent[:middle], measured.sent[middle:]
    for documents, status, reason in (
        (failed, "fail", "the detector is on fire"),
        (aborted, "abort", "no beam"),
    ):
        got = replayed(measured.catalog, documents[0][1]["uid"])
        assert_same_run(got, documents)
        assert [name for name, _ in got] == ["start", "descriptor", "event", "stop"]
        assert (got[-1][1]["exit_status"], got[-1][1]["reason"]) == (status, reason)


def test_two_runs_keep_apart_and_a_second_replay_is_the_same(measured: Measured) -> None:
    first = measured.run(bp.count([RawFiles()], num=2))
    sent_first = list(measured.sent)
    second = measured.run(bp.count([Signal(name="signal", value=2.5)]))
    assert replayed(measured.catalog, -2) == replayed(measured.catalog, first)
    assert_same_run(replayed(measured.catalog, -2), sent_first)
    assert_same_run(replayed(measured.catalog, second), measured.sent)


def test_callbacks_are_called_in_turn_with_the_runs_uid_returned(measured: Measured) -> None:
    calls: list[tuple[str, str]] = []
    uid = measured.run(bp.count([Signal(name="signal", value=2.5)]))
    one, two = (lambda name, _, who=who: calls.append((who, name)) for who in ("one", "two"))
    assert replay(measured.catalog, uid, one, two) == uid
    names = ["start", "descriptor", "event", "stop"]
    assert calls == [(who, name) for name in names for who in ("one", "two")]


NUMBER = {"dtype": "number", "shape": [], "source": "test"}


def by_hand(send: Callable[[str, Any], Any], times: list[float], **metadata: Any) -> Any:
    """A run up to its events, at times relative to now; its documents, and how to stop it."""
    run = compose_run(metadata=metadata)
    send("start", run.start_doc)
    stream = run.compose_descriptor(name="primary", data_keys={"x": NUMBER})
    send("descriptor", stream.descriptor_doc)
    for number, offset in enumerate(times):
        stamp = time.time() + offset
        event = stream.compose_event(data={"x": float(number)}, timestamps={"x": stamp}, time=stamp)
        send("event", event)
    return run


def test_events_with_a_clock_of_their_own_are_neither_lost_nor_shuffled(
    catalog: Catalog, writer: RunWriter
) -> None:
    """Databroker's `header.documents()` leaves out events older than their descriptor."""
    sent: Documents = []

    def send(name: str, doc: Any) -> None:
        sent.append((name, doc))
        writer(name, doc)

    run = by_hand(send, [-30.0, -20.0, 1.0, -10.0, 2.0])
    send("stop", run.compose_stop())
    writer.join()
    assert_same_run(replayed(catalog, run.start_doc["uid"]), sent)


def test_a_run_that_was_never_stopped_comes_without_a_stop(
    catalog: Catalog, writer: RunWriter
) -> None:
    run = by_hand(writer, [0.0, 0.0])
    writer.join()
    names = [name for name, _ in replayed(catalog, run.start_doc["uid"])]
    assert names == ["start", "descriptor", "event", "event"]


def test_a_run_of_which_events_are_missing_is_not_replayed_as_if_whole(
    catalog: Catalog, writer: RunWriter, tmp_path: Path
) -> None:
    run = by_hand(writer, [0.0, 0.0, 0.0])
    writer("stop", run.compose_stop())
    writer.join()
    uid = run.start_doc["uid"]
    lines = writer.path(uid).read_bytes().splitlines(keepends=True)
    damaged = tmp_path / "damaged.jsonl"
    damaged.write_bytes(b"".join(lines[:3] + lines[4:]))
    ingest(catalog, damaged, replace=True)
    calls: list[str] = []
    with pytest.raises(StorageError, match="only 2 of 3 events of stream 'primary'"):
        replay(catalog, uid, lambda name, _: calls.append(name))
    assert calls == []  # found before anything is sent
    ingest(catalog, writer.path(uid), replace=True)
    assert len(replayed(catalog, uid)) == 6


def test_what_tiled_cannot_say_in_metadata_is_as_documented(
    catalog: Catalog, writer: RunWriter
) -> None:
    odd = {"nan": math.nan, "big": 2**60, "small": -(2**60), "fits": 2**53 - 1, "t": (1, 2)}
    run = by_hand(writer, [], odd=odd)
    writer.join()
    uid = run.start_doc["uid"]
    start = replayed(catalog, uid)[0][1]
    limit = 2**53 - 1
    assert start["odd"] == {"nan": None, "big": limit, "small": -limit, "fits": limit, "t": [1, 2]}
    lines: Documents = []
    replay_jsonl(writer.path(uid), lambda name, doc: lines.append((name, doc)))
    assert math.isnan(lines[0][1]["odd"]["nan"])
    assert lines[0][1]["odd"]["big"] == 2**60


def test_images_in_a_file_leave_the_events_as_they_were(
    catalog: Catalog, writer: RunWriter, tmp_path: Path
) -> None:
    """The preview images of a detector: external to the events, which carry the scalars."""
    images = np.arange(3 * 4 * 5, dtype=np.int32).reshape(3, 4, 5)
    with h5py.File(tmp_path / "images.h5", "w") as file:
        file["data"] = images
    sent: Documents = []

    def send(name: str, doc: Any) -> None:
        sent.append((name, doc))
        writer(name, doc)

    run = compose_run()
    send("start", run.start_doc)
    image = {"source": "test", "dtype": "array", "shape": [1, 4, 5], "dtype_numpy": "<i4"}
    stream = run.compose_descriptor(
        name="primary", data_keys={"x": NUMBER, "image": {**image, "external": "STREAM:"}}
    )
    send("descriptor", stream.descriptor_doc)
    resource = run.compose_stream_resource(
        mimetype="application/x-hdf5",
        uri=f"file://localhost{tmp_path}/images.h5",
        data_key="image",
        parameters={"dataset": "/data", "chunk_shape": (1, 4, 5)},
    )
    send("stream_resource", resource.stream_resource_doc)
    for number in range(3):
        one = {"start": number, "stop": number + 1}
        datum = resource.compose_stream_datum(
            one, {"start": number + 1, "stop": number + 2}, stream.descriptor_doc
        )
        send("stream_datum", datum)
        send("event", stream.compose_event(data={"x": number / 2}, timestamps={"x": 1.0}))
    send("stop", run.compose_stop())
    writer.join()
    uid = run.start_doc["uid"]
    stored = catalog.raw[uid]["primary"]["image"].read()
    assert stored.tobytes() == images.tobytes()
    got = replayed(catalog, uid)
    assert [name for name, _ in got[-3:]] == ["stream_resource", "stream_datum", "stop"]
    external = ("stream_resource", "stream_datum")
    assert_same_run(
        [item for item in got if item[0] not in external],
        [item for item in sent if item[0] not in external],
    )


def test_a_changed_configuration_is_replayed_at_its_place(
    catalog: Catalog, writer: RunWriter
) -> None:
    run = compose_run()
    writer("start", run.start_doc)
    for gain in (1.0, 8.0):
        about = {"gain": NUMBER}
        configuration = {"det": {"data": {"gain": gain}, "timestamps": {"gain": 1.0}}}
        configuration["det"]["data_keys"] = about  # type: ignore[assignment]
        stream = run.compose_descriptor(
            name="primary",
            data_keys={"x": NUMBER},
            object_keys={"det": ["x"]},
            configuration=configuration,
        )
        writer("descriptor", stream.descriptor_doc)
        for _ in range(2):
            writer("event", stream.compose_event(data={"x": gain}, timestamps={"x": 1.0}))
    writer("stop", run.compose_stop())
    writer.join()
    gains, seen = {}, []
    for name, doc in replayed(catalog, run.start_doc["uid"]):
        if name == "descriptor":
            gains[doc["uid"]] = doc["configuration"]["det"]["data"]["gain"]
        elif name == "event":
            seen.append((gains[doc["descriptor"]], doc["data"]["x"]))
    assert seen == [(1.0, 1.0), (1.0, 1.0), (8.0, 8.0), (8.0, 8.0)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no documents"),
        (b'{"name": "event", "doc": {}}\n', "does not begin with a start document"),
        (b"{]\n", "line 1: not a document"),
    ],
)
def test_lines_that_are_no_run_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(StorageError, match=message):
        replay_jsonl(path)

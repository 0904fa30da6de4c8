"""Documents by Kafka, from librdkafka's own broker in this process."""

from __future__ import annotations

import pickle
import sys
import time
from pathlib import Path
from typing import Any

import msgpack
import msgpack_numpy
import numpy as np
import pytest
from live_runs import Run, keys_of

from twinbeam.errors import BeamlineError
from twinbeam.live.intake import Intake
from twinbeam.live.kafka_inlet import KafkaInlet
from twinbeam.live.kafka_message import document_of
from twinbeam.live.service import LiveService
from twinbeam.pipeline import process

confluent_kafka = pytest.importorskip("confluent_kafka")
pytestmark = pytest.mark.timeout(120)
TOPIC = "bluesky.runengine.documents"


def packed(name: str, doc: Any) -> bytes:
    """What `bluesky_kafka.Publisher` sends."""
    return msgpack.dumps((name, doc), default=msgpack_numpy.encode)


class Broker:
    """A broker and what publishes to it."""

    def __init__(self) -> None:
        own = {"bootstrap.servers": "127.0.0.1:9", "test.mock.num.brokers": 1, "log_level": 2}
        self._producer = confluent_kafka.Producer(own)
        found = self._producer.list_topics(TOPIC, timeout=30.0).brokers.values()
        self.bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in found)

    def send(self, *values: bytes) -> None:
        for value in values:
            self._producer.produce(TOPIC, value, key="key")
        assert self._producer.flush(30.0) == 0


@pytest.fixture
def broker() -> Broker:
    return Broker()


def documents_of(inlet: KafkaInlet, n: int, timeout_s: float = 60.0) -> list[tuple[str, Any]]:
    deadline, got = time.monotonic() + timeout_s, list[tuple[str, Any]]()
    while len(got) < n:
        assert time.monotonic() < deadline
        inlet.wait(0.1)
        got += inlet.new_documents()
    return got


def test_documents_arrive_in_order_and_others_are_counted(broker: Broker) -> None:
    broker.send(packed("start", {"uid": "old"}))
    inlet = KafkaInlet(broker.bootstrap, TOPIC, since_s=time.time() - 3600.0)
    oldest = KafkaInlet(broker.bootstrap, TOPIC)
    try:
        array = np.arange(6, dtype="<u2").reshape(2, 3)
        docs = [("start", {"uid": "a"}), ("event", {"data": {"x": array, "y": np.float64(0.5)}})]
        evil = {b"nd": True, b"type": "O", b"kind": b"O", b"shape": (1,), b"data": pickle.dumps(1)}
        broker.send(
            packed(*docs[0]),
            b"",
            b"\x93\x01",
            msgpack.dumps(["start"]),
            msgpack.dumps(["event", {"data": evil}]),
            b"\x91" * 100_000,
            packed(*docs[1]),
        )
        got = documents_of(inlet, 2)
        assert got[0] == docs[0]
        data = got[1][1]["data"]
        assert data["y"] == 0.5
        assert data["x"].dtype == array.dtype
        assert (data["x"] == array).all()
        assert inlet.refused == 5
        assert documents_of(oldest, 3)[0] == ("start", {"uid": "old"})
    finally:
        inlet.close()
        oldest.close()


def test_a_run_by_kafka_gives_what_its_files_give(
    broker: Broker, folder: Path, tmp_path: Path
) -> None:
    run = Run(sample="none")
    derived = Run(raw_run=run.start["uid"])
    inlet = KafkaInlet(broker.bootstrap, TOPIC, since_s=time.time())
    intake = Intake(inlet, None, lambda start, path: "raw_run" not in start)
    service = LiveService(intake, tmp_path)
    try:
        event = run.event({k: _numpy(v) for k, v in keys_of(folder, 0, 4).items()})
        broker.send(
            packed("start", derived.start),
            packed("start", run.start),
            packed("descriptor", run.descriptor),
            packed("event", event),
            packed("stop", run.stop()),
            packed("stop", derived.stop()),
        )
        deadline = time.monotonic() + 60.0
        while service.latest is None or not service.latest.final:
            assert time.monotonic() < deadline
            if not service.step():
                intake.wait(0.1)
        assert service.latest.run == run.start["uid"]
        (done,) = tmp_path.glob("*.done")
        whole = process([folder / f"run_{i:06d}.tpx3" for i in range(4)])
        assert whole.digest() in done.read_text()
    finally:
        service.close()
        inlet.close()


def _numpy(value: Any) -> Any:
    return np.int64(value) if isinstance(value, int) else value


def test_no_broker_and_no_package_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twinbeam.live.kafka_inlet._ANSWER_S", 0.5)
    with pytest.raises(BeamlineError, match="no broker answers"):
        KafkaInlet("127.0.0.1:9", TOPIC, options={"log_level": 2})
    with pytest.raises(BeamlineError, match=r"Kafka: .*no\.such\.setting"):
        KafkaInlet("127.0.0.1:9", TOPIC, options={"no.such.setting": 1})
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(BeamlineError, match=r"pip install 'twinbeam\[kafka\]'"):
        KafkaInlet("127.0.0.1:9", TOPIC)


def test_a_document_is_a_name_and_a_mapping() -> None:
    with pytest.raises(BeamlineError):
        document_of(msgpack.dumps([1, {}]))

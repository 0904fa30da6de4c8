"""Documents that arrive by Kafka."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

from twinbeam.errors import BeamlineError
from twinbeam.live.kafka_message import document_of

__all__ = ["KafkaInlet"]

_log = logging.getLogger(__name__)
_ANSWER_S = 10.0  # for a broker's answer
_AT_ONCE = 500


class KafkaInlet:
    """A reader of a topic to which `bluesky_kafka.Publisher` writes; for `Intake` like `ZmqInlet`.

    All partitions are read, by this reader alone and without a consumer group, so that every live
    service gets every document. Documents of a run are in order if the publisher was given a key,
    as it should. Who may read and write is for the broker to say; `options` has what it wants.

    Parameters
    ----------
    bootstrap
        Brokers, such as ``localhost:9092``, with commas between.
    topic
        The topic.
    since_s
        Begin with messages of that time, in seconds since the epoch, or with new ones if there are
        none; None begins with the oldest.
    options
        Further settings of librdkafka.

    Attributes
    ----------
    endpoint
        Where documents come from.
    refused
        Messages that were not taken since they are no documents.

    Raises
    ------
    BeamlineError
        If confluent-kafka is not installed, no broker answers or there is no such topic.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        *,
        since_s: float | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            import confluent_kafka
        except ImportError as error:
            raise BeamlineError(
                "documents from Kafka need the package confluent-kafka",
                where=f"{bootstrap}, topic {topic}",
                hint="pip install 'twinbeam[kafka]'",
            ) from error
        self._kafka = confluent_kafka
        self.endpoint = f"kafka://{bootstrap}/{topic}"
        self.refused = 0
        self._told = ""
        self._early: list[Any] = []
        own = {
            "bootstrap.servers": bootstrap,
            "group.id": f"twinbeam-live-{secrets.token_hex(8)}",  # no group forms, but it is asked
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "error_cb": self._on_error,
        }
        try:
            self._consumer = confluent_kafka.Consumer({**(options or {}), **own})
        except (confluent_kafka.KafkaException, ValueError, TypeError) as error:
            raise BeamlineError(f"Kafka: {error}", where=self.endpoint) from error
        try:
            self._consumer.assign(self._places(topic, since_s))
        except confluent_kafka.KafkaException as error:
            self.close()
            raise BeamlineError(
                f"no broker answers: {error.args[0].str()}",
                where=self.endpoint,
                hint="is it running, and may this machine reach it?",
            ) from error
        except BaseException:
            self.close()
            raise

    def _places(self, topic: str, since_s: float | None) -> list[Any]:
        """Where to begin in every partition."""
        place = self._kafka.TopicPartition
        partitions = self._partitions(topic)
        if since_s is None:
            return [place(topic, n, self._kafka.OFFSET_BEGINNING) for n in partitions]
        wanted = [place(topic, n, int(since_s * 1e3)) for n in partitions]
        places = self._consumer.offsets_for_times(wanted, timeout=_ANSWER_S)
        for one in places:
            if one.offset < 0:  # nothing since then: what comes from now on
                one.offset = self._consumer.get_watermark_offsets(one, timeout=_ANSWER_S)[1]
        return list(places)

    def _partitions(self, topic: str) -> list[int]:
        """Numbers of the partitions; a broker may be making the topic just now."""
        deadline_s = time.monotonic() + _ANSWER_S
        while True:
            found = self._consumer.list_topics(topic, timeout=_ANSWER_S).topics[topic]
            if found.partitions and found.error is None:
                return sorted(found.partitions)
            if time.monotonic() > deadline_s:
                raise BeamlineError("there is no such topic", where=self.endpoint)
            time.sleep(0.1)

    def _on_error(self, error: Any) -> None:
        if error.str() != self._told:
            self._told = error.str()
            _log.warning("%s: %s", self.endpoint, self._told)

    def wait(self, timeout_s: float) -> bool:
        """Wait for a message; whether there is one."""
        if not self._early:
            message = self._consumer.poll(max(0.0, timeout_s))
            self._early += [] if message is None else [message]
        return bool(self._early)

    def new_documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and document of every message that is there."""
        early, self._early = self._early, []
        for message in [*early, *self._consumer.consume(_AT_ONCE, timeout=0.0)]:
            if message.error() is not None:
                self._on_error(message.error())
                continue
            try:
                yield document_of(message.value() or b"")
            except BeamlineError:
                self.refused += 1

    def close(self) -> None:
        """Leave the broker; may be called again."""
        self._consumer.close()

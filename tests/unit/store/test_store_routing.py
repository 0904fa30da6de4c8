from __future__ import annotations

import pytest

from twinbeam.store._routing import RunRouting


def test_documents_of_interleaved_runs_find_their_own() -> None:
    routing = RunRouting()
    sequence = [
        ("start", {"uid": "A"}, "A"),
        ("descriptor", {"uid": "dA", "run_start": "A"}, "A"),
        ("start", {"uid": "B"}, "B"),
        ("descriptor", {"uid": "dB", "run_start": "B"}, "B"),
        ("event", {"descriptor": "dA"}, "A"),
        ("event_page", {"descriptor": "dB"}, "B"),
        ("resource", {"uid": "rA", "run_start": "A"}, "A"),
        ("resource", {"uid": "r?"}, "B"),  # old devices do not say; the run opened last
        ("datum", {"resource": "rA"}, "A"),
        ("datum_page", {"resource": "r?"}, "B"),
        ("stream_resource", {"uid": "sB", "run_start": "B"}, "B"),
        ("stream_datum", {"descriptor": "dB", "stream_resource": "sB"}, "B"),
        ("stop", {"uid": "xA", "run_start": "A"}, "A"),
        ("event", {"descriptor": "dB"}, "B"),
        ("stop", {"uid": "xB", "run_start": "B"}, "B"),
    ]
    for name, document, run in sequence:
        assert routing.run_of(name, document) == run


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("event", {"descriptor": "d"}),
        ("descriptor", {"uid": "d2", "run_start": "A"}),
        ("stop", {"uid": "x", "run_start": "A"}),
    ],
)
def test_documents_after_the_stop_have_no_run(name: str, document: dict[str, str]) -> None:
    routing = RunRouting()
    routing.run_of("start", {"uid": "A"})
    routing.run_of("descriptor", {"uid": "d", "run_start": "A"})
    routing.run_of("stop", {"uid": "s", "run_start": "A"})
    with pytest.raises(KeyError):
        routing.run_of(name, document)

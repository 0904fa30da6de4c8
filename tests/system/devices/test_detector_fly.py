"""Fly mode: an event a frame while one acquisition runs."""

from __future__ import annotations

import itertools
import time
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky import RunEngine
from bluesky.protocols import EventCollectable, EventPageCollectable, WritesStreamAssets
from bluesky.utils import MsgGenerator
from event_model import DocumentNames, schema_validators, unpack_event_page

from twinbeam.devices import Patience, TimePix3Detector


def fly(detector: TimePix3Detector) -> MsgGenerator[None]:
    """With bluesky's own stubs, as any other plan would."""

    @bpp.stage_decorator([detector])
    @bpp.run_decorator()
    def run() -> MsgGenerator[None]:
        yield from bps.declare_stream(detector, name="primary", collect=True)
        yield from bps.kickoff(detector, wait=True)
        yield from bps.collect_while_completing(
            [detector], [detector], flush_period=0.1, stream_name="primary"
        )

    return run()


def test_every_frame_has_one_event_that_names_one_complete_file(
    detector: TimePix3Detector, engine: RunEngine, documents: list[Any], tmp_path: Path
) -> None:
    detector.num_frames.put(8)
    arrived: list[tuple[float, bool]] = []
    engine.subscribe(
        lambda name, doc: (
            arrived.append((time.time(), bool(detector.cam.acquire.get())))
            if name == "event_page"
            else None
        )
    )
    engine(fly(detector))
    assert [name for name, _ in documents[:2]] == ["start", "descriptor"]
    assert documents[-1][0] == "stop"
    pages = [doc for name, doc in documents if name == "event_page"]
    for page in pages:
        schema_validators[DocumentNames.event_page].validate(page)
    events = list(itertools.chain.from_iterable(unpack_event_page(page) for page in pages))
    assert [event["seq_num"] for event in events] == list(range(1, 9))
    assert [event["data"]["tpx3_raw_first"] for event in events] == list(range(8))
    assert {event["data"]["tpx3_raw_count"] for event in events} == {1}
    assert len({event["data"]["tpx3_raw_template"] for event in events}) == 1
    named = []
    for event in events:
        data = event["data"]
        folder = Path(unquote(urlsplit(data["tpx3_raw_uri"]).path))
        path = folder / data["tpx3_raw_template"].format(data["tpx3_raw_first"])
        assert path.stat().st_size == data["tpx3_raw_bytes"] > 0
        assert path.read_bytes().startswith(b"TPX3")
        assert set(event["timestamps"].values()) == {path.stat().st_mtime}
        assert data["tpx3_frame_count"] > data["tpx3_raw_first"]
        named.append(path)
    assert named == sorted((tmp_path / "raw").glob("*.tpx3"))
    # events came out while the detector was still acquiring
    assert any(acquiring for _, acquiring in arrived)
    stop = documents[-1][1]
    assert (stop["exit_status"], stop["num_events"]) == ("success", {"primary": 8})


def test_afterwards_the_detector_shows_the_acquisition_as_a_whole(
    detector: TimePix3Detector, engine: RunEngine, documents: list[Any]
) -> None:
    engine(fly(detector))
    pages = [doc for name, doc in documents if name == "event_page"]
    sizes = [n for page in pages for n in page["data"]["tpx3_raw_bytes"]]
    assert detector.raw_first.get() == 0
    assert detector.raw_count.get() == len(sizes) == 3
    assert detector.raw_bytes.get() == sum(sizes)


def test_a_long_acquisition_does_not_count_as_stalled(
    detector: TimePix3Detector, engine: RunEngine, documents: list[Any]
) -> None:
    detector.num_frames.put(12)
    detector.patience = Patience(stall_s=1.4)  # with two periods: 1.8 s of 2.4 s
    engine(fly(detector))
    assert documents[-1][1]["num_events"] == {"primary": 12}


def test_frames_of_ten_milliseconds_all_get_their_events(
    detector: TimePix3Detector, engine: RunEngine, documents: list[Any]
) -> None:
    detector.num_frames.put(60)
    detector.frame_time_s.put(0.01)
    engine(fly(detector))
    firsts = [
        first
        for name, doc in documents
        if name == "event_page"
        for first in doc["data"]["tpx3_raw_first"]
    ]
    assert firsts == list(range(60))


def test_step_and_fly_mode_have_the_same_keys(detector: TimePix3Detector) -> None:
    assert detector.describe_collect() == detector.describe()
    assert set(detector.read()) == set(detector.describe())


def test_bluesky_sees_one_way_of_collecting(detector: TimePix3Detector) -> None:
    # with two of them bluesky warns at each collection, through a deprecated call
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(detector, EventPageCollectable)
        assert not isinstance(detector, EventCollectable)
        assert not isinstance(detector, WritesStreamAssets)

"""The destination: channels, limits, JSON, names of files."""

from __future__ import annotations

import pytest

from sim_iocs.serval import Destination, HistogramChannel, ImageChannel, RawChannel, Serval
from sim_iocs.serval.destination import address_of, expand_pattern
from sim_iocs.serval.destination_json import destination_from_json, destination_to_json
from sim_iocs.serval.values import Wrong

ALL_SEVEN = {
    "Raw": [
        {
            "Base": "file:/data",
            "FilePattern": "raw%MdHms_",
            "SplitStrategy": "frame",
            "QueueSize": 5,
        },
        {"Base": "tcp://listen@localhost:8085", "QueueSize": 16384},
    ],
    "Image": [
        {
            "Base": "tcp://listen@localhost:8087",
            "FilePattern": "f%Hms_",
            "QueueSize": 1024,
            "Format": "jsonimage",
            "Mode": "tot",
            "Thresholds": [0, 1],
            "IntegrationSize": 4,
            "IntegrationMode": "average",
            "StopMeasurementOnDiskLimit": True,
        },
        {"Base": "file:/data", "Format": "tiff", "Mode": "count"},
    ],
    "Preview": {
        "Period": 0.5,
        "SamplingMode": "skipOnPeriod",
        "ImageChannels": [
            {"Base": "tcp://listen@localhost:8089"},
            {"Base": "http://localhost", "Format": "png"},
        ],
        "HistogramChannels": [
            {
                "Base": "tcp://connect@localhost:8451",
                "NumberOfBins": 16000,
                "BinWidth": 1e-6,
                "Offset": 0.5,
            }
        ],
    },
}


def test_all_seven_channels_come_from_json_and_go_back():
    made = destination_from_json({"Destination": ALL_SEVEN})
    assert made.problem() is None
    assert [c.base for c in made.raw] == ["file:/data", "tcp://listen@localhost:8085"]
    assert made.raw[0].split_frames
    assert made.raw[0].queue_size == 5
    assert made.image[0].thresholds == (0, 1)
    assert made.image[0].integration_mode == "average"
    assert made.image[1].format == "tiff"
    assert made.stops_on_disk_limit
    assert (made.preview_period_s, made.sampling_mode) == (0.5, "skipOnPeriod")
    assert made.histogram[0].n_bins == 16000
    values = destination_to_json(made)
    assert destination_from_json(values) == made
    assert set(values["Raw"][1]) == {"Base", "QueueSize"}
    assert values["Preview"]["HistogramChannels"][0]["Offset"] == 0.5


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "object"),
        ({"raw": []}, "'raw'"),
        ({"Raw": {}}, "Raw"),
        ({"Raw": [{}]}, "no Base"),
        ({"Raw": [{"Base": 1}]}, "Base"),
        ({"Raw": [None]}, r"Raw\[0\]"),
        ({"Raw": [{"Base": "file:/d", "SplitStrategy": "hour"}]}, "SplitStrategy"),
        ({"Raw": [{"Base": "file:/d", "Format": "tiff"}]}, "Format"),
        ({"Image": [{"Base": "file:/d", "Mode": "color"}]}, "Mode"),
        ({"Preview": {"ImageChannels": [], "Periode": 1}}, "Periode"),
        ({"Image": [{"Base": "file:/d", "Thresholds": 0}]}, "Thresholds"),
    ],
)
def test_json_that_is_no_destination_is_refused(values, said):
    with pytest.raises(Wrong, match=said):
        destination_from_json(values)


def _image(**changes) -> Destination:
    return Destination(image=(ImageChannel(**{"base": "file:/data", **changes}),))


@pytest.mark.parametrize(
    ("destination", "said"),
    [
        (Destination(raw=(RawChannel("/data", "a_"),)), "/data"),
        (Destination(raw=(RawChannel("file://data"),)), "file://data"),
        (Destination(raw=(RawChannel("tcp://localhost"),)), "tcp://localhost"),
        (Destination(raw=(RawChannel("tcp://listen@localhost:99999"),)), "99999"),
        (Destination(raw=(RawChannel("file:/data", "a/b"),)), "FilePattern"),
        (Destination(raw=(RawChannel("file:/data", queue_size=0),)), "QueueSize"),
        (Destination(raw=(RawChannel("file:/data"),) * 3), "more than 2"),
        (
            Destination(raw=(RawChannel("tcp://h:1"),), preview=(ImageChannel("tcp://h:1"),)),
            "twice",
        ),
        (_image(integration_size=33), "IntegrationSize"),
        (_image(base="tcp://listen@localhost:8087", format="png"), "streamed"),
        (Destination(histogram=(HistogramChannel("tcp://h:1", n_bins=0),)), "NumberOfBins"),
        (Destination(preview_period_s=0.0), "Period"),
        (Destination(sampling_mode="often"), "SamplingMode"),
    ],
)
def test_wrong_destinations_are_refused_and_the_old_one_stays(with_serval, destination, said):
    async def put(serval: Serval):
        return await serval.put_destination(destination), serval.destination

    reply, held = with_serval(put)
    assert reply.code == 400
    assert said in reply.text
    assert held is None


def test_image_channels_of_different_modes_are_warned_of(with_serval):
    async def put(serval: Serval):
        images = (ImageChannel("file:/data"), ImageChannel("file:/data", mode="count"))
        return await serval.put_destination(Destination(image=images)), list(serval.notifications)

    reply, notifications = with_serval(put)
    assert reply.ok
    assert ["count, tot" in each["Message"] for each in notifications] == [True]


def test_addresses():
    listening = address_of("tcp://listen@localhost:8085")
    assert (listening.listens, listening.host, listening.port) == (True, "localhost", 8085)
    assert address_of("tcp://10.0.0.1:80").listens
    assert not address_of("tcp://connect@here:80").listens
    assert address_of("tcp://offer@here:80") is None


def test_date_codes_are_replaced():
    assert expand_pattern("plain_", 0.0) == "plain_"
    assert len(expand_pattern("raw%MdHms_", 0.0)) == len("raw_") + 10
    assert "%" not in expand_pattern("raw%MdHms_", 0.0)

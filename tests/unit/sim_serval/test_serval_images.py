"""Images and histograms out of Serval."""

from __future__ import annotations

import asyncio
import json
import struct
import zlib

import numpy as np
import pytest

from sim_iocs.serval import Destination, DetectorConfig, HistogramChannel, ImageChannel, Serval
from sim_iocs.serval.chunks import see
from sim_iocs.serval.image_files import encode_image
from sim_iocs.serval.images import Image, ImageBuilder
from sim_iocs.serval.layout import ORIENTATIONS, layout_json, oriented, rotated
from sim_iocs.serval.tof import TofHistogram
from sim_iocs.serval.values import Wrong
from twinbeam.tpx3 import Decoder

_TDC_HZ = 1000.0


@pytest.fixture
def frames(experiment):
    """Bytes of four frames."""
    source = experiment(tdc_hz=_TDC_HZ)
    return [source.start() + source.advance(0.05), *(source.advance(0.05) for _ in range(3))]


def _builder(frames, channel: ImageChannel, **options) -> list[Image | None]:
    builder = ImageBuilder(channel, **options)
    made = []
    for number, data in enumerate(frames):
        builder.add(see(data))
        made.append(builder.end_frame(number, 0.05 * (number + 1)))
    return made


def _expected(data: bytes, weights: str | None = None) -> np.ndarray:
    hits = Decoder().feed(data)
    image = np.zeros((512, 512), np.int64)
    np.add.at(image, (hits.y, hits.x), 1 if weights is None else hits.tot_ns // 25)
    return image


@pytest.mark.parametrize(("mode", "weights"), [("count", None), ("tot", "tot_ns")])
def test_image_of_a_frame(frames, mode, weights):
    images = _builder(frames, ImageChannel("file:/d", mode=mode))
    for number, image in enumerate(images):
        assert image.pixels.dtype == np.uint16
        expected = _expected(frames[number], weights)
        assert np.array_equal(image.pixels.reshape(512, 512), expected)
        assert expected.sum() > 500
        assert (image.frame, image.time_ns) == (number, 50_000_000 * (number + 1))


def test_toa_image_holds_the_time_of_the_last_hit(frames):
    (image, *_) = _builder(frames, ImageChannel("file:/d", mode="toa"))
    hits = Decoder().feed(frames[0])
    coarse = (-(-hits.t // 16)) & 0x3FFF
    last = dict(zip(zip(hits.y, hits.x, strict=True), coarse, strict=True))
    # the value has no fine time, so it may be one step lower
    pixels = image.pixels.reshape(512, 512)
    off = {int((value - pixels[place]) % 0x4000) for place, value in last.items()}
    assert off <= {0, 1}


def test_integration_sums_averages_and_keeps_the_last(frames):
    total = sum(_expected(data) for data in frames)
    whole = {"mode": "count", "integration_size": 4}
    made = _builder(frames, ImageChannel("file:/d", **whole))
    assert [image is None for image in made] == [True, True, True, False]
    assert made[3].pixels.dtype == np.uint32
    assert np.array_equal(made[3].pixels.reshape(512, 512), total)
    average = _builder(frames, ImageChannel("file:/d", **whole, integration_mode="average"))[3]
    assert np.array_equal(average.pixels.reshape(512, 512), total // 4)
    last = _builder(frames, ImageChannel("file:/d", **whole, integration_mode="last"))[3]
    assert np.array_equal(last.pixels.reshape(512, 512), _expected(frames[3]))
    running = _builder(frames, ImageChannel("file:/d", mode="count", integration_size=-1))
    assert [image.n_frames for image in running] == [1, 2, 3, 4]
    assert np.array_equal(running[3].pixels.reshape(512, 512), total)


def test_preview_comes_once_a_period(frames):
    channel = ImageChannel("file:/d", mode="count")
    made = _builder(frames, channel, period_s=0.1)
    assert [image is not None for image in made] == [True, False, True, False]
    made = _builder(frames, channel, period_s=0.1, on_grid=True)
    assert [image is not None for image in made] == [True, True, False, True]


def test_histogram_has_the_times_since_the_last_edge(frames):
    channel = HistogramChannel("file:/d", n_bins=100, bin_width_s=10e-6)
    histogram = TofHistogram(channel)
    for data in frames:
        histogram.add(see(data))
    counts = histogram.take()
    decoder = Decoder(tdc=True)
    hits = [decoder.feed(data) for data in frames]
    t = np.concatenate([h.t for h in hits]) * 1.5625
    edges = decoder.take_tdc().t_steps * 1.5625 / 6
    since_ns = t - edges[np.maximum(np.searchsorted(edges, t, side="right") - 1, 0)]
    expected, _ = np.histogram(since_ns[t >= edges[0]], bins=100, range=(0, 1e6))
    # a few hits come before an edge that a later chunk tells of
    assert counts.sum() == pytest.approx(expected.sum(), rel=0.02)
    assert np.abs(counts.astype(int) - expected).sum() < 0.05 * expected.sum()
    assert histogram.take().sum() == 0


async def _one_message(port: int) -> tuple[dict, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    header = json.loads(await reader.readline())
    data = await reader.readexactly(header["dataSize"])
    writer.close()
    await writer.wait_closed()
    return header, data


def test_images_and_histograms_are_streamed(with_serval, experiment, free_port):
    ports = {"image": free_port(), "preview": free_port(), "histogram": free_port()}
    base = {name: f"tcp://listen@localhost:{port}" for name, port in ports.items()}

    async def work(serval: Serval):
        destination = Destination(
            image=(ImageChannel(base["image"], mode="count"),),
            preview=(ImageChannel(base["preview"], mode="count", integration_size=-1),),
            histogram=(HistogramChannel(base["histogram"], n_bins=10, bin_width_s=1e-4),),
            preview_period_s=0.05,
        )
        assert (await serval.put_destination(destination)).ok
        assert (await serval.start()).ok
        return await asyncio.gather(*(_one_message(port) for port in ports.values()))

    config = DetectorConfig(exposure_s=0.05, period_s=0.05)
    image, preview, histogram = with_serval(work, source=experiment(tdc_hz=2e3), config=config)
    assert (image[0]["width"], image[0]["height"]) == (512, 512)
    assert image[0]["pixelFormat"] == "uint16"
    assert np.frombuffer(image[1], ">u2").sum() > 500
    assert preview[0]["pixelFormat"] == "uint32"
    assert preview[0]["integrationSize"] == -1
    assert len(preview[1]) == 4 * 512 * 512
    assert (histogram[0]["binSize"], histogram[0]["binWidth"]) == (10, 384_000)
    assert {"binOffset", "frameNumber", "timeAtFrame"} <= set(histogram[0])
    counts = np.frombuffer(histogram[1], ">u4")
    assert counts[:5].sum() > 500
    assert counts[6:].sum() < counts[:5].sum() / 20


def test_images_are_written_as_files(with_serval, until, tmp_path):
    async def work(serval: Serval):
        channels = tuple(
            ImageChannel(f"file:{tmp_path}", f"{kind}_", format=kind, mode="count")
            for kind in ("pgm", "png")
        )
        assert (await serval.put_destination(Destination(image=channels))).ok
        assert (await serval.start()).ok
        await until(lambda: serval.status == "DA_IDLE")
        return serval.measurement.n_hits

    n_hits = with_serval(work)
    assert [path.name for path in sorted(tmp_path.glob("*.png"))] == [
        f"png_{n:06d}.png" for n in range(4)
    ]
    sums = [
        np.frombuffer(path.read_bytes()[-2 * 512 * 512 :], ">u2").sum()
        for path in tmp_path.glob("*.pgm")
    ]
    assert 0.95 * n_hits < sum(sums) <= n_hits


def test_file_formats_hold_the_pixels():
    pixels = np.arange(512 * 512, dtype=np.uint32).reshape(512, 512) % 70_000
    image = Image(pixels, 3, 5, 1)
    tiff = encode_image(image, "tiff", 1)
    (place,) = struct.unpack("<I", tiff[4:8])
    (n,) = struct.unpack("<H", tiff[place : place + 2])
    entries = [struct.unpack("<HHII", tiff[place + 2 + 12 * i :][:12]) for i in range(n)]
    tags = {tag: value for tag, _, _, value in entries}
    assert (tags[256], tags[257], tags[258], tags[339]) == (512, 512, 32, 1)
    data = np.frombuffer(tiff[tags[273] : tags[273] + tags[279]], "<u4")
    assert np.array_equal(data, pixels.ravel())
    png = encode_image(image, "png", 1)
    length = int.from_bytes(png[33:37], "big")
    rows = np.frombuffer(zlib.decompress(png[41 : 41 + length]), np.uint8).reshape(512, 1025)
    assert np.array_equal(rows[:, 1:].copy().view(">u2"), np.minimum(pixels, 0xFFFF))
    header, _, big = encode_image(image, "jsonimage", 4).partition(b"\n")
    assert json.loads(header)["integrationSize"] == 4
    assert np.array_equal(np.frombuffer(big, ">u4"), pixels.ravel())


def test_orientations_turn_image_and_chips_alike():
    seen = set()
    # a number for each chip, with the origin top left
    image = np.zeros((512, 512), np.uint16)
    for each in layout_json("UP")["Original"]["Chips"]:
        image[each["Y"] : each["Y"] + 256, each["X"] : each["X"] + 256] = each["Chip"]
    for base in ORIENTATIONS:
        for name in (base, f"{base}_MIRRORED"):
            turned = oriented(image, name)
            for each in layout_json(name)["Rotated"]["Chips"]:
                assert turned[each["Y"] + 9, each["X"] + 9] == each["Chip"], (name, each)
            seen.add(turned[::256, ::256].tobytes())
    assert len(seen) == 8


def test_rotations_add_up():
    assert rotated("UP", {"direction": "right"}) == "RIGHT"
    assert rotated("RIGHT", {"direction": "half"}) == "LEFT"
    assert rotated("LEFT", {"reset": "true", "direction": "left"}) == "LEFT"
    assert rotated("UP", {"flip": "horizontal"}) == "UP_MIRRORED"
    assert rotated(rotated("RIGHT", {"flip": "vertical"}), {"flip": "vertical"}) == "RIGHT"
    image = np.arange(16).reshape(4, 4)
    for name in ("UP", "RIGHT", "LEFT_MIRRORED"):
        flipped = oriented(image, name)[:, ::-1]
        assert np.array_equal(oriented(image, rotated(name, {"flip": "horizontal"})), flipped)
        assert np.array_equal(
            oriented(image, rotated(name, {"flip": "vertical"})), oriented(image, name)[::-1]
        )
    with pytest.raises(Wrong):
        rotated("UP", {"direction": "up"})

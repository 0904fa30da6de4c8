"""Requests by method and path."""

from __future__ import annotations

import base64
import json

import pytest

from sim_iocs.serval import Rest, Serval


@pytest.fixture
def ask(with_serval):
    """Function that sends requests, one after the other, and gives the last answer."""

    def send(*requests: tuple):
        async def work(serval: Serval):
            rest = Rest(serval)
            for method, path, *rest_of in requests:
                query = rest_of[0] if rest_of and isinstance(rest_of[0], dict) else {}
                body = rest_of[0] if rest_of and isinstance(rest_of[0], str) else None
                reply = await rest.request(method, path, query, body)
            return reply

        return with_serval(work)

    return send


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard", "/detector", "/detector/health", "/detector/info", "/detector/config",
        "/detector/layout", "/detector/chips", "/detector/chips/0", "/detector/chips/3/dacs",
        "/measurement", "/measurement/config", "/server", "/*",
    ],
)  # fmt: skip
def test_everything_there_is_is_json(ask, path):
    reply = ask(("GET", path))
    assert reply.code == 200
    assert reply.body
    assert json.loads(json.dumps(reply.body)) == reply.body


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/detector/chips/4", 404),
        ("GET", "/detector/chips/0/secrets", 404),
        ("PUT", "/nothing", 404),
        ("PUT", "/dashboard", 405),
        ("PUT", "/measurement/start", 405),
        ("POST", "/detector/config", 405),
        ("DELETE", "/dashboard", 405),
        ("GET", "/server/destination", 409),
        ("GET", "/measurement/start", 409),
        ("GET", "/measurement/stop", 200),
        ("GET", "/config/load", 400),
        ("GET", "/", 200),
        ("GET", "/detector/", 200),
    ],
)
def test_codes(ask, method, path, code):
    reply = ask((method, path))
    assert reply.code == code
    assert reply.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/detector/config", "{"),
        ("/detector/config", "[]"),
        ("/detector/config", '{"ExposureTime": 99}'),
        ("/server/destination", '{"Raw": [{"Base": "ftp://x"}]}'),
        ("/server/destination", "null"),
        ("/measurement/config", '{"Stem": {"Scan": {"Widht": 1}}}'),
        ("/measurement/config", '{"TimeOfFlight": {"Min": "never"}}'),
        ("/detector/chips/0/dacs", '{"Vthreshold_fine": 1000}'),
        ("/detector/chips/0/dacs", '{"Vthreshold": 1}'),
    ],
)
def test_garbage_is_refused_in_plain_text(ask, path, body):
    reply = ask(("PUT", path, body))
    assert reply.code == 400
    assert reply.body is None
    assert len(reply.text) > 10


def test_what_is_put_is_read_back(ask):
    body = '{"Stem": {"Scan": {"Width": 64}}}'
    held = ask(("PUT", "/measurement/config", body), ("GET", "/measurement/config")).body
    assert held["Stem"]["Scan"] == {"Width": 64, "Height": 1024, "DwellTime": 1e-6}
    dacs = ask(
        ("PUT", "/detector/chips/1/dacs", '{"Vthreshold_fine": 300}'),
        ("GET", "/detector/chips/1/dacs"),
    ).body
    assert (dacs["Vthreshold_fine"], dacs["Vthreshold_coarse"]) == (300, 6)
    layout = ask(
        ("GET", "/detector/layout/rotate", {"direction": "right"}), ("GET", "/detector/layout")
    ).body
    assert layout["DetectorOrientation"] == "RIGHT"


def test_detector_tells_what_it_is_and_its_chips_drift(ask):
    reply = ask(("GET", "/detector")).body
    assert reply["Info"]["PixCount"] == 262144
    assert reply["Info"]["ChipType"] == "TPX3"
    assert [chip["X"] for chip in reply["Layout"]["Original"]["Chips"]] == [256, 256, 0, 0]
    from sim_iocs.serval.health import health_json

    hours = [health_json(60.0 * n, 1e4, 40.0) for n in range(60)]
    chips = list(zip(*(each["ChipTemperatures"] for each in hours), strict=True))
    assert all(2 <= max(chip) - min(chip) <= 6 for chip in chips)
    assert len({tuple(chip) for chip in chips}) == 4
    cold = health_json(0.0, 0.0, 40.0)["ChipTemperatures"]
    assert sum(cold) < sum(hours[0]["ChipTemperatures"]) - 20
    assert hours[0]["BiasVoltage"] == pytest.approx(39.92)


def test_pixel_config_is_loaded_and_its_pixels_fall_silent(with_serval, until, tmp_path):
    pixels = bytearray(4 * 65536)
    pixels[2 * 65536 : 3 * 65536] = bytes([31]) * 65536
    path = tmp_path / "some.bpc"
    path.write_bytes(pixels)
    short = tmp_path / "short.bpc"
    short.write_bytes(b"12")

    async def work(serval: Serval):
        rest = Rest(serval)

        async def load(file, kind="pixelconfig"):
            query = {"format": kind, "file": str(file)}
            return await rest.request("GET", "/config/load", query)

        wrong = [await load(short), await load(tmp_path / "none"), await load(path, "dacs")]
        good = await load(path)
        config = await rest.request("GET", "/detector/chips/2/PixelConfig")
        raw = {"Base": f"file:{tmp_path}", "FilePattern": "a_"}
        await rest.request("PUT", "/server/destination", body=json.dumps({"Raw": [raw]}))
        await rest.request("GET", "/measurement/start")
        await until(lambda: serval.status == "DA_IDLE")
        return wrong, good, config.body, serval.measurement.hit_map.take().reshape(512, 512)

    wrong, good, config, image = with_serval(work)
    assert [reply.code for reply in wrong] == [400, 400, 400]
    assert "2 bytes" in wrong[0].text
    assert good.ok
    assert base64.b64decode(config) == bytes([31]) * 65536
    assert image[256:, :256].sum() == 0
    assert image[256:, 256:].sum() > 500


def test_dacs_are_loaded_and_a_config_is_stored(ask, tmp_path):
    path = tmp_path / "some.dacs"
    path.write_text(json.dumps([{"DACs": {"Vthreshold_fine": 100 + n}} for n in range(4)]))
    load = ("GET", "/config/load", {"format": "dacs", "file": str(path)})
    assert ask(load, ("GET", "/detector/chips/2/dacs")).body["Vthreshold_fine"] == 102
    stored = tmp_path / "stored.json"
    assert ask(("GET", "/config/store", {"format": "serval", "file": str(stored)})).ok
    assert json.loads(stored.read_text())["Config"]["nTriggers"] == 4
    assert ask(("GET", "/config/store", {"file": str(tmp_path / "no" / "x")})).code == 400

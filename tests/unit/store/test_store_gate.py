from __future__ import annotations

from typing import Any

import pytest

from twinbeam.store._gate import admits

KEY = "k" * 32


def request(
    path: str = "/api/v1/metadata/", method: str = "GET", query: str = "", **headers: str
) -> dict[str, Any]:
    return {
        "path": path,
        "method": method,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }


@pytest.mark.parametrize(
    "carrying",
    [
        {"authorization": f"Apikey {KEY}"},
        {"authorization": f"apikey  {KEY}"},
        {"cookie": f"other=1; tiled_api_key={KEY}"},
        {"query": f"a=b&api_key={KEY}"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_the_key_lets_everything_pass(carrying: dict[str, str], method: str) -> None:
    for path in ("/api/v1/metadata/raw", "/zarr/v2/x", "/api/graphql", "/anything"):
        assert admits(request(path, method, **carrying), KEY, public=False)


@pytest.mark.parametrize(
    "carrying",
    [
        {},
        {"authorization": "Apikey"},
        {"authorization": f"Apikey {KEY[:-1]}"},
        {"authorization": f"Apikey {KEY}k"},
        {"authorization": f"Bearer {KEY}"},
        {"authorization": KEY},
        {"cookie": f"api_key={KEY}"},
        {"cookie": 'tiled_api_key="'},
        {"query": "api_key="},
        {"query": f"key={KEY}"},
        {"authorization": "Apikey \xff\xfe"},
    ],
)
def test_without_the_key_only_what_holds_no_data_passes(carrying: dict[str, str]) -> None:
    for path in ("/", "/healthz", "/api/v1/", "/ui/index.html", "/static/a.js"):
        assert admits(request(path, **carrying), KEY, public=False)
        assert not admits(request(path, "POST", **carrying), KEY, public=False)
    for path in ("/api/v1/metadata/", "/api/v1/search/", "/zarr/v3/x/zarr.json", "/api/graphql"):
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            assert not admits(request(path, method, **carrying), KEY, public=False)
    websocket = request("/api/v1/stream/single/raw", **carrying)
    del websocket["method"]
    assert not admits(websocket, KEY, public=False)


def test_the_public_reads_and_does_not_write() -> None:
    for path in ("/api/v1/metadata/raw", "/zarr/v2/x/.zarray", "/api/v1/array/full/x"):
        assert admits(request(path), KEY, public=True)
        for method in ("PUT", "PATCH", "DELETE"):
            assert not admits(request(path, method), KEY, public=True)
    assert admits(request("/api/v1/table/partition/x", "POST"), KEY, public=True)  # long questions
    assert not admits(request("/api/v1/metadata/x", "POST"), KEY, public=True)
    assert not admits(request("/api/v1/register/x", "POST"), KEY, public=True)
    assert not admits(request("/api/graphql"), KEY, public=True)

"""Several processes' worth of appends at once: each row is stored once, and none is refused."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pyarrow as pa

from twinbeam.store import open_catalog, serve_catalog

N = 25


def test_appends_from_all_sides_are_stored_once(tmp_path: Path) -> None:
    rows = pa.table({"x": [1.0, 2.0]})
    refused: list[str] = []

    def append(client: Any, key: str) -> None:
        node = client["derived"].create_container(key)
        node.create_appendable_table(rows.schema, key="rows")
        for _ in range(N):
            try:
                node["rows"].append_partition(0, rows)
            except Exception as error:
                refused.append(str(error))

    with open_catalog(tmp_path / "catalog") as catalog, serve_catalog(catalog) as server:
        others = [
            open_catalog(server.uri, api_key=server.api_key, documents=tmp_path / "documents")
            for _ in range(2)
        ]
        clients = {"here": catalog.client, "a": others[0].client, "b": others[1].client}
        threads = [threading.Thread(target=append, args=(c, k)) for k, c in clients.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert refused == []
        for key in clients:
            assert len(catalog.client["derived", key, "rows"].read()) == 2 * N
        for other in others:
            other.close()

"""What is stored says where its bytes are from."""

from __future__ import annotations

import time
from pathlib import Path

from twinbeam.live import Health, Update
from twinbeam.live.recorder import Recorder
from twinbeam.pipeline import Pipeline, summary
from twinbeam.store import open_catalog


def test_a_result_of_the_stream_is_told_from_one_of_files(tmp_path: Path) -> None:
    result = Pipeline().finish()
    stored: list[tuple[str, str]] = []
    health = Health(
        run="a-run",
        state="complete",
        source="stream",
        stream_bytes=800,
        stream_dropped_bytes=80,
        problems=("something",),
    )
    recipe_hash = result.recipe.hash
    update = Update("a-run", recipe_hash, 1, time.time(), 0.0, 0, summary(result), health)
    with open_catalog(tmp_path / "catalog") as catalog:
        recorder = Recorder(catalog, lambda update, digest: stored.append((update.run, digest)))
        try:
            recorder.update(update, result)
            assert recorder.wait(60.0)
        finally:
            recorder.close()
        metadata = catalog.client["derived", "a-run", recipe_hash].metadata
    assert stored == [("a-run", result.digest())]
    assert metadata["digest"] == result.digest()
    assert list(metadata["problems"]) == ["something"]
    assert metadata["source"] == "stream"
    assert dict(metadata["stream"]) == {"bytes": 800, "dropped_bytes": 80}

"""What is taken home from the page has the numbers of the result."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from twinbeam.pipeline import Result
from twinbeam.replay import content_of_file


def take(seen: Any, selector: str, folder: Path) -> Path:
    """Click something that downloads."""
    with seen.page.expect_download(timeout=60_000) as waiting:
        seen.page.eval_on_selector(selector, "thing => thing.click()")
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_tables_pictures_and_the_whole_result_are_taken_home(
    look: Callable[..., Any], results: list[Result], tmp_path: Path
) -> None:
    seen = look()
    result = results[1]

    path = take(seen, "[data-csv=dt]", tmp_path)
    lines = path.read_text().splitlines()
    assert result.recipe.hash in lines[0]
    rows = list(csv.DictReader(lines[1:]))
    prompt = [float(row["value"]) for row in rows if row["series"] == "prompt"]
    assert prompt == result.arrays["dt"].tolist()

    path = take(seen, "[data-csv=signal]", tmp_path)
    rows = list(csv.DictReader(path.read_text().splitlines()[1:]))
    image = np.array(seen.column("signal:image", "image"))
    assert sorted(float(row["photons"]) for row in rows) == sorted(image[image != 0].tolist())

    path = take(seen, "#nexus", tmp_path)
    content = content_of_file(path)
    assert content.recipe_hash == result.recipe.hash
    for name in ("coincidence", "idler_sharpened", "dt", "dt_accidental", "energy"):
        assert np.array_equal(content.arrays[name], result.arrays[name])
    assert np.array_equal(content.pairs["dt_ns"], result.pairs.dt_ns)

    path = take(seen, "[data-png=idler]", tmp_path)
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(data) > 2000

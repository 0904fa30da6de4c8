"""Runs of the CHX profile, whose events list their raw files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from event_model import compose_run

from twinbeam.replay import replay
from twinbeam.store import Catalog, RunWriter, raw_detectors, raw_files, raw_sources

KEY = "tpx3_files_raw_filepaths"


# text in arrays is stored by tiled in a way that zarr calls unstable
@pytest.mark.filterwarnings("ignore:The data type .FixedLengthUTF32")
@pytest.mark.parametrize("as_uri", [False, True])
def test_their_files_are_found_after_storing_and_replay(
    catalog: Catalog, tmp_path: Path, as_uri: bool
) -> None:
    names = [
        [str(tmp_path / f"4f0c_{trigger:05d}_{index:06d}.tpx3") for index in range(3)]
        for trigger in range(2)
    ]
    for path in (path for trigger in names for path in trigger):
        Path(path).write_bytes(b"12345678")
    listed = [[f"file:{name}" if as_uri else name for name in trigger] for trigger in names]
    with RunWriter(catalog) as writer:
        run = compose_run()
        writer("start", run.start_doc)
        key = {"dtype": "array", "shape": [3], "dtype_numpy": "<U200", "source": "test"}
        stream = run.compose_descriptor(name="primary", data_keys={KEY: key})
        writer("descriptor", stream.descriptor_doc)
        for files in listed:
            writer("event", stream.compose_event(data={KEY: files}, timestamps={KEY: 1.0}))
        writer("stop", run.compose_stop())
    found: list[Any] = []
    clocks: list[str] = []

    def note(name: str, doc: dict[str, Any]) -> None:
        if name == "descriptor":
            assert raw_detectors(doc) == ("tpx3",)
        elif name == "event":
            assert isinstance(doc["data"][KEY], list | tuple | np.ndarray | str)
            files = raw_files(doc["data"], "tpx3")
            found.append([str(path) for path in files.paths])
            clocks.append(files.acquisition)
            assert files.n_bytes == 24

    uid = replay(catalog, run.start_doc["uid"], note)
    assert found == names
    assert len(set(clocks)) == 2
    assert [str(source.path) for source in raw_sources(catalog, uid)] == [
        name for trigger in names for name in trigger
    ]
